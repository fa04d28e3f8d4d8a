package dev.lockstep.server.hrana;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.dbeaver.jdbc.driver.libsql.LibSqlDriver;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A JVM client that is not ours: DBeaver's driver for libSQL. */
class DbeaverTest {

    @TempDir
    private Path directory;

    @Test
    void dbeaversDriverReadsAndWrites() throws Exception {
        try (Served served = Served.start(directory);
                Connection connection =
                        new LibSqlDriver().connect("jdbc:dbeaver:libsql:" + served.url() + "/app", new Properties())) {
            try (Statement statement = connection.createStatement()) {
                statement.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT, r REAL)");
                statement.execute("INSERT INTO t (v, r) VALUES ('one', 1.5), (NULL, 2)");
            }
            try (PreparedStatement insert = connection.prepareStatement("INSERT INTO t (v, r) VALUES (?, ?)")) {
                insert.setString(1, "three");
                insert.setDouble(2, 3);
                insert.execute();
            }
            try (Statement statement = connection.createStatement();
                    ResultSet rows = statement.executeQuery("SELECT id, v, r FROM t ORDER BY id")) {
                assertThat(rows.next()).isTrue();
                assertThat(rows.getInt("id")).isEqualTo(1);
                assertThat(rows.getString("v")).isEqualTo("one");
                assertThat(rows.getDouble("r")).isEqualTo(1.5);
                assertThat(rows.next()).isTrue();
                assertThat(rows.getObject("v")).isNull();
                assertThat(rows.next()).isTrue();
                assertThat(rows.getString("v")).isEqualTo("three");
                assertThat(rows.next()).isFalse();
            }
            try (ResultSet tables = connection.getMetaData().getTables(null, null, "t", null)) {
                assertThat(tables.next()).isTrue();
            }
            try (Statement statement = connection.createStatement()) {
                assertThatThrownBy(() -> statement.executeQuery("SELECT * FROM missing"))
                        .isInstanceOf(SQLException.class)
                        .hasMessageContaining("no such table");
            }
            assertThat(served.hrana().openStreams()).isZero();
        }
    }

    @Test
    void severalStatementsAreOneTransaction() throws Exception {
        try (Served served = Served.start(directory)) {
            assertThat(served.post(
                                    "/",
                                    "{\"statements\":[\"CREATE TABLE t (v)\",{\"q\":\"INSERT INTO t VALUES (?)\",\"params\":[7]},"
                                            + "{\"q\":\"SELECT v, :b FROM t\",\"params\":{\"b\":{\"base64\":\"AQ==\"}}}]}")
                            .body())
                    .contains("\"rows\":[[7,{\"base64\":\"AQ==\"}]]");
            assertThat(served.post("/", "{\"statements\":[\"DELETE FROM t\",\"SELECT * FROM missing\",\"SELECT 1\"]}")
                            .body())
                    .contains("\"error\":\"no such table: missing\"");
            assertThat(served.query("SELECT count(*) FROM t")).isEqualTo("1");
            assertThat(served.post("/", "{\"statements\":[5]}").statusCode()).isEqualTo(400);
        }
    }
}
