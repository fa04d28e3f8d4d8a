package dev.lockstep;

import dev.lockstep.apply.Applier;
import dev.lockstep.io.RealPath;
import dev.lockstep.log.CommitRecord;
import dev.lockstep.stream.Receiver;
import dev.lockstep.stream.ToPrimary.Refusal;
import dev.lockstep.stream.ToReplica;
import dev.lockstep.stream.Upstream;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * A copy of a primary's database that follows it, in this process, while any program reads it.
 *
 * <pre>
 * CONNECTING --answered, nothing there yet--> COPYING --copy proven--> FOLLOWING
 *            --answered, position known----------------------------> FOLLOWING
 * COPYING, FOLLOWING --connection lost, or own files not usable--> CONNECTING, again and again
 * any --something that does not line up--> REFUSED, for good: the database keeps its last good state and serves reads
 *     --no such database, or no Lockstep server--> REFUSED; if it has followed before, only once that was so for minutes
 * any --{@link #close}--> CLOSED
 * </pre>
 *
 * <p>One thread belongs to it. Thread-safe.
 */
public final class Replica implements AutoCloseable {

    private static final Logger logger = LoggerFactory.getLogger(Replica.class);

    /** Waiting for a message no longer than this, so that closing and housekeeping have their turn. */
    private static final long TICK_NANOS = TimeUnit.MILLISECONDS.toNanos(250);

    private static final long TEND_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long SILENCE_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** For the first answer: before a copy, the primary may wait for its own database to be readable. */
    private static final long ANSWER_NANOS = TimeUnit.SECONDS.toNanos(45);

    /**
     * How long a replica that has followed goes on asking where the answer is now that there is no such database, or no server of
     * Lockstep: a proxy may say so while the primary behind it restarts.
     */
    private static final Duration DENIAL_PATIENCE = Duration.ofMinutes(5);

    /**
     * How long a primary may show signs of life without sending what it says it has. One that can send does so as soon as it has our
     * acknowledgements, and it gives up a replica whose acknowledgements do not come through, long before this.
     */
    private static final Duration OWED_PATIENCE = Duration.ofMinutes(1);

    private static final long CLOSE_MILLIS = TimeUnit.SECONDS.toMillis(60);
    private static final long WINDOW = 8 << 20;

    /** What the replica is doing. */
    public enum State {
        CONNECTING,
        COPYING,
        FOLLOWING,
        REFUSED,
        CLOSED
    }

    /**
     * A snapshot of this replica's condition.
     *
     * @param position the last transaction that readers see; null before the first copy is finished
     * @param head the last frame that the primary said it has, or -1
     * @param receivedBytes of frames and pages since this was opened
     * @param problem why it is CONNECTING again, or null
     * @param copy how far a first copy is; null while there is none
     */
    public record Status(
            State state,
            @Nullable Position position,
            long head,
            long receivedBytes,
            @Nullable String problem,
            @Nullable CopyProgress copy) {}

    /**
     * How much of a first copy's pages has arrived.
     *
     * @param receivedBytes of the pages, and of the transactions since it began
     * @param pageBytes of all pages
     */
    public record CopyProgress(long receivedBytes, long pageBytes) {}

    /** Is told what happens, by the replica's thread: it must return soon. What it throws is logged. */
    public interface Listener {

        /** Readers see everything up to {@code position}; called for groups of transactions. */
        default void applied(Position position) {}

        /** The state has changed; {@code problem} says why it is CONNECTING again. */
        default void stateChanged(State state, @Nullable String problem) {}

        /**
         * The replica stopped for good, in state REFUSED: it was sent what does not line up, or has diverged. Its database keeps its last good
         * state.
         */
        default void stopped(LockstepException reason) {}

        /** How far behind it may be, about once in a second while it is connected and follows. */
        default void lag(Duration atMost) {}
    }

    private final Path database;
    private final Upstream upstream;
    private final String name;
    private final Listener listener;
    private final UUID fallbackId = UUID.randomUUID();
    private final ReplicaTarget target;
    private final Duration denialPatience;
    private final Duration owedPatience;
    private final Thread thread;

    /** Guards waiting for changes of the fields below, which the replica's thread writes. */
    private final Object changed = new Object();

    private volatile State state = State.CONNECTING;
    private volatile boolean closed;
    private volatile Upstream.@Nullable Connection connection;
    private volatile @Nullable LockstepException refusal;
    private volatile @Nullable String problem;
    private volatile @Nullable Position position;
    private volatile long head = -1;
    private volatile long receivedBytes;
    private volatile @Nullable CopyProgress copy;

    /** Since when the answer has been that there is nothing to follow. Of the replica's thread. */
    private long deniedSinceNanos;

    private boolean denied;
    private boolean hasFollowed;

    /** When this replica was last known to have everything that the primary had, by {@link System#nanoTime}; read after wasInStep. */
    private volatile long inStepNanos;

    private volatile boolean wasInStep;

    /** A frame that the primary said it has, and when it said so; see {@link #noteInStep}. Of the replica's thread. */
    private long heardHead = -1;

    private long heardHeadNanos;

    private Replica(Builder builder) throws IOException {
        this.database = builder.database;
        this.upstream = builder.upstream;
        this.name = builder.name;
        this.denialPatience = builder.denialPatience;
        this.owedPatience = builder.owedPatience;
        this.listener = builder.listener;
        this.target = new ReplicaTarget(
                database,
                new Applier.Options(builder.durable, Applier.Options.defaults().walBytes()),
                builder.force,
                upstream.address());
        target.open();
        notePosition();
        this.thread = new Thread(this::follow, "lockstep-replica-" + database.getFileName());
        thread.setDaemon(true);
    }

    /** Begins to describe a replica at {@code database} of the primary at the other end of {@code upstream}. */
    public static Builder of(Path database, Upstream upstream) {
        return new Builder(database, upstream);
    }

    /** Path of the copy. */
    public Path database() {
        return database;
    }

    /** This replica's condition now. */
    public Status status() {
        return new Status(state, position, head, receivedBytes, problem, copy);
    }

    /** Why it is REFUSED, else null. */
    public @Nullable LockstepException refusal() {
        return refusal;
    }

    /**
     * How far behind the primary readers of the copy are at most. The primary tells its head with all that it sends, and once in a second
     * when it has nothing to send.
     *
     * @return null while it has never had everything that the primary had, since this was opened
     */
    public @Nullable Duration lag() {
        return wasInStep ? Duration.ofNanos(System.nanoTime() - inStepNanos) : null;
    }

    /**
     * Waits until the replica is no further behind than {@code atMost}.
     *
     * @return false if the time passed before that
     */
    public boolean awaitLag(Duration atMost, Duration timeout) throws InterruptedException {
        long deadline = System.nanoTime() + timeout.toNanos();
        synchronized (changed) {
            while (true) {
                Duration lag = lag();
                long left = deadline - System.nanoTime();
                if (lag != null && lag.compareTo(atMost) <= 0) {
                    return true;
                } else if (left <= 0) {
                    return false;
                }
                TimeUnit.NANOSECONDS.timedWait(changed, left);
            }
        }
    }

    /**
     * Waits until readers see frame {@code frameNo}.
     *
     * @return false if the time passed, or the replica stopped for good, before that
     */
    public boolean awaitFrame(long frameNo, Duration timeout) throws InterruptedException {
        long deadline = System.nanoTime() + timeout.toNanos();
        synchronized (changed) {
            while (true) {
                Position at = position;
                long left = deadline - System.nanoTime();
                if (at != null && at.frameNo() >= frameNo) {
                    return true;
                } else if (left <= 0 || state == State.REFUSED || state == State.CLOSED) {
                    return false;
                }
                TimeUnit.NANOSECONDS.timedWait(changed, left);
            }
        }
    }

    private void follow() {
        Backoff backoff = new Backoff(System::nanoTime);
        while (!closed && refusal == null) {
            Position before = position;
            backoff.begin();
            boolean sound = attempt();
            if (!closed && refusal == null) {
                Duration delay = backoff.end(!Objects.equals(before, position), sound && state == State.FOLLOWING);
                enter(State.CONNECTING);
                pause(ThreadLocalRandom.current().nextLong(delay.toMillis()) + 1);
            }
        }
        closeTarget();
        enter(refusal == null ? State.CLOSED : State.REFUSED);
    }

    /** One session. Returns false if something went wrong on this side. */
    private boolean attempt() {
        try {
            reopen();
            session();
        } catch (LockstepException e) {
            if (e instanceof UnavailableException || mayBePassing(e)) {
                lost(e);
            } else {
                refuse(e);
            }
        } catch (InterruptedException e) {
            closed = true;
        } catch (Throwable e) { // an Error, too: nobody would see that the thread has ended
            lost(e);
            closeTarget();
            return false;
        }
        return true;
    }

    /** Whether the answer that there is nothing to follow may be somebody else's, during a restart of the primary. */
    private boolean mayBePassing(LockstepException e) {
        if (!(e instanceof UnsupportedException) || !hasFollowed) {
            return false;
        }
        long now = System.nanoTime();
        if (!denied) {
            denied = true;
            deniedSinceNanos = now;
        }
        return now - deniedSinceNanos < denialPatience.toNanos();
    }

    private void reopen() throws IOException {
        if (target.applier() == null) {
            target.open();
            notePosition();
        }
    }

    private void session() throws IOException, InterruptedException {
        Applier applier = target.applier();
        UUID id = applier == null ? fallbackId : applier.replicaId();
        try (Upstream.Connection current = upstream.connect();
                Receiver receiver = new Receiver(target, id, name, WINDOW, upstream.address())) {
            connection = current;
            current.send(receiver.hello());
            try {
                exchange(current, receiver);
            } catch (RefusedException e) {
                current.send(new Refusal(
                        e.kind().name(), e.frameNo(), e.expected(), e.found(), String.valueOf(e.getMessage())));
                throw e;
            } catch (DivergedException e) {
                current.send(new Refusal("DIVERGED", receiver.head(), "", "", String.valueOf(e.getMessage())));
                throw e;
            } finally {
                notePosition();
            }
        } finally {
            connection = null;
        }
    }

    private void exchange(Upstream.Connection current, Receiver receiver) throws IOException, InterruptedException {
        long before = receivedBytes;
        long heardNanos = System.nanoTime();
        long tendedNanos = heardNanos;
        long fedNanos = heardNanos;
        while (!closed) {
            ToReplica message = current.receive(receiver.hasBatch() ? 0 : TICK_NANOS);
            long now = System.nanoTime();
            if (message != null) {
                heardNanos = now;
                receiver.accept(message);
                head = receiver.head();
                if (heardHead < 0) {
                    heardHead = head;
                    heardHeadNanos = now;
                }
                receivedBytes = before + receiver.ack().received();
                copy = receiver.copyBytes() < 0
                        ? null
                        : new CopyProgress(receiver.ack().received(), receiver.copyBytes());
            }
            boolean flush = receiver.hasBatch() && (message == null || receiver.isBatchFull());
            if (flush) {
                receiver.flush();
            }
            noteState(receiver);
            if (!receiver.hasBatch()) {
                notePosition();
                noteInStep(receiver);
                current.send(receiver.ack());
            }
            if (message == null && now - tendedNanos >= TEND_NANOS) {
                tend();
                tendedNanos = now;
                Duration lag = lag();
                if (lag != null) {
                    tell(() -> listener.lag(lag));
                }
            }
            requireHeard(
                    now - heardNanos,
                    receiver.state() == Receiver.State.AWAITING_ANSWER ? ANSWER_NANOS : SILENCE_NANOS);
            boolean fed = message != null && !(message instanceof ToReplica.Heartbeat);
            if (fed || flush || !receiver.isOwed()) {
                fedNanos = System.nanoTime(); // only now: what came may have taken long
            } else {
                requireFed(now - fedNanos);
            }
        }
    }

    private void tend() throws IOException {
        Applier applier = target.applier();
        if (applier != null) {
            applier.tend();
        }
    }

    private void requireHeard(long silenceNanos, long limitNanos) throws UnavailableException {
        if (silenceNanos >= limitNanos) {
            throw new UnavailableException(upstream.address() + " has been silent for " + limitNanos / 1_000_000_000
                    + " s; the connection is given up and made anew");
        }
    }

    /** A head that is not true would keep a replica in doubt for ever: it waits for all that readers may have seen. */
    private void requireFed(long hungryNanos) throws UnavailableException {
        if (hungryNanos >= owedPatience.toNanos()) {
            Position at = position;
            throw new UnavailableException(upstream.address() + " says that it has frames up to " + head
                    + ", and for " + owedPatience.toSeconds() + " s has sent none of those after "
                    + (at == null ? "the beginning" : at.frameNo())
                    + "; the connection is given up and made anew. If this goes on, verify the primary's log");
        }
    }

    private void noteState(Receiver receiver) {
        switch (receiver.state()) {
            case COPYING, MENDING -> enter(State.COPYING);
            case REDOING, FOLLOWING -> enter(State.FOLLOWING);
            case AWAITING_ANSWER, ENDED -> {}
        }
    }

    private void enter(State next) {
        if (state != next) {
            synchronized (changed) {
                state = next;
                changed.notifyAll();
            }
            if (next == State.FOLLOWING) {
                problem = null;
                hasFollowed = true;
                denied = false;
            }
            logger.debug("{}: {}", database, next);
            tell(() -> listener.stateChanged(next, problem));
        }
    }

    private void notePosition() {
        Applier applier = target.applier();
        if (applier != null) {
            CommitRecord visible = applier.visible();
            Position now = position;
            if (now == null || now.frameNo() != visible.frameNo() || now.checksum() != visible.checksum()) {
                Position next = new Position(applier.logId(), visible.frameNo(), visible.checksum());
                synchronized (changed) {
                    position = next;
                    changed.notifyAll();
                }
                tell(() -> listener.applied(next));
            }
        }
    }

    /** Under load the head is always ahead; so one head is kept until the copy has reached it: so fresh is the copy then. */
    private void noteInStep(Receiver receiver) {
        if (receiver.state() == Receiver.State.FOLLOWING && heardHead >= 0 && target.applied() >= heardHead) {
            synchronized (changed) {
                inStepNanos = heardHeadNanos;
                wasInStep = true;
                changed.notifyAll();
            }
            heardHead = -1;
        }
    }

    private void tell(Runnable what) {
        try {
            what.run();
        } catch (RuntimeException | Error e) {
            logger.warn("{}: the listener failed", database, e);
        }
    }

    private void refuse(LockstepException e) {
        logger.error("{}: stopped: {}", database, e.getMessage());
        refusal = e;
        problem = e.getMessage();
        tell(() -> listener.stopped(e));
    }

    private void lost(Throwable e) {
        if (!closed) {
            boolean usual = e instanceof IOException && e.getMessage() != null;
            String reason = usual ? e.getMessage() : e.toString();
            problem = reason;
            logger.info("{}: {}; trying again", database, reason);
            logger.atLevel(usual ? Level.DEBUG : Level.ERROR).setCause(e).log("where the session failed");
        }
    }

    private void closeTarget() {
        try {
            target.close();
        } catch (IOException | RuntimeException | Error e) {
            logger.warn("{}: could not be closed in order: {}", database, e.getMessage(), e);
        }
    }

    private void pause(long millis) {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        synchronized (changed) {
            try {
                for (long left = deadline - System.nanoTime();
                        !closed && left > 0;
                        left = deadline - System.nanoTime()) {
                    TimeUnit.NANOSECONDS.timedWait(changed, left);
                }
            } catch (InterruptedException e) {
                closed = true;
            }
        }
    }

    /**
     * Ends the session and lets go of the copy, which stays readable. What was received whole is applied before. A listener may call this;
     * then the end comes once it has returned.
     */
    @Override
    public void close() {
        closed = true;
        synchronized (changed) {
            changed.notifyAll();
        }
        Upstream.Connection current = connection;
        if (current != null) {
            current.close();
        }
        if (Thread.currentThread() == thread) {
            return; // a listener closes it, and the thread ends once that has returned
        }
        try {
            thread.join(CLOSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Options of a replica, with defaults. Not thread-safe. */
    public static final class Builder {

        private final Path database;
        private final Upstream upstream;
        private String name;
        private boolean force;
        private boolean durable;
        private Duration denialPatience = DENIAL_PATIENCE;
        private Duration owedPatience = OWED_PATIENCE;
        private Listener listener = new Listener() {};

        private Builder(Path database, Upstream upstream) {
            this.database = RealPath.of(database);
            this.upstream = upstream;
            this.name = hostName() + ":" + this.database.getFileName();
        }

        private static String hostName() {
            try {
                return InetAddress.getLocalHost().getHostName();
            } catch (IOException e) {
                return "unnamed";
            }
        }

        /** What people call it in the primary's status; by default host and file name. */
        public Builder name(String value) {
            name = value;
            return this;
        }

        /** Whether a first copy replaces whatever is at the path (G10). */
        public Builder force(boolean on) {
            force = on;
            return this;
        }

        /** Whether each transaction is made durable here before readers see it; otherwise a loss of power costs fetching some again. */
        public Builder durable(boolean on) {
            durable = on;
            return this;
        }

        /** For tests, which cannot wait for minutes. */
        Builder denialPatience(Duration value) {
            denialPatience = value;
            return this;
        }

        /** For tests, which cannot wait for minutes. */
        Builder owedPatience(Duration value) {
            owedPatience = value;
            return this;
        }

        /** Who is told what happens. */
        public Builder listener(Listener value) {
            listener = value;
            return this;
        }

        /**
         * Starts to follow.
         *
         * @throws NotAReplicaException if something else than a replica is at the path; it is untouched
         * @throws UnavailableException if another process follows with this copy, or has open what is to be replaced
         */
        public Replica open() throws IOException {
            Replica replica = new Replica(this);
            replica.thread.start();
            return replica;
        }
    }
}
