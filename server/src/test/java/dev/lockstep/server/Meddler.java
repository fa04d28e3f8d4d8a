package dev.lockstep.server;

import com.linecorp.armeria.client.grpc.GrpcClients;
import com.linecorp.armeria.server.Server;
import com.linecorp.armeria.server.ServiceRequestContext;
import com.linecorp.armeria.server.grpc.GrpcService;
import dev.lockstep.server.v1.Proto.FollowReply;
import dev.lockstep.server.v1.Proto.FollowRequest;
import dev.lockstep.server.v1.ReplicationGrpc.ReplicationImplBase;
import dev.lockstep.server.v1.ReplicationGrpc.ReplicationStub;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.function.Function;

/**
 * A server between a replica and its primary that speaks the native protocol on both sides and may change, drop, repeat or hold back
 * what comes from the primary. No flow control: for small databases. Thread-safe.
 */
final class Meddler implements AutoCloseable {

    private final Server server;
    private volatile ReplicationStub primary;
    private volatile Function<FollowReply, List<FollowReply>> way = List::of;

    Meddler(int primaryPort) {
        primary = stub(primaryPort);
        server = Server.builder()
                .http(ReplicationTest.loopback(0))
                .service(GrpcService.builder().addService(new Service()).build())
                .build();
        server.start().join();
    }

    private static ReplicationStub stub(int port) {
        return GrpcClients.builder("gproto+h2c://127.0.0.1:" + port)
                .responseTimeoutMillis(0)
                .maxResponseLength(0)
                .build(ReplicationStub.class);
    }

    String url(String database) {
        return ReplicationTest.url(server.activeLocalPort(), database);
    }

    /** Leads new sessions to another server. */
    void lead(int port) {
        primary = stub(port);
    }

    /** What becomes of the primary's messages from now on. */
    void meddle(Function<FollowReply, List<FollowReply>> change) {
        way = change;
    }

    private final class Service extends ReplicationImplBase {

        @Override
        public StreamObserver<FollowRequest> follow(StreamObserver<FollowReply> replies) {
            ServiceRequestContext context = ServiceRequestContext.current();
            context.setMaxRequestLength(0);
            context.clearRequestTimeout();
            return primary.follow(new StreamObserver<>() {
                @Override
                public void onNext(FollowReply reply) {
                    way.apply(reply).forEach(replies::onNext);
                }

                @Override
                public void onError(Throwable failure) {
                    replies.onError(failure);
                }

                @Override
                public void onCompleted() {
                    replies.onCompleted();
                }
            });
        }
    }

    @Override
    public void close() {
        server.stop().join();
    }
}
