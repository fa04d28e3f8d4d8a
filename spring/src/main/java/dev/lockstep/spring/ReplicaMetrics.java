package dev.lockstep.spring;

import dev.lockstep.Position;
import dev.lockstep.Replica;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.TimeGauge;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;

/** Gauges {@code lockstep.replica.*}, as docs/spring.md lists them. */
final class ReplicaMetrics implements MeterBinder {

    private final Replica replica;

    ReplicaMetrics(Replica replica) {
        this.replica = replica;
    }

    @Override
    public void bindTo(MeterRegistry registry) {
        Tags tags = Tags.of("database", String.valueOf(replica.database().getFileName()));
        gauge(
                registry,
                tags,
                "following",
                "1 while it follows the primary, else 0",
                status -> status.state() == Replica.State.FOLLOWING ? 1 : 0);
        gauge(
                registry,
                tags,
                "refused",
                "1 when it has stopped for good, else 0",
                status -> status.state() == Replica.State.REFUSED ? 1 : 0);
        gauge(registry, tags, "frame", "last frame that readers see", ReplicaMetrics::frame);
        gauge(registry, tags, "frame.primary", "last frame that the primary said it has", Replica.Status::head);
        gauge(
                registry,
                tags,
                "lag.frames",
                "frames of the primary that readers do not see",
                status -> Math.max(0, status.head() - frame(status)));
        TimeGauge.builder("lockstep.replica.lag", replica, TimeUnit.NANOSECONDS, ReplicaMetrics::lagNanos)
                .description("how far behind the primary readers are at most; NaN before it was in step")
                .tags(tags)
                .register(registry);
        FunctionCounter.builder(
                        "lockstep.replica.received", replica, r -> r.status().receivedBytes())
                .description("frames and pages received")
                .baseUnit("bytes")
                .tags(tags)
                .register(registry);
    }

    private static long frame(Replica.Status status) {
        Position position = status.position();
        return position == null ? -1 : position.frameNo();
    }

    private static double lagNanos(Replica replica) {
        Duration lag = replica.lag();
        return lag == null ? Double.NaN : lag.toNanos();
    }

    private void gauge(
            MeterRegistry registry,
            Tags tags,
            String name,
            String description,
            ToDoubleFunction<Replica.Status> value) {
        Gauge.builder("lockstep.replica." + name, replica, r -> value.applyAsDouble(r.status()))
                .description(description)
                .tags(tags)
                .register(registry);
    }
}
