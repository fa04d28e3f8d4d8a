package dev.lockstep.stream;

import dev.lockstep.UnavailableException;
import dev.lockstep.stream.ToPrimary.Hello;
import dev.lockstep.stream.ToPrimary.Refusal;
import dev.lockstep.stream.ToReplica.Refused;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One database that replicas may follow: its sessions, and while there are any, one thread that wakes them when the log grows or the
 * clock ticks. Neither capture nor log ever waits for a session (G4).
 *
 * <p>Thread-safe.
 */
public final class Publication implements AutoCloseable {

    private static final Logger logger = LoggerFactory.getLogger(Publication.class);
    private static final int REFUSALS_KEPT = 32;
    private static final long CLOSE_MILLIS = 10_000;

    private final Origin origin;
    private final SenderOptions options;
    private final Executor executor;
    private final Set<ReplicaSession> sessions = ConcurrentHashMap.newKeySet();

    /** Null while nobody follows. Guarded by this. */
    private @Nullable Thread watcher;

    /** The newest last. Guarded by itself. */
    private final ArrayDeque<RefusalReport> refusals = new ArrayDeque<>();

    private volatile boolean closed;

    /** @param executor runs the sessions: reading, and in transports encoding; a few threads serve many replicas */
    public Publication(Origin origin, SenderOptions options, Executor executor) {
        this.origin = origin;
        this.options = options;
        this.executor = executor;
    }

    public String name() {
        return origin.name();
    }

    public Origin origin() {
        return origin;
    }

    /**
     * Begins a session with a replica that has just connected.
     *
     * @param address names the replica's machine in messages
     * @throws UnavailableException if there are too many already, or this is closed
     */
    public synchronized ReplicaSession open(Link link, String address) throws UnavailableException {
        if (closed) {
            throw new UnavailableException("database " + name() + " is no longer served here");
        }
        if (sessions.size() >= options.maxReplicas()) {
            throw new UnavailableException("database " + name() + " has " + sessions.size()
                    + " replicas connected, which is the limit; raise it on the primary, or follow another replica");
        }
        Sender sender = new Sender(origin, options, System::nanoTime);
        ReplicaSession session = new ReplicaSession(this, sender, link, address, executor);
        sessions.add(session);
        if (watcher == null) {
            watcher = new Thread(this::watch, "lockstep-ship-" + name());
            watcher.setDaemon(true);
            watcher.start();
        }
        return session;
    }

    void ended(ReplicaSession session, Sender sender, @Nullable IOException failure) {
        forget(session);
        Refusal refusal = sender.refusal();
        Refused refused = sender.refused();
        Hello hello = sender.hello();
        if (refusal != null) {
            report(hello, session, false, refusal.kind(), refusal.expected(), refusal.found(), refusal.message());
        } else if (refused != null) {
            String kind = refused.reason().name();
            report(hello, session, true, kind, refused.expected(), refused.found(), refused.message());
        } else if (failure != null) {
            logger.info("{}: the session with replica {} ended: {}", name(), session.address(), failure.getMessage());
        }
    }

    private synchronized void forget(ReplicaSession session) {
        sessions.remove(session);
        notifyAll(); // close waits for the last one
    }

    private void report(
            @Nullable Hello hello,
            ReplicaSession session,
            boolean byPrimary,
            String kind,
            String expected,
            String found,
            String message) {
        String replica = hello == null ? "" : hello.replicaName();
        logger.warn("{}: replica {} at {} stopped, {}: {}", name(), replica, session.address(), kind, message);
        synchronized (refusals) {
            if (refusals.size() == REFUSALS_KEPT) {
                refusals.removeFirst();
            }
            refusals.addLast(new RefusalReport(
                    System.currentTimeMillis(),
                    hello == null ? null : hello.replicaId(),
                    replica,
                    session.address(),
                    byPrimary,
                    kind,
                    expected,
                    found,
                    message));
        }
    }

    /** The replicas connected now. */
    public List<ReplicaStatus> replicas() {
        long head = origin.log().head().frameNo();
        long now = System.currentTimeMillis();
        return sessions.stream().map(session -> session.status(head, now)).toList();
    }

    /** The last few replicas that stopped for good or were turned away, the newest last. */
    public List<RefusalReport> refusals() {
        synchronized (refusals) {
            return List.copyOf(refusals);
        }
    }

    private void watch() {
        long tick = Math.max(1_000_000, options.heartbeat().toNanos() / 4);
        long seen = -1;
        while (isFollowed()) {
            try {
                if (origin.log().await(seen, !options.eager(), tick)) {
                    seen = (options.eager() ? origin.log().head() : origin.log().durable()).frameNo();
                }
            } catch (InterruptedException e) {
                return; // nobody does that
            }
            wakeSessions();
        }
    }

    /** A single session runs on this thread, so that nobody has to be woken for it; of several, one would hold up the others. */
    private void wakeSessions() {
        sessions.forEach(sessions.size() == 1 ? ReplicaSession::wakeHere : ReplicaSession::wake);
    }

    private synchronized boolean isFollowed() {
        if (sessions.isEmpty()) {
            watcher = null;
        }
        return watcher != null;
    }

    /** Ends all sessions. The executor must still run, so that they can. */
    @Override
    public void close() {
        synchronized (this) {
            closed = true;
        }
        sessions.forEach(ReplicaSession::disconnected);
        try {
            awaitNoSessions();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized void awaitNoSessions() throws InterruptedException {
        long deadline = System.nanoTime() + CLOSE_MILLIS * 1_000_000;
        long left = CLOSE_MILLIS;
        while (!sessions.isEmpty() && left > 0) {
            wait(left);
            left = (deadline - System.nanoTime()) / 1_000_000;
        }
    }
}
