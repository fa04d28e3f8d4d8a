package dev.lockstep.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lockstep.Primary;
import dev.lockstep.server.LockstepServer;
import dev.lockstep.server.sql.SqlLimits;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The same statements show the same on plain sqlite-jdbc, a primary, a replica and a remote connection. */
@TestInstance(Lifecycle.PER_CLASS)
class SameEverywhereTest {

    @TempDir
    static Path directory;

    private final List<AutoCloseable> opened = new ArrayList<>();
    private String replicaUrl = "";
    private String remoteUrl = "";

    @BeforeAll
    void serve() throws Exception {
        replicaUrl = "jdbc:lockstep:" + directory.resolve("replica.db") + "?linger=0ms&primary=" + serve("a");
        remoteUrl = "jdbc:lockstep:" + serve("b");
    }

    private String serve(String name) throws Exception {
        Primary primary = Primary.of(directory.resolve(name + ".db")).open();
        LockstepServer server = LockstepServer.builder()
                .listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .database(primary)
                .sql(SqlLimits.defaults())
                .start();
        opened.add(server);
        opened.add(primary);
        return "http://127.0.0.1:" + server.port() + "/" + name;
    }

    @AfterAll
    void close() throws Exception {
        for (AutoCloseable one : opened) {
            one.close();
        }
    }

    static Stream<Arguments> all() {
        return Scenarios.ALL.keySet().stream()
                .flatMap(scenario ->
                        Stream.of("primary", "replica", "remote").map(kind -> Arguments.of(kind, scenario)));
    }

    @ParameterizedTest(name = "{0}: {1}")
    @MethodSource("all")
    void showsTheSame(String kind, String scenario) throws Exception {
        String plain = "jdbc:sqlite:" + directory.resolve("plain-" + kind + "-" + scenario.replace(' ', '-') + ".db");
        List<String> expected = play(plain, scenario);
        List<String> actual = play(url(kind), scenario);
        for (int line = 0; line < Math.min(actual.size(), expected.size()); line++) {
            assertThat(actual.get(line)).as("line " + line).isEqualTo(expected.get(line));
        }
        assertThat(actual).hasSameSizeAs(expected);
    }

    private String url(String kind) {
        return switch (kind) {
            case "primary" -> "jdbc:lockstep:" + directory.resolve("primary.db") + "?linger=0ms";
            case "replica" -> replicaUrl;
            default -> remoteUrl;
        };
    }

    private static List<String> play(String url, String scenario) throws Exception {
        Transcript transcript = new Transcript();
        try (Connection connection = DriverManager.getConnection(url)) {
            Objects.requireNonNull(Scenarios.ALL.get(scenario)).play(connection, transcript);
        }
        return transcript.lines();
    }
}
