package dev.lockstep.server.hrana;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.lockstep.server.Node;
import dev.lockstep.server.sql.SqlLimits;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** libSQL's remote clients, unmodified, against the endpoints; the cases are in src/test/js. */
class ClientTest {

    @TempDir
    private Path directory;

    private Served served;

    @BeforeEach
    void start() throws Exception {
        served = Served.start(directory, Limits.defaults(), SqlLimits.defaults());
    }

    @AfterEach
    void stop() throws Exception {
        assertThat(served.hrana().openStreams())
                .as("streams that were left open")
                .isZero();
        served.close();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "values",
                "intMode",
                "args",
                "execute",
                "batch",
                "transaction",
                "multiple",
                "migrate",
                "errors",
                "big",
                "contended",
                "parallel"
            })
    void overHttp(String name) throws Exception {
        run(name, served.url());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "values",
                "intMode",
                "args",
                "execute",
                "batch",
                "transaction",
                "multiple",
                "migrate",
                "errors",
                "big",
                "contended",
                "parallel"
            })
    void overWebSocket(String name) throws Exception {
        run(name, served.url().replace("http:", "ws:"));
    }

    private void restart(Limits limits, SqlLimits sqlLimits) throws Exception {
        served.close();
        served = Served.start(directory, limits, sqlLimits);
    }

    /** The clients of version 3 do not close their streams. */
    private void leavesStreamsOpen(String script) throws Exception {
        restart(Limits.defaults().withIdle(Duration.ofSeconds(3)), SqlLimits.defaults());
        assertThat(Node.run(script, served.url())).contains("passed");
        await().atMost(Duration.ofSeconds(20)).until(() -> served.hrana().openStreams() == 0);
    }

    private void run(String name, String url) throws Exception {
        assertThat(Node.run("remote.mjs", name, url)).contains("passed " + name);
        await().atMost(Duration.ofSeconds(20)).until(() -> served.hrana().openStreams() == 0);
    }

    @ParameterizedTest
    @ValueSource(strings = {"http", "ws"})
    void aTransactionThatIdlesOrLastsTooLongIsRolledBack(String scheme) throws Exception {
        restart(
                Limits.defaults(),
                SqlLimits.defaults().withTransactions(Duration.ofMillis(500), Duration.ofSeconds(2)));
        run("timeout", served.url().replace("http", scheme));
    }

    @Test
    void aWebSocketClientThatIsKilledLosesItsTransactionAtOnce() throws Exception {
        served.pipeline(Served.execute("CREATE TABLE gone (v)") + ",{\"type\":\"close\"}");
        Process client = Node.builder("remote.mjs", "vanish", served.url().replace("http:", "ws:"))
                .start();
        try (BufferedReader out =
                new BufferedReader(new InputStreamReader(client.getInputStream(), StandardCharsets.UTF_8))) {
            assertThat(out.readLine()).isEqualTo("begun");
            assertThat(served.hrana().openStreams()).isEqualTo(1);
            client.destroyForcibly();
            await().until(() -> served.hrana().openStreams() == 0);
        }
        assertThat(served.query("SELECT count(*) FROM gone")).isEqualTo("0");
    }

    @Test
    void theNativeClientWorksOverHttp() throws Exception {
        leavesStreamsOpen("native.mjs");
    }

    @Test
    void theServerlessClientWorks() throws Exception {
        leavesStreamsOpen("serverless.mjs");
    }
}
