package dev.lockstep.server.sql;

import static dev.lockstep.server.sql.TestDatabase.execute;
import static dev.lockstep.server.sql.TestDatabase.failure;
import static dev.lockstep.server.sql.TestDatabase.rows;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is larger than allowed is refused with a code of its own, and nothing of it stays. */
class LimitTest {

    private static final String THREE = "SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3";

    @TempDir
    static Path directory;

    private static TestDatabase database;

    @BeforeAll
    static void open() throws Exception {
        database = new TestDatabase(
                directory.resolve("app.db"),
                SqlLimits.defaults().withResult(3, 1000).withSql(500, 3));
        database.run("CREATE TABLE t (v)");
    }

    @AfterAll
    static void close() throws Exception {
        database.close();
    }

    @Test
    void results() throws Exception {
        try (SqlSession session = database.session()) {
            assertThat(rows(session, THREE)).hasSize(3);
            assertThat(failure(() -> rows(session, THREE + " UNION ALL SELECT 4"))
                            .code())
                    .isEqualTo(SqlFailure.RESPONSE_TOO_LARGE);
            assertThat(failure(() -> rows(session, "SELECT zeroblob(1001)")).code())
                    .isEqualTo(SqlFailure.RESPONSE_TOO_LARGE);
            assertThat(session.execute(
                                    new Query(
                                            THREE + " UNION ALL SELECT 4",
                                            java.util.List.of(),
                                            java.util.List.of(),
                                            false),
                                    RowSink.NONE)
                            .rowsRead())
                    .isEqualTo(4);
        }
    }

    @Test
    void aWriteWhoseRowsFindNoTakerDidNotHappen() throws Exception {
        String insert = "INSERT INTO t SELECT value FROM json_each('[1,2,3,4]') RETURNING v";
        try (SqlSession session = database.session()) {
            assertThat(failure(() -> rows(session, insert)).code()).isEqualTo(SqlFailure.RESPONSE_TOO_LARGE);
            assertThat(session.isAutocommit()).isTrue();
            execute(session, "BEGIN");
            execute(session, "INSERT INTO t VALUES ('kept')");
            failure(() -> rows(session, insert));
            assertThat(session.isAutocommit()).isFalse();
            execute(session, "COMMIT");
        }
        assertThat(database.value("SELECT group_concat(v) FROM t")).isEqualTo(new Value.Text("kept"));
    }

    @Test
    void sqlAndScripts() throws Exception {
        try (SqlSession session = database.session()) {
            assertThat(failure(() -> execute(session, "SELECT 1 --" + "x".repeat(500)))
                            .code())
                    .isEqualTo(SqlFailure.SQL_TOO_LONG);
            session.sequence("SELECT 1; SELECT 2; SELECT 3");
            assertThat(failure(() -> session.sequence("SELECT 1; SELECT 2; SELECT 3; SELECT 4"))
                            .code())
                    .isEqualTo(SqlFailure.SQL_MANY_STATEMENTS);
            assertThat(failure(() -> execute(session, "SELECT 1; SELECT 2")).code())
                    .isEqualTo(SqlFailure.SQL_MANY_STATEMENTS);
            assertThat(failure(() -> execute(session, " ; -- nothing\n")).code())
                    .isEqualTo(SqlFailure.SQL_NO_STATEMENT);
            assertThat(failure(() -> execute(session, "SELECT 1\0; ATTACH 'x' AS x"))
                            .code())
                    .isEqualTo(SqlFailure.SQL_PARSE_ERROR);
            execute(session, "SELECT 1; ; /* no more */");
        }
    }
}
