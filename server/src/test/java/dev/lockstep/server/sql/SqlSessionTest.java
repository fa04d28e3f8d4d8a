package dev.lockstep.server.sql;

import static dev.lockstep.server.sql.TestDatabase.execute;
import static dev.lockstep.server.sql.TestDatabase.failure;
import static dev.lockstep.server.sql.TestDatabase.rows;
import static dev.lockstep.server.sql.TestDatabase.value;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Statements, values, errors and transactions on a real database. */
class SqlSessionTest {

    @TempDir
    Path directory;

    private TestDatabase database;

    @BeforeEach
    void open() throws Exception {
        database = new TestDatabase(directory.resolve("app.db"));
        database.run("CREATE TABLE t (id INTEGER PRIMARY KEY, v, n TEXT UNIQUE)");
    }

    @AfterEach
    void close() throws Exception {
        database.close();
    }

    @Test
    void aWriteAnswersWithItsCountsAndAFrameThatHoldsIt() throws Exception {
        try (SqlSession session = database.session()) {
            Outcome insert = execute(session, "INSERT INTO t(v) VALUES (1), (2), (3)");
            assertThat(insert.affectedRows()).isEqualTo(3);
            assertThat(insert.lastInsertRowid()).isEqualTo(3);
            assertThat(insert.frameNo()).isNotNull();
            assertThat(insert.frameNo()).isEqualTo(database.primary.position().frameNo());
            assertThat(execute(session, "SELECT 1").frameNo()).isNull();
            Outcome update = execute(session, "UPDATE t SET v = 5 WHERE id > 1");
            assertThat(update.affectedRows()).isEqualTo(2);
            assertThat(update.frameNo()).isGreaterThan(insert.frameNo());
        }
    }

    @Test
    void theCommitCarriesTheFrameOfATransaction() throws Exception {
        try (SqlSession session = database.session()) {
            assertThat(execute(session, "BEGIN").frameNo()).isNull();
            assertThat(execute(session, "INSERT INTO t(v) VALUES (1)").frameNo())
                    .isNull();
            assertThat(session.isAutocommit()).isFalse();
            assertThat(execute(session, "COMMIT").frameNo())
                    .isEqualTo(database.primary.position().frameNo());
            assertThat(session.isAutocommit()).isTrue();
            execute(session, "BEGIN IMMEDIATE");
            execute(session, "INSERT INTO t(v) VALUES (2)");
            assertThat(execute(session, "ROLLBACK").frameNo()).isNull();
            assertThat(value(session, "SELECT count(*) FROM t")).isEqualTo(new Value.Int(1));
        }
    }

    @Test
    void errorsCarrySqlitesExtendedCodeAndItsOwnMessage() throws Exception {
        try (SqlSession session = database.session()) {
            execute(session, "INSERT INTO t(n) VALUES ('a')");
            SqlFailure unique = failure(() -> execute(session, "INSERT INTO t(n) VALUES ('a')"));
            assertThat(unique.code()).isEqualTo("SQLITE_CONSTRAINT_UNIQUE");
            assertThat(unique.primary()).isEqualTo(19);
            assertThat(unique.extended()).isEqualTo(2067);
            assertThat(unique).hasMessage("UNIQUE constraint failed: t.n");
            SqlFailure syntax = failure(() -> execute(session, "SELEC 1"));
            assertThat(syntax.code()).isEqualTo("SQLITE_ERROR");
            assertThat(syntax).hasMessage("near \"SELEC\": syntax error");
        }
    }

    @Test
    void columnsHaveNamesAndDeclaredTypes() throws Exception {
        try (SqlSession session = database.session()) {
            Rows rows = new Rows();
            session.execute(Query.of("SELECT id, v, n, 1 AS one FROM t"), rows);
            assertThat(rows.columns)
                    .containsExactly(
                            new Column("id", "INTEGER"),
                            new Column("v", null),
                            new Column("n", "TEXT"),
                            new Column("one", null));
            assertThat(rows.rows).isEmpty();
        }
    }

    @Test
    void aScriptRunsToItsFirstError() throws Exception {
        try (SqlSession session = database.session()) {
            assertThat(session.sequence("INSERT INTO t(v) VALUES (1); SELECT 1; -- end\n"))
                    .isEqualTo(database.primary.position().frameNo());
            assertThat(session.sequence("SELECT 1; ;")).isNull();
            failure(() -> session.sequence("INSERT INTO t(v) VALUES (2); SELECT nothing; INSERT INTO t(v) VALUES (3)"));
            assertThat(rows(session, "SELECT v FROM t"))
                    .containsExactly(List.of(new Value.Int(1)), List.of(new Value.Int(2)));
        }
    }

    @Test
    void describeTellsParametersAndColumnsWithoutRunning() throws Exception {
        try (SqlSession session = database.session()) {
            Description insert = session.describe("INSERT INTO t(v, n) VALUES (:a, ?) RETURNING id");
            assertThat(insert.parameters()).containsExactly(":a", null);
            assertThat(insert.columns()).containsExactly(new Column("id", "INTEGER"));
            assertThat(insert.readOnly()).isFalse();
            assertThat(session.describe("BEGIN TRANSACTION READONLY").readOnly())
                    .isTrue();
            assertThat(session.describe("BEGIN IMMEDIATE;").readOnly()).isFalse();
            assertThat(session.describe("EXPLAIN DELETE FROM t").explain()).isTrue();
            assertThat(value(session, "SELECT count(*) FROM t")).isEqualTo(new Value.Int(0));
        }
    }
}
