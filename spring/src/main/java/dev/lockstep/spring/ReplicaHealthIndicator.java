package dev.lockstep.spring;

import dev.lockstep.Position;
import dev.lockstep.Replica;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.health.contributor.AbstractHealthIndicator;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.Status;

/**
 * Down when the replica has stopped for good, with the reason; out of service before its first copy is there, and while it lags more than it
 * may. A replica that only lost its primary is up: it goes on answering.
 */
final class ReplicaHealthIndicator extends AbstractHealthIndicator {

    private final Replica replica;
    private final @Nullable Duration maxLag;

    ReplicaHealthIndicator(Replica replica, @Nullable Duration maxLag) {
        this.replica = replica;
        this.maxLag = maxLag;
    }

    @Override
    protected void doHealthCheck(Health.Builder health) {
        Replica.Status status = replica.status();
        Duration lag = replica.lag();
        health.status(status(status, lag))
                .withDetail("database", replica.database().toString())
                .withDetail("state", status.state())
                .withDetail("connected", isConnected(status.state()))
                .withDetail("primaryFrame", status.head());
        Position position = status.position();
        if (position != null) {
            health.withDetail("frame", position.frameNo());
        }
        if (lag != null) {
            health.withDetail("lagMillis", lag.toMillis());
        }
        if (status.problem() != null) {
            health.withDetail("problem", status.problem());
        }
    }

    private Status status(Replica.Status replicaStatus, @Nullable Duration lag) {
        return switch (replicaStatus.state()) {
            case REFUSED, CLOSED -> Status.DOWN;
            case CONNECTING, COPYING, FOLLOWING ->
                replicaStatus.position() == null || isStale(lag) ? Status.OUT_OF_SERVICE : Status.UP;
        };
    }

    private boolean isStale(@Nullable Duration lag) {
        return maxLag != null && (lag == null || lag.compareTo(maxLag) > 0);
    }

    private static boolean isConnected(Replica.State state) {
        return state == Replica.State.COPYING || state == Replica.State.FOLLOWING;
    }
}
