package dev.lockstep.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lockstep.server.v1.Proto.FollowRequest;
import dev.lockstep.stream.ToPrimary.Ack;
import io.grpc.stub.ClientCallStreamObserver;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class RemoteConnectionTest {

    @Test
    void anAcknowledgementThatHadToWaitIsNotSentAfterALaterOne() {
        Stream stream = new Stream();
        RemoteConnection connection = new RemoteConnection("here", "app", false);
        connection.beforeStart(stream);
        stream.ready = false;
        connection.send(new Ack(1, 1, 1));
        stream.ready = true; // and before the network layer gets to say so, there is more to say
        connection.send(new Ack(2, 2, 2));
        stream.onReady.run();
        connection.close();
        assertThat(stream.sent).containsExactly(ToPrimaryCodec.encode(new Ack(2, 2, 2), "app", false));
    }

    /** A call's outgoing side that only notes. */
    private static final class Stream extends ClientCallStreamObserver<FollowRequest> {

        private final List<FollowRequest> sent = new ArrayList<>();
        private boolean ready = true;
        private Runnable onReady = () -> {};

        @Override
        public boolean isReady() {
            return ready;
        }

        @Override
        public void setOnReadyHandler(Runnable handler) {
            onReady = handler;
        }

        @Override
        public void onNext(FollowRequest request) {
            sent.add(request);
        }

        @Override
        public void cancel(@Nullable String message, @Nullable Throwable cause) {}

        @Override
        public void disableAutoInboundFlowControl() {}

        @Override
        public void disableAutoRequestWithInitial(int count) {}

        @Override
        public void request(int count) {}

        @Override
        public void setMessageCompression(boolean enable) {}

        @Override
        public void onError(Throwable failure) {}

        @Override
        public void onCompleted() {}
    }
}
