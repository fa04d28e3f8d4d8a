package dev.lockstep.cli;

import dev.lockstep.LockstepException;
import dev.lockstep.Position;
import dev.lockstep.Replica;
import dev.lockstep.UnavailableException;
import dev.lockstep.apply.ReplicaSummary;
import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Watches a replica in this process and shows how it is getting on, until it is told to stop, stops by itself, or has caught up.
 * Used by one thread.
 */
final class Follower {

    private static final Duration REFRESH = Duration.ofMillis(200);

    /** How often to look whether the primary has answered. */
    private static final Duration ANSWER = Duration.ofMillis(20);

    /** For what is in the way of a replica that is to catch up once. */
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    /** As good as none, and no overflow when it is counted in nanoseconds. */
    private static final Duration ENDLESS = Duration.ofNanos(Long.MAX_VALUE);

    private final Terminal terminal;
    private final Stop stop;
    private final Replica replica;
    private final String source;
    private final Meter meter = new Meter();
    private final long began = System.nanoTime();
    private long equalNanos = began;
    private Replica.State reported = Replica.State.CONNECTING;
    private @Nullable String problem;
    private boolean copyReported;

    /** @param source names the primary */
    Follower(Terminal terminal, Stop stop, Replica replica, String source) {
        this.terminal = terminal;
        this.stop = stop;
        this.replica = replica;
        this.source = source;
    }

    /**
     * Follows until it is told to stop, whatever keeps it from the primary meanwhile.
     *
     * @return false
     * @throws LockstepException why the replica stopped for good
     */
    boolean untilStopped() throws IOException {
        return follow(Long.MAX_VALUE, new Patience(ENDLESS));
    }

    /**
     * Follows until the primary has let the replica in and readers see the frame.
     *
     * @return false if it was told to stop before that
     * @throws LockstepException why the replica stopped for good
     * @throws UnavailableException if something has been in the way for {@link #PATIENCE}
     */
    boolean upTo(long frameNo) throws IOException {
        return follow(frameNo, new Patience(PATIENCE));
    }

    private boolean follow(long frameNo, Patience patience) throws IOException {
        try {
            while (!stop.isRequested()) {
                // A replica that is there already may be one of another primary: only an answer of this one tells.
                boolean admitted = replica.status().head() >= 0;
                boolean reached =
                        admitted ? replica.awaitFrame(frameNo, REFRESH) : replica.awaitFrame(Long.MAX_VALUE, ANSWER);
                Replica.Status status = replica.status();
                show(status);
                LockstepException refusal = replica.refusal();
                if (refusal != null) {
                    noting(() -> note(refusal));
                    throw refusal;
                }
                if (reached) {
                    return true;
                }
                if (patience.isOver(status, System.nanoTime())) {
                    throw new UnavailableException(status.problem() + "; given up after " + PATIENCE.toSeconds()
                            + " s without progress, because of --once: without it this goes on trying");
                }
            }
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } finally {
            terminal.clear();
        }
    }

    long millis() {
        return (System.nanoTime() - began) / 1_000_000;
    }

    private void show(Replica.Status status) {
        reportChange(status);
        terminal.show(line(status));
    }

    private void reportChange(Replica.Status status) {
        if (status.problem() != null && !status.problem().equals(problem) && replica.refusal() == null) {
            terminal.report(replica.database() + ": " + status.problem() + "; trying again");
        }
        problem = status.problem();
        if (status.state() == reported) {
            return;
        }
        reported = status.state();
        if (reported == Replica.State.COPYING && !copyReported) {
            copyReported = true;
            terminal.report(replica.database() + ": copying from " + source);
        } else if (reported == Replica.State.FOLLOWING) {
            noting(() -> RefusalNote.remove(replica.database()));
            Position position = status.position();
            terminal.report(replica.database() + ": following " + source
                    + (position == null ? "" : " from frame " + Formats.count(position.frameNo())));
        }
    }

    private String line(Replica.Status status) {
        long now = System.nanoTime();
        double speed = meter.sample(now, status.receivedBytes());
        Position position = status.position();
        long at = position == null ? -1 : position.frameNo();
        long behind = Math.max(0, status.head() - at);
        if (behind == 0) {
            equalNanos = now;
        }
        Replica.CopyProgress copy = status.copy();
        if (status.state() == Replica.State.COPYING && copy != null) {
            return Bar.line("copying", terminal.columns(), copy.receivedBytes(), copy.pageBytes(), speed);
        }
        if (status.state() != Replica.State.FOLLOWING) {
            return "connecting to " + source + (position == null ? "" : "   at frame " + Formats.count(at));
        }
        return String.format(
                "following  frame %s   %s   lag %s, %s",
                Formats.count(at),
                Formats.perSecond(speed),
                Formats.count(behind, "frame"),
                Formats.duration((now - equalNanos) / 1_000_000));
    }

    private interface Noting {
        void run() throws IOException;
    }

    /** What becomes of the note changes nothing about the replica, so a failure of it is told and no more. */
    private void noting(Noting action) {
        try {
            action.run();
        } catch (IOException e) {
            terminal.report("the note for 'lockstep status' could not be changed: " + e);
        }
    }

    /** Only beside what is a replica: no file is to appear beside a database that is none of ours. */
    private void note(LockstepException refusal) throws IOException {
        if (ReplicaSummary.exists(replica.database())) {
            RefusalNote.write(
                    replica.database(),
                    new RefusalNote(
                            System.currentTimeMillis(), ExitCode.of(refusal), String.valueOf(refusal.getMessage())));
        }
    }
}
