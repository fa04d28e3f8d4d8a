package dev.lockstep.server;

import com.linecorp.armeria.client.ClientRequestContext;
import com.linecorp.armeria.unsafe.grpc.GrpcUnsafeBufferUtil;
import dev.lockstep.RefusedException;
import dev.lockstep.RefusedException.Kind;
import dev.lockstep.UnavailableException;
import dev.lockstep.server.v1.Proto.FollowReply;
import dev.lockstep.server.v1.Proto.FollowRequest;
import dev.lockstep.stream.ToPrimary;
import dev.lockstep.stream.ToPrimary.Ack;
import dev.lockstep.stream.ToPrimary.Refusal;
import dev.lockstep.stream.ToReplica;
import dev.lockstep.stream.Upstream.Connection;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.io.IOException;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The replica's end of one Follow stream. Messages come in on the event loop and wait in a queue, which holds no more than were asked
 * for.
 *
 * <p>Thread-safe.
 */
final class RemoteConnection implements Connection, ClientResponseObserver<FollowRequest, FollowReply> {

    /** Messages that may wait here. The network layer holds the rest back. */
    private static final int AHEAD = 4;

    /** The last acknowledgement is repeated this often while nothing else is said. */
    private static final long SIGN_OF_LIFE_MILLIS = 1_000;

    /** After the stream was closed, for the primary to take what was sent before, and to end the call then. */
    private static final long LINGER_MILLIS = 5_000;

    /** A message, or what is wrong with it. The end of the stream has neither, and nothing comes after it. */
    private record Arrival(
            @Nullable ToReplica message, @Nullable String malformed) {}

    private static final Arrival END = new Arrival(null, null);

    private final String address;
    private final String database;
    private final boolean zstd;
    private final BlockingQueue<Arrival> inbox = new LinkedBlockingQueue<>(AHEAD + 2);

    /** Set before the call starts. */
    private volatile @Nullable ClientCallStreamObserver<FollowRequest> requests;

    /** Set before the end is queued. */
    private volatile IOException failure;

    /** Messages received since more were asked for. The receiver's own. */
    private int taken;

    /** Guarded by this. The newest acknowledgement that the network layer could not take yet. */
    private @Nullable Ack waiting;

    /** Guarded by this. The newest acknowledgement handed to {@link #send}. */
    private @Nullable Ack lastAck;

    /** Guarded by this. Whether the primary was told why this replica stops. */
    private boolean refused;

    /** Guarded by this. */
    private boolean ended;

    /** See {@link #over()}. */
    private final CompletableFuture<Void> over = new CompletableFuture<>();

    /** Set before the call starts. */
    private volatile @Nullable ScheduledFuture<?> signsOfLife;

    RemoteConnection(String address, String database, boolean zstd) {
        this.address = address;
        this.database = database;
        this.zstd = zstd;
        this.failure = new UnavailableException("the connection to " + address + " was closed here");
    }

    @Override
    public void beforeStart(ClientCallStreamObserver<FollowRequest> stream) {
        stream.disableAutoRequestWithInitial(AHEAD);
        stream.setOnReadyHandler(this::sendWaiting);
        requests = stream;
        signsOfLife = EventLoops.clients()
                .next()
                .scheduleAtFixedRate(this::showLife, SIGN_OF_LIFE_MILLIS, SIGN_OF_LIFE_MILLIS, TimeUnit.MILLISECONDS);
    }

    /** The replica's thread may be busy for longer than a primary waits: proving a large copy takes minutes. */
    private synchronized void showLife() {
        Ack ack = lastAck;
        if (ack != null) {
            send(ack);
        }
    }

    @Override
    public synchronized void send(ToPrimary message) {
        ClientCallStreamObserver<FollowRequest> stream = requests;
        if (ended || stream == null) {
            return;
        }
        if (message instanceof Ack ack) {
            lastAck = ack;
            if (!stream.isReady()) {
                waiting = ack; // which says all that an earlier one says
                return;
            }
            waiting = null; // an earlier one, sent after this, would take it back
        }
        refused = refused || message instanceof Refusal;
        stream.onNext(ToPrimaryCodec.encode(message, database, zstd));
    }

    private synchronized void sendWaiting() {
        Ack ack = waiting;
        if (ack != null) {
            waiting = null;
            send(ack);
        }
    }

    @Override
    public @Nullable ToReplica receive(long timeoutNanos) throws IOException, InterruptedException {
        Arrival arrival = timeoutNanos > 0 ? inbox.poll(timeoutNanos, TimeUnit.NANOSECONDS) : inbox.poll();
        if (arrival == null) {
            return null;
        }
        if (arrival.equals(END)) {
            inbox.add(END); // for the next call
            throw failure;
        }
        askForMore();
        if (arrival.malformed != null) {
            throw new RefusedException(Kind.MALFORMED, -1, "a message", arrival.malformed, address);
        }
        return arrival.message;
    }

    /** Seldom, since each time the network layer's thread has to be woken. */
    private void askForMore() {
        ClientCallStreamObserver<FollowRequest> stream = requests;
        if (++taken == AHEAD / 2 && stream != null) {
            stream.request(taken);
            taken = 0;
        }
    }

    /** The reply's bytes stand in the network layer's buffers; the decoder copies them out, once. */
    @Override
    public void onNext(FollowReply reply) {
        try {
            Arrival arrival = arrival(reply);
            synchronized (this) {
                if (!ended) {
                    inbox.add(arrival);
                }
            }
        } finally {
            GrpcUnsafeBufferUtil.releaseBuffer(reply, ClientRequestContext.current());
        }
    }

    private static Arrival arrival(FollowReply reply) {
        try {
            return new Arrival(ToReplicaCodec.decode(reply), null);
        } catch (IllegalArgumentException e) {
            return new Arrival(null, String.valueOf(e.getMessage()));
        }
    }

    @Override
    public void onError(Throwable cause) {
        end(Failures.translate(cause, address));
    }

    @Override
    public void onCompleted() {
        end(new UnavailableException(address + " ended the session; it is shutting down, or restarting"));
    }

    private synchronized void end(IOException cause) {
        if (!ended) {
            ended = true;
            failure = cause;
            inbox.add(END);
            stopSignsOfLife();
        }
        over.complete(null);
    }

    private void stopSignsOfLife() {
        ScheduledFuture<?> running = signsOfLife;
        if (running != null) {
            running.cancel(false);
        }
    }

    /** The primary may be too busy to listen for a while, and what it sends before it does has to be taken off its way. */
    @Override
    public void close() {
        ClientCallStreamObserver<FollowRequest> stream = requests;
        synchronized (this) {
            if (ended || stream == null) {
                return;
            }
            ended = true;
            stream.onCompleted();
        }
        stopSignsOfLife();
        inbox.add(END);
        stream.request(Integer.MAX_VALUE);
        CompletableFuture<Void> unused = over.orTimeout(LINGER_MILLIS, TimeUnit.MILLISECONDS)
                .exceptionally(late -> {
                    stream.cancel("closed by the replica", late);
                    return null;
                });
    }

    /** Done once the call is over; exceptionally if it had to be cancelled some seconds after {@link #close}. */
    CompletableFuture<Void> over() {
        return over;
    }

    /** After {@link #close}: waits, within bounds, until the primary has taken it if it was told why the replica stops. */
    void awaitTold() {
        boolean told;
        synchronized (this) {
            told = refused && ended;
        }
        if (told) {
            over.exceptionally(late -> null).join();
        }
    }
}
