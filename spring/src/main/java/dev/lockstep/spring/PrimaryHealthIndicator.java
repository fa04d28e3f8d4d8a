package dev.lockstep.spring;

import dev.lockstep.Primary;
import org.springframework.boot.health.contributor.AbstractHealthIndicator;
import org.springframework.boot.health.contributor.Health;

/** Down when commits do not reach the log, with the reason; applications can go on writing nevertheless. */
final class PrimaryHealthIndicator extends AbstractHealthIndicator {

    private final Primary primary;

    PrimaryHealthIndicator(Primary primary) {
        this.primary = primary;
    }

    @Override
    protected void doHealthCheck(Health.Builder health) {
        Primary.Status status = primary.status();
        health.status(status.state() == Primary.State.CAPTURING ? "UP" : "DOWN")
                .withDetail("database", status.database().toString())
                .withDetail("state", status.state())
                .withDetail("frame", status.head().frameNo())
                .withDetail("durableFrame", status.durable().frameNo());
        if (status.failure() != null) {
            health.withDetail("failure", status.failure());
        }
    }
}
