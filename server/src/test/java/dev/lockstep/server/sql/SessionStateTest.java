package dev.lockstep.server.sql;

import static dev.lockstep.server.sql.TestDatabase.execute;
import static dev.lockstep.server.sql.TestDatabase.failure;
import static dev.lockstep.server.sql.TestDatabase.value;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a session changes of its connection stays with it, and goes with it. */
class SessionStateTest {

    @TempDir
    Path directory;

    private TestDatabase database;

    @BeforeEach
    void open() throws Exception {
        database = new TestDatabase(directory.resolve("app.db"));
        database.run("CREATE TABLE t (id INTEGER PRIMARY KEY, v)");
    }

    @AfterEach
    void close() throws Exception {
        database.close();
    }

    @Test
    void settingsLastForTheSessionAndNobodyElseGetsThem() throws Exception {
        try (SqlSession session = database.session()) {
            assertThat(value(session, "PRAGMA foreign_keys")).isEqualTo(new Value.Int(0));
            execute(session, "PRAGMA foreign_keys = ON");
            assertThat(database.value("SELECT 1")).isEqualTo(new Value.Int(1));
            assertThat(value(session, "PRAGMA foreign_keys")).isEqualTo(new Value.Int(1));
            assertThat(database.value("PRAGMA foreign_keys")).isEqualTo(new Value.Int(0));
        }
        for (int i = 0; i < 5; i++) {
            assertThat(database.value("PRAGMA foreign_keys")).isEqualTo(new Value.Int(0));
        }
    }

    @Test
    void aSettingBehindExplainIsKeptFromOthersToo() throws Exception {
        try (SqlSession session = database.session()) {
            execute(session, "EXPLAIN PRAGMA foreign_keys = ON");
        }
        assertThat(database.value("PRAGMA foreign_keys")).isEqualTo(new Value.Int(0));
    }

    @Test
    void describingASettingDoesNotMakeIt() throws Exception {
        try (SqlSession session = database.session()) {
            session.describe("PRAGMA foreign_keys = ON");
            assertThat(value(session, "PRAGMA foreign_keys")).isEqualTo(new Value.Int(0));
        }
    }

    @Test
    void temporaryTablesBelongToTheirSession() throws Exception {
        for (String create : new String[] {
            "CREATE TEMP TABLE x (a)",
            "CREATE TABLE temp.x (a)",
            "create table \"temp\".x (a)",
            "BEGIN; CREATE TEMP TABLE x(a); COMMIT"
        }) {
            try (SqlSession session = database.session()) {
                session.sequence(create);
                execute(session, "INSERT INTO x VALUES (1)");
                failure(() -> database.value("SELECT * FROM x"));
                assertThat(value(session, "SELECT a FROM x")).isEqualTo(new Value.Int(1));
            }
            failure(() -> database.value("SELECT * FROM x"));
        }
    }

    @Test
    void lastInsertRowidIsTheSessionsOwn() throws Exception {
        try (SqlSession one = database.session();
                SqlSession two = database.session()) {
            execute(one, "INSERT INTO t(id) VALUES (7)");
            execute(two, "INSERT INTO t(id) VALUES (8)");
            assertThat(value(one, "SELECT last_insert_rowid()")).isEqualTo(new Value.Int(7));
            assertThat(value(two, "SELECT last_insert_rowid()")).isEqualTo(new Value.Int(8));
            assertThat(value(one, "SELECT changes()")).isEqualTo(new Value.Int(1));
        }
    }

    @Test
    void aTransactionThatNobodyEndedIsGoneWithItsSession() throws Exception {
        try (SqlSession session = database.session()) {
            execute(session, "BEGIN");
            execute(session, "INSERT INTO t(v) VALUES (1)");
        }
        assertThat(database.value("SELECT count(*) FROM t")).isEqualTo(new Value.Int(0));
        database.run("INSERT INTO t(v) VALUES (2)");
    }

    @Test
    void busyTimeoutIsAcceptedAndLocksAreStillWaitedForOurWay() throws Exception {
        try (SqlSession session = database.session()) {
            assertThat(value(session, "PRAGMA busy_timeout = 5")).isEqualTo(new Value.Int(5));
            execute(session, "INSERT INTO t(v) VALUES (1)");
        }
    }
}
