package dev.lockstep.cli;

import dev.lockstep.Position;
import dev.lockstep.Replica;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How long a replica may be kept from its primary before it is given up. Only what readers see to move on renews it: with a full disk, say,
 * a replica follows for a moment again and again. Not thread-safe.
 */
final class Patience {

    private final long limitNanos;
    private @Nullable Position position;
    private boolean inTheWay;
    private long sinceNanos;

    Patience(Duration limit) {
        limitNanos = limit.toNanos();
    }

    /** Takes notice of the replica's status at {@code nowNanos}. */
    boolean isOver(Replica.Status status, long nowNanos) {
        if (!Objects.equals(status.position(), position)) {
            position = status.position();
            inTheWay = false;
        }
        if (status.problem() == null || status.state() != Replica.State.CONNECTING) {
            return false;
        }
        if (!inTheWay) {
            inTheWay = true;
            sinceNanos = nowNanos;
        }
        return nowNanos - sinceNanos >= limitNanos;
    }
}
