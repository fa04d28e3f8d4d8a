package dev.lockstep.server;

import com.linecorp.armeria.server.ServiceRequestContext;
import dev.lockstep.server.auth.Rights;
import dev.lockstep.server.libsql.UnknownDatabaseException;
import dev.lockstep.server.v1.Proto;
import dev.lockstep.server.v1.ReplicationGrpc;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.Executor;

/**
 * The native protocol's service. Calls come in on event loops: Follow only passes messages on, Status runs on the executor. Thread-safe.
 */
final class ReplicationService extends ReplicationGrpc.ReplicationImplBase {

    /** From the connection to its Hello. */
    private static final long HELLO_MILLIS = 10_000;

    private final Databases databases;
    private final Executor executor;

    ReplicationService(Databases databases, Executor executor) {
        this.databases = databases;
        this.executor = executor;
    }

    @Override
    public StreamObserver<Proto.FollowRequest> follow(StreamObserver<Proto.FollowReply> replies) {
        ServiceRequestContext context = ServiceRequestContext.current();
        context.setMaxRequestLength(0); // a session is one request, and acknowledgements add up
        context.setRequestTimeoutMillis(HELLO_MILLIS);
        Rights rights = Rights.of(context);
        String address = context.remoteAddress().getAddress().getHostAddress() + ":"
                + context.remoteAddress().getPort();
        ReplicaLink link = new ReplicaLink(
                database -> databases.find(database, rights),
                (ServerCallStreamObserver<Proto.FollowReply>) replies,
                address,
                context::clearRequestTimeout);
        link.begin();
        return link;
    }

    @Override
    public void status(Proto.StatusRequest request, StreamObserver<Proto.StatusReply> replies) {
        Rights rights = Rights.of(ServiceRequestContext.current());
        executor.execute(() -> {
            try {
                replies.onNext(StatusCodec.encode(databases.status(request.getDatabase(), rights)));
                replies.onCompleted();
            } catch (UnknownDatabaseException e) {
                replies.onError(Status.NOT_FOUND.withDescription(e.getMessage()).asException());
            } catch (RuntimeException e) {
                replies.onError(e);
            }
        });
    }
}
