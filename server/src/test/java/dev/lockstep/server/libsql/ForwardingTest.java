package dev.lockstep.server.libsql;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lockstep.Primary;
import dev.lockstep.server.LockstepServer;
import dev.lockstep.server.Node;
import dev.lockstep.server.sql.SqlLimits;
import dev.lockstep.testing.Sqlite3;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** npm libsql's embedded replica passes its writes on. */
class ForwardingTest {

    @TempDir
    Path directory;

    @Test
    void anEmbeddedReplicaWritesThroughItsPrimaryAndReadsItsWrites() throws Exception {
        Path database = directory.resolve("app.db");
        try (Primary primary = Primary.of(database).open();
                LockstepServer server = LockstepServer.builder()
                        .listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                        .database(primary)
                        .sql(SqlLimits.defaults())
                        .start()) {
            String printed = Node.run(
                    "forwarding.mjs", directory.resolve("copy.db").toString(), "http://127.0.0.1:" + server.port());
            assertThat(printed).endsWith("all well\n");
        }
        assertThat(Sqlite3.run(database, "PRAGMA integrity_check;")).isEqualTo("ok");
    }
}
