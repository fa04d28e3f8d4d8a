package dev.lockstep.cli;

import dev.lockstep.LockstepException;
import dev.lockstep.Position;
import dev.lockstep.Replica;
import dev.lockstep.apply.ReplicaSummary;
import java.io.IOException;
import java.time.Duration;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Watches a replica in this process and shows how it is getting on, until it is told to stop, stops by itself, or has caught up.
 * Used by one thread.
 */
final class Follower {

    private static final Duration REFRESH = Duration.ofMillis(200);

    private final Terminal terminal;
    private final Stop stop;
    private final Replica replica;
    private final String source;
    private final LongSupplier head;
    private final Meter meter = new Meter();
    private final long began = System.nanoTime();
    private long equalNanos = began;
    private Replica.State reported = Replica.State.CONNECTING;
    private @Nullable String problem;

    /**
     * @param source names the primary
     * @param head the primary's last frame, as far as known
     */
    Follower(Terminal terminal, Stop stop, Replica replica, String source, LongSupplier head) {
        this.terminal = terminal;
        this.stop = stop;
        this.replica = replica;
        this.source = source;
        this.head = head;
    }

    /** Follows until it is told to stop. */
    void untilStopped() throws IOException {
        upTo(Long.MAX_VALUE);
    }

    /**
     * Follows until readers see the frame.
     *
     * @return false if it was told to stop before that
     * @throws LockstepException why the replica stopped for good
     */
    boolean upTo(long frameNo) throws IOException {
        try {
            while (!stop.isRequested()) {
                boolean reached = replica.awaitFrame(frameNo, REFRESH);
                show();
                LockstepException refusal = replica.refusal();
                if (refusal != null) {
                    note(refusal);
                    throw refusal;
                }
                if (reached) {
                    return true;
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

    private void show() throws IOException {
        Replica.Status status = replica.status();
        reportChange(status);
        terminal.show(line(status));
    }

    private void reportChange(Replica.Status status) throws IOException {
        if (status.problem() != null
                && !status.problem().equals(problem)
                && status.state() == Replica.State.CONNECTING) {
            terminal.report(replica.database() + ": " + status.problem() + "; trying again");
        }
        problem = status.problem();
        if (status.state() == reported) {
            return;
        }
        reported = status.state();
        if (reported == Replica.State.COPYING) {
            terminal.report(replica.database() + ": copying from " + source);
        } else if (reported == Replica.State.FOLLOWING) {
            RefusalNote.remove(replica.database());
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
        long behind = Math.max(0, head.getAsLong() - at);
        if (behind == 0) {
            equalNanos = now;
        }
        String state = status.state().name().toLowerCase(java.util.Locale.ROOT);
        if (status.state() == Replica.State.COPYING) {
            return String.format(
                    "%-10s  %s received   %s", state, Formats.bytes(status.receivedBytes()), Formats.perSecond(speed));
        }
        return String.format(
                "%-10s  frame %s   %s   lag %s, %s",
                state,
                Formats.count(at),
                Formats.perSecond(speed),
                Formats.count(behind, "frame"),
                Formats.duration((now - equalNanos) / 1_000_000));
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
