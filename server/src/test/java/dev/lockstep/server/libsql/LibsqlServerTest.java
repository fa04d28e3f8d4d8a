package dev.lockstep.server.libsql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.lockstep.Replica;
import dev.lockstep.sqlite.SqliteConnections;
import dev.lockstep.testing.LibsqlServer;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A replica of ours follows libSQL's own server, across its restart and ours. */
class LibsqlServerTest {

    private static final Duration LIMIT = Duration.ofSeconds(30);

    @TempDir
    Path directory;

    @Test
    void aReplicaFollowsLibsqlsOwnServer() throws Exception {
        LibsqlServer server = LibsqlServer.start(directory);
        try {
            server.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v)");
            server.execute("INSERT INTO t(v) VALUES (zeroblob(300000))");
            try (LibsqlPrimary primary = follow(server, true);
                    Replica replica = Replica.of(copy(), primary).open()) {
                awaitRows(1);
                server.execute("INSERT INTO t(v) VALUES (2)");
                awaitRows(2);
                assertThat(replica.status().state()).isEqualTo(Replica.State.FOLLOWING);
            }
            server = server.restart(directory);
            server.execute("INSERT INTO t(v) VALUES (3)");
            try (LibsqlPrimary primary = follow(server, false);
                    Replica replica = Replica.of(copy(), primary).open()) {
                awaitRows(3);
                assertThat(replica.status().problem()).isNull();
            }
            assertThat(ask("PRAGMA integrity_check")).isEqualTo("ok");
        } finally {
            server.close();
        }
    }

    private Path copy() {
        return directory.resolve("copy.db");
    }

    private LibsqlPrimary follow(LibsqlServer server, boolean fresh) throws Exception {
        return LibsqlPrimary.follow(server.replicationUrl(), directory.resolve("copy.db-libsql"), fresh, null, null);
    }

    private void awaitRows(int count) {
        await().atMost(LIMIT)
                .ignoreExceptions() // while there is no copy yet
                .until(() -> ask("SELECT count(*) FROM t").equals("" + count));
    }

    private String ask(String sql) throws Exception {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:file:" + copy() + "?mode=ro")) {
            return SqliteConnections.text(connection, sql);
        }
    }
}
