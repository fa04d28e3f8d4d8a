package dev.lockstep.spring;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lockstep.LocalUpstream;
import dev.lockstep.Primary;
import dev.lockstep.Replica;
import dev.lockstep.server.LockstepServer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** docs/spring.md knows everything that is there. */
class ManualTest {

    @TempDir
    Path directory;

    private String manual = "";

    @BeforeEach
    void read() throws Exception {
        manual = Files.readString(Path.of("..", "docs", "spring.md"));
    }

    @Test
    void itListsEveryProperty() throws Exception {
        JsonNode metadata = new ObjectMapper()
                .readTree(Path.of("target", "classes", "META-INF", "spring-configuration-metadata.json")
                        .toFile())
                .path("properties");
        assertThat(metadata.findValuesAsText("name")).contains("lockstep.database");
        for (JsonNode property : metadata) {
            if (property.path("name").asText().startsWith("lockstep.")) {
                assertThat(manual).contains("| `" + property.path("name").asText());
                assertThat(property.path("description").asText()).isNotEmpty();
            }
        }
    }

    @Test
    void itListsEveryMetric() throws Exception {
        SimpleMeterRegistry registry = new SimpleMeterRegistry();
        try (Primary primary = Primary.of(directory.resolve("app.db")).open();
                LocalUpstream upstream = new LocalUpstream(primary);
                Replica replica =
                        Replica.of(directory.resolve("copy.db"), upstream).open();
                LockstepServer server = LockstepServer.builder()
                        .listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                        .database(primary)
                        .start()) {
            new PrimaryMetrics(primary, server).bindTo(registry);
            new ReplicaMetrics(replica).bindTo(registry);
            assertThat(registry.getMeters())
                    .hasSizeGreaterThan(10)
                    .allSatisfy(meter ->
                            assertThat(manual).contains("`" + meter.getId().getName() + "`"));
        }
    }
}
