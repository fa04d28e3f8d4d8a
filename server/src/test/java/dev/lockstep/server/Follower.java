package dev.lockstep.server;

import dev.lockstep.LockstepException;
import dev.lockstep.UnavailableException;
import dev.lockstep.stream.MemoryTarget;
import dev.lockstep.stream.Receiver;
import dev.lockstep.stream.ToPrimary.Refusal;
import dev.lockstep.stream.ToReplica;
import dev.lockstep.stream.Upstream;
import java.io.IOException;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** A replica in memory that follows over a real transport on a thread of its own, and comes back when the connection is lost. */
final class Follower implements AutoCloseable {

    private static final long WAIT_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
    private static final long SILENCE_NANOS = TimeUnit.SECONDS.toNanos(2);

    private final Upstream upstream;
    private final MemoryTarget target;
    private final String name;
    private final long window;
    private final UUID id = UUID.randomUUID();
    private final Thread thread;
    private volatile boolean closed;
    private volatile boolean paused;
    private final AtomicInteger sessions = new AtomicInteger();
    private volatile @Nullable Exception stopped;
    private volatile @Nullable String lastLoss;

    Follower(Upstream upstream, MemoryTarget target, String name) {
        this(upstream, target, name, 1 << 20);
    }

    Follower(Upstream upstream, MemoryTarget target, String name, long window) {
        this.upstream = upstream;
        this.target = target;
        this.name = name;
        this.window = window;
        this.thread = new Thread(this::run, "follower-" + name);
        thread.start();
    }

    /** Why it stopped for good, if it did. */
    @Nullable
    Exception stopped() {
        return stopped;
    }

    /** What the last lost connection said. */
    @Nullable
    String lastLoss() {
        return lastLoss;
    }

    int sessions() {
        return sessions.get();
    }

    long applied() {
        return target.applied();
    }

    /** Stops reading from its connection, which stays open. */
    void pause(boolean on) {
        paused = on;
    }

    private void run() {
        try {
            while (!closed) {
                try {
                    session();
                } catch (UnavailableException e) {
                    lastLoss = e.getMessage();
                    Thread.sleep(20); // between connections, as a replica's backoff
                }
            }
        } catch (IOException | InterruptedException | RuntimeException | AssertionError e) {
            stopped = e instanceof Exception exception ? exception : new IllegalStateException(e);
        }
    }

    private void session() throws IOException, InterruptedException {
        sessions.incrementAndGet();
        try (Receiver receiver = new Receiver(target, id, name, window, upstream.address());
                Upstream.Connection connection = upstream.connect()) {
            connection.send(receiver.hello());
            long lastHeard = System.nanoTime();
            while (!closed) {
                boolean reading = !paused;
                ToReplica message = reading ? connection.receive(WAIT_NANOS) : null;
                if (!reading) {
                    Thread.sleep(10);
                    lastHeard = System.nanoTime();
                } else if (message == null) {
                    if (System.nanoTime() - lastHeard > SILENCE_NANOS) {
                        throw new UnavailableException("silence");
                    }
                } else {
                    lastHeard = System.nanoTime();
                    take(receiver, connection, message);
                }
                connection.send(receiver.ack());
            }
        }
    }

    private static void take(Receiver receiver, Upstream.Connection connection, ToReplica first)
            throws IOException, InterruptedException {
        try {
            for (ToReplica message = first; message != null; ) {
                receiver.accept(message);
                message = receiver.isBatchFull() ? null : connection.receive(0);
            }
            receiver.flush();
        } catch (LockstepException e) {
            if (!(e instanceof UnavailableException)) {
                connection.send(new Refusal(
                        e.getClass().getSimpleName(), receiver.head(), "", "", String.valueOf(e.getMessage())));
            }
            throw e;
        }
    }

    @Override
    public void close() throws InterruptedException {
        closed = true;
        thread.join(10_000);
    }
}
