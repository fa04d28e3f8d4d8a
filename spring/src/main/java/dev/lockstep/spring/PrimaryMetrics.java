package dev.lockstep.spring;

import dev.lockstep.Primary;
import dev.lockstep.server.LockstepServer;
import dev.lockstep.server.ServerStatus;
import dev.lockstep.stream.ReplicaStatus;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.TimeGauge;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Gauges {@code lockstep.primary.*}, as docs/spring.md lists them. */
final class PrimaryMetrics implements MeterBinder {

    private final Primary primary;
    private final @Nullable LockstepServer server;

    /** @param server that serves the primary; null if it does not listen */
    PrimaryMetrics(Primary primary, @Nullable LockstepServer server) {
        this.primary = primary;
        this.server = server;
    }

    @Override
    public void bindTo(MeterRegistry registry) {
        Tags tags = Tags.of("database", primary.name());
        gauge(
                registry,
                tags,
                "capturing",
                "1 while commits reach the log, else 0",
                status -> status.state() == Primary.State.CAPTURING ? 1 : 0);
        gauge(
                registry,
                tags,
                "frame",
                "last frame captured",
                status -> status.head().frameNo());
        gauge(
                registry,
                tags,
                "frame.durable",
                "last frame that is on disk in the log",
                status -> status.durable().frameNo());
        gauge(
                registry,
                tags,
                "wal.frames",
                "committed frames in SQLite's WAL",
                status -> status.wal().walFrames());
        gauge(
                registry,
                tags,
                "wal.frames.uncopied",
                "of these, not in the database file yet",
                status -> status.wal().uncopiedFrames());
        gauge(
                registry,
                tags,
                "checkpoints.postponed",
                "checkpoints in a row that readers kept from finishing",
                status -> status.wal().checkpointsPostponed());
        Gauge.builder("lockstep.primary.log", primary, p -> p.log().extent().bytes())
                .description("frames kept in the log")
                .baseUnit("bytes")
                .tags(tags)
                .register(registry);
        LockstepServer serving = server;
        if (serving != null) {
            bindReplicas(serving, registry, tags);
        }
    }

    private static void bindReplicas(LockstepServer server, MeterRegistry registry, Tags tags) {
        Gauge.builder("lockstep.primary.replicas", server, s -> replicas(s).count())
                .description("replicas connected")
                .tags(tags)
                .register(registry);
        Gauge.builder(
                        "lockstep.primary.replicas.lag.frames",
                        server,
                        s -> replicas(s)
                                .mapToLong(ReplicaStatus::lagFrames)
                                .max()
                                .orElse(0))
                .description("frames that the slowest replica has not applied")
                .tags(tags)
                .register(registry);
        TimeGauge.builder(
                        "lockstep.primary.replicas.lag",
                        server,
                        TimeUnit.MILLISECONDS,
                        s -> replicas(s)
                                .mapToLong(ReplicaStatus::lagMillis)
                                .max()
                                .orElse(0))
                .description("age of the oldest transaction that a replica was sent and has not applied")
                .tags(tags)
                .register(registry);
        Gauge.builder(
                        "lockstep.primary.refusals",
                        server,
                        s -> databases(s)
                                .mapToLong(database -> database.refusals().size())
                                .sum())
                .description("replicas that stopped for good or were turned away, of those remembered")
                .tags(tags)
                .register(registry);
    }

    private static Stream<ReplicaStatus> replicas(LockstepServer server) {
        return databases(server).map(ServerStatus.Database::replicas).flatMap(List::stream);
    }

    private static Stream<ServerStatus.Database> databases(LockstepServer server) {
        return server.status().databases().stream();
    }

    private void gauge(
            MeterRegistry registry,
            Tags tags,
            String name,
            String description,
            ToDoubleFunction<Primary.Status> value) {
        Gauge.builder("lockstep.primary." + name, primary, p -> value.applyAsDouble(p.status()))
                .description(description)
                .tags(tags)
                .register(registry);
    }
}
