package dev.lockstep.server;

import dev.lockstep.UnavailableException;
import dev.lockstep.server.libsql.UnknownDatabaseException;
import dev.lockstep.server.v1.Proto;
import dev.lockstep.stream.Link;
import dev.lockstep.stream.Publication;
import dev.lockstep.stream.ReplicaSession;
import dev.lockstep.stream.ToReplica;
import dev.lockstep.stream.ToReplica.Refused;
import dev.lockstep.stream.ToReplica.Refused.Reason;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import org.jspecify.annotations.Nullable;

/**
 * The server's end of one Follow stream. Messages of the replica come in on the event loop and go straight to the session; at most one
 * is taken in before the session asks for the next.
 *
 * <p>Locking: incoming calls are serial on the event loop, outgoing ones serial in the session; {@code ended} is shared by both.
 */
final class ReplicaLink implements Link, StreamObserver<Proto.FollowRequest> {

    /** Finds the database that a replica asks for. */
    interface Finder {
        Hosted find(String database) throws UnknownDatabaseException;
    }

    private final Finder databases;
    private final ServerCallStreamObserver<Proto.FollowReply> replies;
    private final String address;
    private final Runnable onHello;

    /** Set by the first message, on the event loop. */
    private volatile @Nullable ReplicaSession session;

    private volatile boolean zstd;

    /** Guarded by this. Whether the stream has been ended by either side, so that nothing more can be said. */
    private boolean ended;

    /** @param onHello called once the replica has said which database it wants */
    ReplicaLink(
            Finder databases, ServerCallStreamObserver<Proto.FollowReply> replies, String address, Runnable onHello) {
        this.databases = databases;
        this.replies = replies;
        this.address = address;
        this.onHello = onHello;
    }

    /** Starts to read. */
    void begin() {
        replies.disableAutoRequest();
        replies.setOnReadyHandler(this::wake);
        replies.setOnCancelHandler(this::gone);
        replies.request(1);
    }

    private void wake() {
        ReplicaSession current = session;
        if (current != null) {
            current.wake();
        }
    }

    @Override
    public void onNext(Proto.FollowRequest request) {
        try {
            ReplicaSession current = session;
            if (current == null) {
                current = open(request);
            }
            current.received(ToPrimaryCodec.decode(request));
        } catch (IllegalArgumentException e) {
            refuse(Reason.UNSUPPORTED, "malformed message: " + e.getMessage());
        } catch (UnavailableException e) {
            refuse(Reason.UNAVAILABLE, String.valueOf(e.getMessage()));
        } catch (UnknownDatabaseException e) {
            refuse(Reason.UNKNOWN_DATABASE, String.valueOf(e.getMessage()));
        }
    }

    private ReplicaSession open(Proto.FollowRequest request) throws UnknownDatabaseException, UnavailableException {
        if (!request.hasHello()) {
            throw new IllegalArgumentException("the first message has to be a hello");
        }
        Publication publication =
                databases.find(request.getHello().getDatabase()).publication();
        zstd = request.getHello().getAcceptsZstd();
        ReplicaSession opened = publication.open(this, address);
        session = opened;
        onHello.run();
        return opened;
    }

    /** As a message of the protocol, because the network layer logs failed calls as if they were its own trouble. */
    private void refuse(Reason reason, String message) {
        send(new Refused(reason, "", "", message));
        end();
        gone();
    }

    @Override
    public void onError(Throwable failure) {
        gone();
    }

    @Override
    public void onCompleted() {
        if (session == null) {
            end();
        }
        gone();
    }

    private void gone() {
        ReplicaSession current = session;
        if (current != null) {
            current.disconnected();
        }
    }

    @Override
    public boolean isReady() {
        return replies.isReady();
    }

    @Override
    public void send(ToReplica message) {
        Proto.FollowReply reply = ToReplicaCodec.encode(message, zstd);
        synchronized (this) {
            if (!ended && !replies.isCancelled()) {
                replies.onNext(reply);
            }
        }
    }

    @Override
    public void readNext() {
        replies.request(1);
    }

    @Override
    public synchronized void end() {
        if (!ended && !replies.isCancelled()) {
            replies.onCompleted();
        }
        ended = true;
    }
}
