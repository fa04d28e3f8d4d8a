package dev.lockstep.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lockstep.testing.LibsqlServer;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Remote connections to a libSQL server that is not ours. */
class ForeignServerTest {

    @TempDir
    Path directory;

    @Test
    void statementsBatchesKeysTransactionsAndErrorsWorkOnLibsqlsOwnServer() throws Exception {
        try (LibsqlServer server = LibsqlServer.start(directory);
                Connection connection = DriverManager.getConnection("jdbc:lockstep:" + server.httpUrl());
                Statement statement = connection.createStatement()) {
            statement.executeUpdate("CREATE TABLE t (id INTEGER PRIMARY KEY, v, b BLOB)");
            try (PreparedStatement insert =
                    connection.prepareStatement("INSERT INTO t(v, b) VALUES (?, ?)", Statement.RETURN_GENERATED_KEYS)) {
                insert.setString(1, "ä");
                insert.setBytes(2, new byte[] {0, 1, 2});
                assertThat(insert.executeUpdate()).isEqualTo(1);
                try (ResultSet keys = insert.getGeneratedKeys()) {
                    assertThat(keys.next()).isTrue();
                    assertThat(keys.getLong(1)).isEqualTo(1);
                }
                for (int i = 0; i < 5; i++) {
                    insert.setLong(1, Long.MAX_VALUE - i);
                    insert.setBytes(2, null);
                    insert.addBatch();
                }
                assertThat(insert.executeBatch()).containsOnly(1).hasSize(5);
            }
            connection.setAutoCommit(false);
            Savepoint savepoint = connection.setSavepoint("s");
            statement.executeUpdate("DELETE FROM t");
            connection.rollback(savepoint);
            statement.executeUpdate("UPDATE t SET v = 1.5 WHERE id = 2");
            connection.commit();
            statement.executeUpdate("DELETE FROM t");
            connection.rollback();
            connection.setAutoCommit(true);
            try (ResultSet rows = statement.executeQuery("SELECT v, b FROM t ORDER BY id")) {
                assertThat(rows.next()).isTrue();
                assertThat(rows.getString(1)).isEqualTo("ä");
                assertThat(rows.getBytes(2)).containsExactly(0, 1, 2);
                assertThat(rows.next()).isTrue();
                assertThat(rows.getDouble(1)).isEqualTo(1.5);
                assertThat(rows.next()).isTrue();
                assertThat(rows.getLong(1)).isEqualTo(Long.MAX_VALUE - 1);
                assertThat(rows.getBytes(2)).isNull();
            }
            assertThatThrownBy(() -> statement.executeUpdate("INSERT INTO t(id) VALUES (1)"))
                    .isInstanceOf(SQLException.class)
                    .hasMessageContaining("UNIQUE constraint failed: t.id");
        }
    }
}
