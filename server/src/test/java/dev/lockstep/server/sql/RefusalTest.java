package dev.lockstep.server.sql;

import static dev.lockstep.server.sql.TestDatabase.execute;
import static dev.lockstep.server.sql.TestDatabase.failure;
import static dev.lockstep.server.sql.TestDatabase.value;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What would break replication, or reach outside the database, is refused however it is written. */
class RefusalTest {

    @TempDir
    static Path directory;

    private static TestDatabase database;

    @BeforeAll
    static void open() throws Exception {
        database = new TestDatabase(directory.resolve("app.db"));
        database.run("CREATE TABLE t (id INTEGER PRIMARY KEY, v)");
    }

    @AfterAll
    static void close() throws Exception {
        database.close();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ATTACH ':memory:' AS x",
                "attach database 'y.db' as y",
                "/* SELECT */ ATTACH 'y.db' AS y",
                "-- SELECT 1\nATTACH 'y.db' AS y",
                "\uFEFFATTACH 'y.db' AS y",
                "EXPLAIN ATTACH 'y.db' AS y",
                "EXPLAIN QUERY PLAN DETACH main",
                "DETACH DATABASE temp",
                "VACUUM INTO 'copy.db'",
                "VACUUM main INTO 'copy.db'",
                "vacuum/**/into ?",
                "SELECT load_extension('x')",
                "SELECT LOAD_extension /* */ ('x', 'y')",
                "SELECT \"load_extension\"('x')",
                "SELECT [load_extension]('x')",
                "CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT load_extension('x'); END",
                "PRAGMA journal_mode = DELETE",
                "PRAGMA journal_mode(truncate)",
                "PRAGMA Main.Journal_Mode = 'off'",
                "PRAGMA \"journal_mode\" = memory",
                "PRAGMA 'main'.'journal_mode' = memory",
                "PRAGMA [journal_mode]=persist",
                "PRAGMA temp.journal_mode=off",
                "pragma/* */journal_mode/* */=/* wal */delete",
                "PRAGMA--\njournal_mode--\n=--\ndelete",
                "EXPLAIN PRAGMA journal_mode = DELETE",
                "EXPLAIN QUERY PLAN PRAGMA journal_mode = DELETE",
                "PRAGMA locking_mode = EXCLUSIVE",
                "PRAGMA main.locking_mode(exclusive)",
                "PRAGMA page_size = 1024",
                "PRAGMA wal_checkpoint",
                "PRAGMA wal_checkpoint(TRUNCATE)",
                "PRAGMA main.wal_checkpoint = full",
                "PRAGMA wal_autocheckpoint = 1",
                "PRAGMA journal_size_limit = 0",
                "PRAGMA writable_schema = ON",
                "PRAGMA writable_schema(1)",
                "PRAGMA writable_schema = reset",
                "PRAGMA schema_version = 7",
                "PRAGMA synchronous = OFF",
                "PRAGMA main.synchronous = 0",
                "PRAGMA synchronous = 'off'",
                "PRAGMA synchronous = 4",
                "PRAGMA temp_store = MEMORY",
                "PRAGMA temp_store_directory = '/tmp'",
                "PRAGMA data_store_directory = '/tmp'",
                "PRAGMA mmap_size = 100000",
                "PRAGMA cache_size = -2000000",
                "PRAGMA cache_size = 1000000",
                "PRAGMA soft_heap_limit = 1",
                "PRAGMA hard_heap_limit(1)",
                "PRAGMA something_new = 1",
                "PRAGMA",
            })
    void isRefusedWithAReason(String sql) throws Exception {
        try (SqlSession session = database.session()) {
            SqlFailure failure = failure(() -> execute(session, sql));
            assertThat(failure.code()).isEqualTo(SqlFailure.SQL_REFUSED);
            assertThat(failure.getMessage()).contains("refused: ", " ");
            assertThat(failure(() -> session.describe(sql)).code()).isEqualTo(SqlFailure.SQL_REFUSED);
            SqlFailure inScript = failure(() -> session.sequence("SELECT 1;;" + sql + "; SELECT 2"));
            assertThat(inScript.code()).isEqualTo(SqlFailure.SQL_REFUSED);
            assertThat(value(session, "PRAGMA journal_mode")).isEqualTo(new Value.Text("wal"));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "PRAGMA journal_mode",
                "PRAGMA journal_mode = WAL",
                "PRAGMA locking_mode",
                "PRAGMA locking_mode = normal",
                "PRAGMA page_size",
                "PRAGMA wal_autocheckpoint",
                "PRAGMA writable_schema",
                "PRAGMA writable_schema = off",
                "PRAGMA synchronous",
                "PRAGMA synchronous = NORMAL",
                "PRAGMA main.synchronous(2)",
                "PRAGMA cache_size = -8000",
                "PRAGMA schema_version",
                "PRAGMA user_version = 7",
                "PRAGMA application_id = 8",
                "PRAGMA encoding = 'UTF-8'",
                "PRAGMA table_info('t')",
                "PRAGMA main.table_xinfo(t)",
                "PRAGMA integrity_check",
                "PRAGMA optimize",
                "PRAGMA incremental_vacuum(3)",
                "PRAGMA data_version",
                "VACUUM",
                "VACUUM main",
                "REINDEX",
                "ANALYZE",
                "SELECT 'ATTACH x', \"load_extension\" FROM (SELECT 1 AS load_extension)",
                "SELECT name FROM pragma_table_info('t')",
                "EXPLAIN QUERY PLAN SELECT * FROM t",
                "EXPLAIN VACUUM",
                "CREATE TABLE IF NOT EXISTS attach_me (\"into\")",
            })
    void isAllowed(String sql) throws Exception {
        try (SqlSession session = database.session()) {
            execute(session, sql);
        }
    }

    @Test
    void sqliteItselfWouldNotAttachEither() throws Exception {
        SqlConnection connection = SqlConnection.open(database.path, SqlLimits.defaults(), false);
        try {
            assertThat(failure(() -> connection.run("ATTACH ':memory:' AS x")))
                    .hasMessage("too many attached databases - max 0");
        } finally {
            connection.close();
        }
    }

    @Test
    void aStoredPragmaWriteHasAFrame() throws Exception {
        try (SqlSession session = database.session()) {
            assertThat(execute(session, "PRAGMA user_version = 77").frameNo()).isNotNull();
            assertThat(execute(session, "VACUUM").frameNo()).isNotNull();
            assertThat(execute(session, "PRAGMA user_version").frameNo()).isNull();
        }
    }

    /** Whatever the tokenizer made of a statement. */
    @Test
    void theConnectionOfAClientThatMayOnlyReadIsNotAbleToWrite() throws Exception {
        try (SqlConnection connection = SqlConnection.open(database.path, SqlLimits.defaults(), true)) {
            connection.run("SELECT count(*) FROM sqlite_schema");
            for (String sql : new String[] {"CREATE TABLE written (a)", "PRAGMA user_version = 5"}) {
                assertThat(failure(() -> connection.run(sql)).code()).as(sql).isEqualTo("SQLITE_READONLY");
            }
        }
    }
}
