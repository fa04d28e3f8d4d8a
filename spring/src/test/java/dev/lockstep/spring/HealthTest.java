package dev.lockstep.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.lockstep.LocalUpstream;
import dev.lockstep.Primary;
import dev.lockstep.Replica;
import dev.lockstep.stream.ToReplica;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.boot.health.contributor.Status;

/** What is said of a primary or replica that does not do what it should. */
class HealthTest {

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @TempDir
    Path directory;

    private static Health health(HealthIndicator indicator) {
        return Objects.requireNonNull(indicator.health());
    }

    private static Health health(Replica replica, @Nullable Duration maxLag) {
        return health(new ReplicaHealthIndicator(replica, maxLag));
    }

    @Test
    void aPrimaryThatCannotCaptureIsDownWithTheReason() throws IOException {
        Path database = directory.resolve("app.db");
        try (Primary primary = Primary.of(database).open()) {
            HealthIndicator indicator = new PrimaryHealthIndicator(primary);
            assertThat(health(indicator).getStatus()).isEqualTo(Status.UP);
            Files.move(database, directory.resolve("elsewhere.db"));
            Files.writeString(database, "no database");
            await().atMost(PATIENCE).until(() -> health(indicator).getStatus().equals(Status.DOWN));
            assertThat(String.valueOf(health(indicator).getDetails().get("failure")))
                    .contains(database.toString());
        }
    }

    @Test
    void aReplicaIsOutOfServiceBeforeItsFirstCopyAndWhileItLagsTooMuchAndDownWhenItHasDiverged() throws Exception {
        try (Primary primary = Primary.of(directory.resolve("app.db")).open();
                LocalUpstream upstream = new LocalUpstream(primary)) {
            upstream.through(
                    message -> new ToReplica.Refused(ToReplica.Refused.Reason.UNAVAILABLE, "", "", "come again later"));
            try (Replica replica =
                    Replica.of(directory.resolve("copy.db"), upstream).open()) {
                await().atMost(PATIENCE)
                        .until(() -> health(replica, null).getDetails().containsKey("problem"));
                assertThat(health(replica, null).getStatus()).isEqualTo(Status.OUT_OF_SERVICE);

                upstream.through(message -> message);
                assertThat(replica.awaitLag(PATIENCE, PATIENCE)).isTrue();
                assertThat(health(replica, PATIENCE).getStatus()).isEqualTo(Status.UP);
                assertThat(health(replica, Duration.ZERO).getStatus()).isEqualTo(Status.OUT_OF_SERVICE);

                upstream.through(message ->
                        new ToReplica.Refused(ToReplica.Refused.Reason.DIVERGED, "a", "b", "the histories differ"));
                await().atMost(PATIENCE).until(() -> replica.status().state() == Replica.State.REFUSED);
                Health diverged = health(replica, null);
                assertThat(diverged.getStatus()).isEqualTo(Status.DOWN);
                assertThat(diverged.getDetails()).containsEntry("connected", false);
                assertThat(String.valueOf(diverged.getDetails().get("problem"))).contains("the histories differ");
                assertThat(metric(replica, "lockstep.replica.refused")).isOne();
            }
        }
    }

    private static double metric(Replica replica, String name) {
        SimpleMeterRegistry registry = new SimpleMeterRegistry();
        new ReplicaMetrics(replica).bindTo(registry);
        return registry.get(name).gauge().value();
    }
}
