package dev.lockstep.server.libsql;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lockstep.Primary;
import dev.lockstep.server.LockstepServer;
import dev.lockstep.server.Node;
import dev.lockstep.server.sql.SqlLimits;
import dev.lockstep.testing.Sqlite3;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Embedded replicas of libSQL's clients pass their writes on; the cases are in src/test/js. */
class ForwardingTest {

    @TempDir
    static Path directory;

    private static Primary primary;
    private static LockstepServer server;

    @BeforeAll
    static void serve() throws IOException {
        primary = Primary.of(directory.resolve("app.db")).open();
        server = LockstepServer.builder()
                .listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .database(primary)
                .sql(SqlLimits.defaults())
                .start();
    }

    @AfterAll
    static void stop() throws Exception {
        server.close();
        primary.close();
        assertThat(Sqlite3.run(directory.resolve("app.db"), "PRAGMA integrity_check;"))
                .isEqualTo("ok");
    }

    private static String url() {
        return "http://127.0.0.1:" + server.port();
    }

    @Test
    void theNativeClientWritesThroughItsPrimaryAndReadsItsWrites() throws Exception {
        Path copy = directory.resolve("copy.db");
        assertThat(Node.run("forwarding.mjs", copy.toString(), url())).endsWith("all well\n");
    }

    @Test
    void theTypescriptClientDoesAllItCanAsAnEmbeddedReplica() throws Exception {
        assertThat(Node.run("replica.mjs", directory.toString(), url())).endsWith("all well\n");
    }
}
