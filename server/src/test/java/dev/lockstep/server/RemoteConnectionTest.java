package dev.lockstep.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.linecorp.armeria.server.Server;
import com.linecorp.armeria.server.grpc.GrpcService;
import dev.lockstep.server.v1.Proto.FollowReply;
import dev.lockstep.server.v1.Proto.FollowRequest;
import dev.lockstep.server.v1.ReplicationGrpc.ReplicationImplBase;
import dev.lockstep.stream.ToPrimary;
import dev.lockstep.stream.ToPrimary.Ack;
import dev.lockstep.stream.ToPrimary.Hello;
import dev.lockstep.stream.ToPrimary.Refusal;
import dev.lockstep.stream.ToReplica.Heartbeat;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
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

    @Test
    void aRefusalReachesABusyPrimaryThoughTheReplicaIsShutDownAtOnce() throws Exception {
        BusyPrimary busy = new BusyPrimary();
        Server server = Server.builder()
                .http(ReplicationTest.loopback(0))
                .service(GrpcService.builder().addService(busy).build())
                .build();
        server.start().join();
        Refusal refusal = new Refusal("SEAL", 5, "one", "another", "it does not fit");
        RemotePrimary remote = RemotePrimary.of(ReplicationTest.url(server.activeLocalPort(), "app"));
        RemoteConnection connection = (RemoteConnection) remote.connect();
        try {
            connection.send(new Hello(ToPrimary.PROTOCOL, new UUID(1, 1), "replica", null, -1, 1 << 20));
            await().until(() -> busy.replies != null);
            connection.send(refusal);
            connection.close();
            Thread closing = new Thread(remote::close);
            closing.start();
            closing.join(1_500); // as busy as that
            busy.listen();
            closing.join();
        } finally {
            remote.close();
            server.stop().join();
        }
        assertThat(busy.received).endsWith(ToPrimaryCodec.encode(refusal, "app", false));
        assertThat(connection.over()).isCompleted();
    }

    /** Says more than the replica asked for, and listens only when it is told to. */
    private static final class BusyPrimary extends ReplicationImplBase {

        private final List<FollowRequest> received = new CopyOnWriteArrayList<>();
        private volatile @Nullable ServerCallStreamObserver<FollowReply> replies;

        @Override
        public StreamObserver<FollowRequest> follow(StreamObserver<FollowReply> observer) {
            ServerCallStreamObserver<FollowReply> server = (ServerCallStreamObserver<FollowReply>) observer;
            server.disableAutoRequest();
            for (int i = 0; i < 20; i++) {
                server.onNext(ToReplicaCodec.encode(new Heartbeat(i, i), false));
            }
            replies = server;
            return new StreamObserver<>() {
                @Override
                public void onNext(FollowRequest request) {
                    received.add(request);
                }

                @Override
                public void onError(Throwable failure) {}

                @Override
                public void onCompleted() {
                    server.onCompleted();
                }
            };
        }

        void listen() {
            Objects.requireNonNull(replies).request(10);
        }
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
