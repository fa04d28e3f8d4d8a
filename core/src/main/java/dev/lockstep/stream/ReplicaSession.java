package dev.lockstep.stream;

import dev.lockstep.stream.ToReplica.Refused;
import dev.lockstep.stream.ToReplica.Refused.Reason;
import java.io.IOException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs one {@link Sender} whenever there is something to do: a message of the replica, a transport that takes more, a longer log, a
 * tick of the clock. Each of those calls {@link #wake}, which never blocks; the sender itself runs on the executor, on at most
 * one thread at a time, so that a hundred replicas need a few threads and a few buffers.
 *
 * <p>Thread-safe.
 */
public final class ReplicaSession {

    private static final Logger logger = LoggerFactory.getLogger(ReplicaSession.class);

    /** Messages sent in one run; then others have their turn. */
    private static final int TURN = 16;

    private static final int IDLE = 0;
    private static final int RUNNING = 1;
    private static final int RUN_AGAIN = 2;

    private final Publication publication;
    private final Sender sender;
    private final Link link;
    private final Executor executor;
    private final String address;
    private final long sinceMillis = System.currentTimeMillis();
    private final AtomicInteger running = new AtomicInteger(IDLE);

    /** The replica's message that the sender has not seen yet. At most one, because the link reads only when asked. */
    private final Object inboxLock = new Object();

    private @Nullable ToPrimary inbox;

    private volatile boolean disconnected;

    /** Written by the thread that runs the sender. */
    private volatile SenderProgress progress;

    private volatile ToPrimary.@Nullable Hello hello;

    /** Only the thread that runs the sender touches it. */
    private boolean ended;

    /** The next message, made while the link still had enough to do. Only the thread that runs the sender touches it. */
    private @Nullable ToReplica prepared;

    ReplicaSession(Publication publication, Sender sender, Link link, String address, Executor executor) {
        this.publication = publication;
        this.sender = sender;
        this.link = link;
        this.address = address;
        this.executor = executor;
        this.progress = sender.progress();
    }

    /** Takes a message of the replica from the transport. */
    public void received(ToPrimary message) {
        synchronized (inboxLock) {
            if (inbox != null) {
                throw new IllegalStateException("the transport delivered a message that was not asked for");
            }
            inbox = message;
        }
        wake();
    }

    /** To be called by the transport when the connection is gone. */
    public void disconnected() {
        disconnected = true;
        wake();
    }

    /** Has the sender run soon. */
    public void wake() {
        if (beginsRunning()) {
            submit();
        }
    }

    /** The same on this thread, if the session is not running: that is sooner than to wake another. */
    void wakeHere() {
        if (beginsRunning()) {
            run();
        }
    }

    /** Notes that there is something to do; returns whether the caller has to see to it, because the session is not running. */
    private boolean beginsRunning() {
        return running.getAndUpdate(state -> state == IDLE ? RUNNING : RUN_AGAIN) == IDLE;
    }

    private void submit() {
        try {
            executor.execute(this::run);
        } catch (RejectedExecutionException e) {
            end(null); // the server is shutting down, and nothing runs any more that could race with this
        }
    }

    private void run() {
        boolean more = !ended && turn();
        if (more || !running.compareAndSet(RUNNING, IDLE)) {
            running.set(RUNNING);
            submit();
        }
    }

    /** @return whether there was more to do than one turn allows */
    private boolean turn() {
        try {
            boolean over = disconnected;
            takeMessage(); // the last one, if it is over
            if (over) {
                end(null);
                return false;
            }
            boolean more = send();
            progress = sender.progress();
            if (sender.state() == Sender.State.ENDED) {
                end(null);
            }
            return more;
        } catch (IOException e) {
            end(e);
        } catch (RuntimeException | Error e) { // else the session would keep its place and its hold on the log
            logger.error("{}: serving replica {} failed", publication.name(), address, e);
            end(new IOException("internal error of the primary: " + e, e));
        }
        return false;
    }

    private void takeMessage() throws IOException {
        ToPrimary message;
        synchronized (inboxLock) {
            message = inbox;
            inbox = null;
        }
        if (message != null) {
            sender.receive(message);
            hello = sender.hello();
            if (message instanceof ToPrimary.Ack ack && hello != null) {
                publication.origin().applied(hello.replicaId(), ack.applied());
            }
            if (sender.state() != Sender.State.ENDED) {
                link.readNext();
            }
        }
    }

    private boolean send() throws IOException {
        for (int i = 0; i < TURN; i++) {
            if (prepared == null) {
                prepared = sender.next();
            } else {
                sender.tend(); // as next() does, while a message waits for the link
            }
            if (prepared == null || !link.isReady()) {
                return false;
            }
            link.send(prepared);
            prepared = null;
        }
        return true;
    }

    private void end(@Nullable IOException failure) {
        if (ended) {
            return;
        }
        ended = true;
        try {
            sender.close();
        } catch (IOException | RuntimeException e) {
            logger.warn("{}: closing the files of replica {} failed", publication.name(), address, e);
        }
        try {
            if (failure != null) {
                link.send(new Refused(Reason.UNAVAILABLE, "", "", String.valueOf(failure.getMessage())));
            }
            link.end();
        } catch (RuntimeException | Error e) {
            logger.warn("{}: replica {} could not be told the end", publication.name(), address, e);
        }
        publication.ended(this, sender, failure);
    }

    String address() {
        return address;
    }

    /** This replica as a person wants to see it. */
    ReplicaStatus status(long head, long nowMillis) {
        return ReplicaStatus.of(this.hello, address, progress, sinceMillis, head, nowMillis);
    }
}
