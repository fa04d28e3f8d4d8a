package dev.lockstep.jdbc;

import static dev.lockstep.jdbc.Pair.ask;
import static dev.lockstep.jdbc.Pair.run;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.sql.Statement;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sqlite.Function;

/** What docs/jdbc.md says that a user of sqlite-jdbc loses. */
class DifferencesTest {

    @TempDir
    Path directory;

    private Pair pair;
    private Connection primary;
    private Connection replica;
    private Connection remote;

    @BeforeEach
    void open() throws Exception {
        pair = new Pair(directory);
        primary = pair.connectPrimary();
        replica = pair.connect();
        remote = DriverManager.getConnection("jdbc:lockstep:" + pair.url());
        run(replica, "CREATE TABLE t (a)");
    }

    @AfterEach
    void close() throws Exception {
        remote.close();
        replica.close();
        primary.close();
        pair.close();
    }

    private static void createFunction(Connection connection) throws SQLException {
        Function.create(connection, "answer", new Function() {
            @Override
            protected void xFunc() throws SQLException {
                result(42);
            }
        });
    }

    @Test
    void functionsInJavaWorkWhereTheFileIs() throws Exception {
        createFunction(primary);
        createFunction(replica);
        assertThat(ask(primary, "SELECT answer()")).isEqualTo("42");
        assertThat(ask(replica, "SELECT answer()")).isEqualTo("42");
        replica.setAutoCommit(false);
        assertThatThrownBy(() -> ask(replica, "SELECT answer()")).hasMessageContaining("no such function");
        assertThatThrownBy(() -> createFunction(remote))
                .isInstanceOf(SQLFeatureNotSupportedException.class)
                .hasMessageContaining("needs the database file");
    }

    @Test
    void backupsAreMadeWhereTheFileIs() throws Exception {
        run(replica, "INSERT INTO t VALUES (1)");
        Path copy = directory.resolve("backup.db");
        run(replica, "backup to " + copy);
        try (Connection backup = DriverManager.getConnection("jdbc:sqlite:" + copy)) {
            assertThat(ask(backup, "SELECT count(*) FROM t")).isEqualTo("1");
        }
        assertThatThrownBy(() -> run(remote, "backup to " + directory.resolve("never.db")))
                .hasMessageContaining("needs the database file");
    }

    @Test
    void forwardedUpdateCountsLeaveOutWhatTriggersDid() throws Exception {
        run(
                replica,
                "CREATE TRIGGER doubling AFTER INSERT ON t WHEN new.a < 100 BEGIN INSERT INTO t VALUES (new.a + 100); END");
        assertThat(update(primary, "INSERT INTO t VALUES (1)")).isEqualTo(2);
        assertThat(update(replica, "INSERT INTO t VALUES (2)")).isEqualTo(1);
        assertThat(update(remote, "INSERT INTO t VALUES (3)")).isEqualTo(1);
    }

    private static int update(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            return statement.executeUpdate(sql);
        }
    }

    @Test
    void onlyAFileTellsTablesOfColumns() throws Exception {
        assertThat(tableOfColumn(primary)).isEqualTo("t");
        assertThat(tableOfColumn(replica)).isEqualTo("t");
        assertThat(tableOfColumn(remote)).isEmpty();
    }

    private static String tableOfColumn(Connection connection) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("SELECT a FROM t")) {
            return statement.getMetaData().getTableName(1);
        }
    }

    @Test
    void otherDatabasesCannotBeAttachedToAServer() throws Exception {
        run(replica, "ATTACH ':memory:' AS other");
        assertThatThrownBy(() -> run(remote, "ATTACH ':memory:' AS other")).isInstanceOf(SQLException.class);
    }
}
