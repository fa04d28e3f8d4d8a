package dev.lockstep.jdbc;

import java.io.ByteArrayInputStream;
import java.io.StringReader;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.Date;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.Savepoint;
import java.sql.Statement;
import java.sql.Timestamp;
import java.util.LinkedHashMap;
import java.util.Map;

/** What programs do with connections, each on tables of its own. */
final class Scenarios {

    interface Scenario {
        void play(Connection connection, Transcript transcript) throws Exception;
    }

    static final Map<String, Scenario> ALL = new LinkedHashMap<>();

    static {
        ALL.put("types", Scenarios::types);
        ALL.put("parameters", Scenarios::parameters);
        ALL.put("statements", Scenarios::statements);
        ALL.put("prepared statements", Scenarios::preparedStatements);
        ALL.put("scripts", Scenarios::scripts);
        ALL.put("batches", Scenarios::batches);
        ALL.put("generated keys", Scenarios::generatedKeys);
        ALL.put("transactions", Scenarios::transactions);
        ALL.put("savepoints", Scenarios::savepoints);
        ALL.put("transactions by SQL", Scenarios::transactionsBySql);
        ALL.put("errors", Scenarios::errors);
        ALL.put("deferred constraints", Scenarios::deferredConstraints);
        ALL.put("database metadata", Scenarios::databaseMetadata);
        ALL.put("dates", Scenarios::dates);
        ALL.put("streams", Scenarios::streams);
        ALL.put("schema changes", Scenarios::schemaChanges);
        ALL.put("pragmas", Scenarios::pragmas);
        ALL.put("open results", Scenarios::openResults);
    }

    private Scenarios() {}

    private static void run(Connection connection, String... sql) throws Exception {
        try (Statement statement = connection.createStatement()) {
            for (String one : sql) {
                statement.execute(one);
            }
        }
    }

    private static void rows(Connection connection, Transcript transcript, String sql) throws Exception {
        try (Statement statement = connection.createStatement()) {
            transcript.rows(sql, statement.executeQuery(sql));
        }
    }

    private static void types(Connection connection, Transcript transcript) throws Exception {
        run(connection, "CREATE TABLE types (a INTEGER, b REAL, c TEXT, d BLOB, e NUMERIC(10,2), f VARCHAR(20), g)");
        String[] values = {
            "NULL",
            "0",
            "-1",
            "9223372036854775807",
            "-9223372036854775808",
            "2147483648",
            "0.1",
            "-0.0",
            "1e300",
            "9e999",
            "-9e999",
            "1.0/3",
            "100.0",
            "''",
            "'text'",
            "'12abc'",
            "' 7 '",
            "'1.5'",
            "'äöü €😀'",
            "'a''b'",
            "x''",
            "x'00ff10'",
            "x'313233'",
            "'true'"
        };
        for (String value : values) {
            run(connection, "INSERT INTO types VALUES (" + (value + ",").repeat(6) + value + ")");
        }
        rows(connection, transcript, "SELECT * FROM types ORDER BY rowid");
        rows(
                connection,
                transcript,
                "SELECT a + 1 AS next, typeof(b), c || 'x', count(*) FROM types WHERE typeof(c) <> 'blob' GROUP BY rowid");
        // In a transaction, where a replica's reads run on the primary.
        connection.setAutoCommit(false);
        rows(connection, transcript, "SELECT *, 1 AS one FROM types ORDER BY rowid");
        connection.rollback();
        connection.setAutoCommit(true);
    }

    private static void parameters(Connection connection, Transcript transcript) throws Exception {
        run(connection, "CREATE TABLE parameters (n INTEGER PRIMARY KEY, v)");
        Object[] values = {
            null,
            1,
            2L,
            (short) 3,
            4.5f,
            0.1,
            Double.NaN,
            Double.POSITIVE_INFINITY,
            Double.NEGATIVE_INFINITY,
            Long.MIN_VALUE,
            true,
            "text",
            "",
            "\u20ac\ud83d\ude00",
            new byte[0],
            new byte[] {0, -1},
            new BigDecimal("1.10"),
            'c'
        };
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO parameters(v) VALUES (?)")) {
            transcript.call("parameters", () -> insert.getParameterMetaData().getParameterCount());
            for (Object value : values) {
                insert.setObject(1, value);
                transcript.call("insert", insert::executeUpdate);
            }
            insert.clearParameters();
            transcript.call("cleared", insert::executeUpdate);
        }
        rows(connection, transcript, "SELECT v, typeof(v) FROM parameters ORDER BY n");
        connection.setAutoCommit(false);
        rows(connection, transcript, "SELECT v, typeof(v) t FROM parameters ORDER BY n");
        connection.setAutoCommit(true);
        try (PreparedStatement named = connection.prepareStatement("SELECT :b, @a, ?3, ?, $c")) {
            transcript.call(
                    "named parameters", () -> named.getParameterMetaData().getParameterCount());
            for (int i = 1; i <= 5; i++) {
                named.setInt(i, i * 10);
            }
            transcript.rows("named", named.executeQuery());
            transcript.effect("too many", () -> named.setInt(6, 1));
        }
    }

    private static void statements(Connection connection, Transcript transcript) throws Exception {
        try (Statement statement = connection.createStatement()) {
            transcript.call("create", () -> statement.execute("CREATE TABLE statements (a)"));
            transcript.call("create count", statement::getUpdateCount);
            transcript.call("insert", () -> statement.execute("INSERT INTO statements VALUES (1), (2), (3)"));
            transcript.call("insert count", statement::getUpdateCount);
            transcript.call("update", () -> statement.executeUpdate("UPDATE statements SET a = a + 1 WHERE a > 1"));
            transcript.call("select", () -> statement.execute("SELECT a FROM statements"));
            transcript.call("select count", statement::getUpdateCount);
            transcript.rows("result", statement.getResultSet());
            transcript.call("more", statement::getMoreResults);
            transcript.call("empty", () -> statement.execute("SELECT a FROM statements WHERE a < 0"));
            transcript.rows("empty result", statement.getResultSet());
            transcript.call("query without rows", () -> statement.executeQuery("DELETE FROM statements WHERE a < 0"));
            transcript.call(
                    "returning", () -> statement.execute("UPDATE statements SET a = 9 WHERE a = 1 RETURNING a, rowid"));
            transcript.rows("returned", statement.getResultSet());
            statement.setMaxRows(1);
            transcript.rows("first row", statement.executeQuery("SELECT a FROM statements ORDER BY a"));
            transcript.call("delete", () -> statement.executeUpdate("DELETE FROM statements"));
            transcript.call("blank", () -> statement.executeUpdate("  "));
            transcript.call("comment", () -> statement.executeUpdate("/* nothing */"));
            transcript.call(
                    "with",
                    () -> statement.executeUpdate("WITH v AS (SELECT 5) INSERT INTO statements SELECT * FROM v"));
        }
        rows(connection, transcript, "WITH v AS (SELECT a FROM statements) SELECT count(*), sum(a) FROM v");
    }

    private static void preparedStatements(Connection connection, Transcript transcript) throws Exception {
        run(connection, "CREATE TABLE prepared (id INTEGER PRIMARY KEY, a VARCHAR(10) NOT NULL, b INT)");
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO prepared(a, b) VALUES (?, ?)")) {
            for (int i = 0; i < 3; i++) {
                insert.setString(1, "row " + i);
                insert.setInt(2, i);
                transcript.call("execute", insert::execute);
                transcript.call("count", insert::getUpdateCount);
            }
            transcript.call("query", insert::executeQuery);
            insert.setNull(1, 0);
            transcript.call("not null", insert::executeUpdate);
            insert.setString(1, "after the error");
            transcript.call("again", insert::executeUpdate);
        }
        try (PreparedStatement select =
                connection.prepareStatement("SELECT * FROM prepared WHERE b >= ? ORDER BY id")) {
            transcript.call("metadata", () -> select.getMetaData().getColumnCount());
            transcript.call("metadata name", () -> select.getMetaData().getColumnName(2));
            transcript.call("update", select::executeUpdate);
            for (int from = 0; from < 3; from++) {
                select.setInt(1, from);
                transcript.rows("from " + from, select.executeQuery());
            }
        }
        try (PreparedStatement update =
                connection.prepareStatement("UPDATE prepared SET a = a || ? WHERE b = ? RETURNING a")) {
            update.setString(1, "!");
            update.setInt(2, 1);
            transcript.call("update returning", update::execute);
            transcript.rows("returned", update.getResultSet());
        }
        transcript.call("syntax", () -> connection.prepareStatement("SELEKT 1"));
        transcript.call("no table", () -> connection.prepareStatement("SELECT * FROM absent"));
    }

    private static void scripts(Connection connection, Transcript transcript) throws Exception {
        try (Statement statement = connection.createStatement()) {
            transcript.call(
                    "script",
                    () -> statement.executeUpdate(
                            "CREATE TABLE script (a, n); INSERT INTO script(a) VALUES (1), (';'); CREATE TRIGGER late AFTER DELETE ON script"
                                    + " BEGIN SELECT 1; END; UPDATE script SET n = 1; -- the end\n"));
            transcript.call("first of two", () -> statement.execute("INSERT INTO script(a) VALUES (3); SELECT 4"));
            transcript.call(
                    "failing script",
                    () -> statement.executeUpdate(
                            "INSERT INTO script(a) VALUES (5); INSERT INTO absent VALUES (1); INSERT INTO script(a) VALUES (6)"));
        }
        rows(connection, transcript, "SELECT * FROM script ORDER BY rowid");
    }

    private static void batches(Connection connection, Transcript transcript) throws Exception {
        run(connection, "CREATE TABLE batch (id INTEGER PRIMARY KEY, a UNIQUE)");
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO batch(a) VALUES (?)")) {
            for (int i = 0; i < 5; i++) {
                insert.setInt(1, i);
                insert.addBatch();
            }
            transcript.call("prepared", insert::executeBatch);
            transcript.call("empty", insert::executeBatch);
            for (int i : new int[] {10, 11, 2, 12}) {
                insert.setInt(1, i);
                insert.addBatch();
            }
            transcript.call("failing", insert::executeBatch);
            insert.setInt(1, 20);
            insert.addBatch();
            transcript.call("after the error", insert::executeLargeBatch);
        }
        try (PreparedStatement update = connection.prepareStatement("UPDATE batch SET a = a + ? WHERE a >= ?")) {
            connection.setAutoCommit(false);
            for (int i : new int[] {11, 4, 100}) {
                update.setInt(1, 1000 * i);
                update.setInt(2, i);
                update.addBatch();
            }
            transcript.call("in a transaction", update::executeBatch);
            connection.rollback();
            connection.setAutoCommit(true);
        }
        try (Statement statement = connection.createStatement()) {
            statement.addBatch("INSERT INTO batch(a) VALUES (30), (31)");
            statement.addBatch("DELETE FROM batch WHERE a < 3");
            transcript.call("statements", statement::executeBatch);
            statement.addBatch("SELECT 1");
            transcript.call("query", statement::executeBatch);
        }
        rows(connection, transcript, "SELECT * FROM batch ORDER BY id");
    }

    private static void generatedKeys(Connection connection, Transcript transcript) throws Exception {
        run(connection, "CREATE TABLE keys (id INTEGER PRIMARY KEY AUTOINCREMENT, a)");
        try (Statement statement = connection.createStatement()) {
            statement.executeUpdate("INSERT INTO keys(a) VALUES (1), (2)", Statement.RETURN_GENERATED_KEYS);
            transcript.strings("statement", statement.getGeneratedKeys());
            statement.execute("UPDATE keys SET a = 3");
            transcript.strings("update", statement.getGeneratedKeys());
        }
        try (PreparedStatement insert =
                connection.prepareStatement("INSERT INTO keys(a) VALUES (?)", Statement.RETURN_GENERATED_KEYS)) {
            for (int i = 0; i < 2; i++) {
                insert.setInt(1, i);
                insert.executeUpdate();
                transcript.strings("prepared", insert.getGeneratedKeys());
            }
            connection.setAutoCommit(false);
            insert.executeUpdate();
            transcript.strings("in a transaction", insert.getGeneratedKeys());
            connection.commit();
            connection.setAutoCommit(true);
        }
        rows(connection, transcript, "SELECT last_insert_rowid()");
        rows(connection, transcript, "select  changes() ;");
    }

    private static void transactions(Connection connection, Transcript transcript) throws Exception {
        run(connection, "CREATE TABLE tx (a)");
        transcript.call("commit", () -> {
            connection.commit();
            return "done";
        });
        connection.setAutoCommit(false);
        transcript.effect("empty commit", connection::commit);
        run(connection, "INSERT INTO tx VALUES (1)");
        rows(connection, transcript, "SELECT count(*) FROM tx");
        transcript.effect("rollback", connection::rollback);
        rows(connection, transcript, "SELECT count(*) FROM tx");
        run(connection, "INSERT INTO tx VALUES (2)", "CREATE TABLE tx2 (b)", "INSERT INTO tx2 VALUES (3)");
        transcript.effect("commit", connection::commit);
        rows(connection, transcript, "SELECT * FROM tx, tx2");
        run(connection, "INSERT INTO tx VALUES (4)");
        transcript.effect("autocommit", () -> connection.setAutoCommit(true));
        rows(connection, transcript, "SELECT * FROM tx");
        transcript.call("isolation", connection::getTransactionIsolation);
        transcript.call("error in a transaction", () -> {
            connection.setAutoCommit(false);
            run(connection, "INSERT INTO tx VALUES (5)");
            try {
                run(connection, "INSERT INTO absent VALUES (5)");
            } finally {
                connection.commit();
                connection.setAutoCommit(true);
            }
            return "done";
        });
        rows(connection, transcript, "SELECT * FROM tx");
    }

    private static void savepoints(Connection connection, Transcript transcript) throws Exception {
        run(connection, "CREATE TABLE sp (a)");
        connection.setAutoCommit(false);
        run(connection, "INSERT INTO sp VALUES (1)");
        Savepoint first = connection.setSavepoint();
        transcript.call("id", first::getSavepointId);
        run(connection, "INSERT INTO sp VALUES (2)");
        Savepoint second = connection.setSavepoint("a \"name\"");
        transcript.call("name", second::getSavepointName);
        run(connection, "INSERT INTO sp VALUES (3)");
        transcript.effect("roll back to the second", () -> connection.rollback(second));
        rows(connection, transcript, "SELECT * FROM sp");
        transcript.effect("release", () -> connection.releaseSavepoint(second));
        transcript.effect("released", () -> connection.rollback(second));
        transcript.effect("roll back to the first", () -> connection.rollback(first));
        transcript.effect("commit", connection::commit);
        rows(connection, transcript, "SELECT * FROM sp");
        connection.setAutoCommit(true);
        Savepoint outermost = connection.setSavepoint();
        transcript.call("autocommit", connection::getAutoCommit);
        run(connection, "INSERT INTO sp VALUES (4)");
        transcript.effect("release the outermost", () -> connection.releaseSavepoint(outermost));
        transcript.effect("autocommit again", () -> connection.setAutoCommit(true));
        rows(connection, transcript, "SELECT * FROM sp");
    }

    private static void transactionsBySql(Connection connection, Transcript transcript) throws Exception {
        run(connection, "CREATE TABLE bysql (a)");
        transcript.effect("no transaction", () -> run(connection, "COMMIT"));
        run(connection, "BEGIN IMMEDIATE", "INSERT INTO bysql VALUES (1)");
        transcript.effect("twice", () -> run(connection, "BEGIN"));
        run(connection, "COMMIT", "/* a comment */ begin", "INSERT INTO bysql VALUES (2)", "ROLLBACK");
        run(connection, "BEGIN", "END", "SAVEPOINT s", "INSERT INTO bysql VALUES (3)", "RELEASE s");
        transcript.effect("released", () -> run(connection, "ROLLBACK"));
        rows(connection, transcript, "SELECT * FROM bysql");
    }

    private static void errors(Connection connection, Transcript transcript) throws Exception {
        run(
                connection,
                "CREATE TABLE errors (id INTEGER PRIMARY KEY, u UNIQUE, n NOT NULL, c CHECK (c > 0))",
                "INSERT INTO errors VALUES (1, 1, 1, 1)");
        String[] wrong = {
            "INSERT INTO errors VALUES (1, 2, 2, 2)",
            "INSERT INTO errors VALUES (2, 1, 2, 2)",
            "INSERT INTO errors VALUES (2, 2, NULL, 2)",
            "INSERT INTO errors VALUES (2, 2, 2, 0)",
            "INSERT INTO errors VALUES ('x', 2, 2, 2)",
            "INSERT INTO errors VALUES (1)",
            "INSERT INTO errors(z) VALUES (1)",
            "SELECT * FROM absent",
            "SELEKT",
            "SELECT abs(-9223372036854775808)",
            "SELECT nofunction()",
            "CREATE TABLE errors (a)",
            "DROP TABLE absent",
            "SELECT 'unfinished",
            "SELECT json('x')"
        };
        for (String sql : wrong) {
            transcript.effect(sql, () -> run(connection, sql));
            transcript.call(sql, () -> {
                try (Statement statement = connection.createStatement()) {
                    return statement.executeUpdate(sql);
                }
            });
            transcript.call(sql, () -> {
                try (PreparedStatement statement = connection.prepareStatement(sql)) {
                    return statement.execute();
                }
            });
        }
        rows(connection, transcript, "SELECT count(*) FROM errors");
    }

    private static void deferredConstraints(Connection connection, Transcript transcript) throws Exception {
        run(
                connection,
                "CREATE TABLE parent (id INTEGER PRIMARY KEY)",
                "CREATE TABLE child (p INTEGER REFERENCES parent(id) DEFERRABLE INITIALLY DEFERRED)");
        connection.setAutoCommit(false);
        run(connection, "PRAGMA defer_foreign_keys", "INSERT INTO child VALUES (1)");
        run(connection, "INSERT INTO parent VALUES (1)");
        transcript.effect("commit", connection::commit);
        connection.setAutoCommit(true);
        rows(connection, transcript, "SELECT * FROM parent, child");
    }

    private static void databaseMetadata(Connection connection, Transcript transcript) throws Exception {
        run(
                connection,
                "CREATE TABLE meta (id INTEGER PRIMARY KEY AUTOINCREMENT, a VARCHAR(20) NOT NULL DEFAULT 'x', b NUMERIC(8,2))",
                "CREATE UNIQUE INDEX meta_a ON meta(a, b)",
                "CREATE TABLE meta_child (x INTEGER, m INTEGER REFERENCES meta(id) ON DELETE CASCADE, PRIMARY KEY (x, m))",
                "CREATE VIEW meta_view AS SELECT a FROM meta");
        var metadata = connection.getMetaData();
        transcript.strings("tables", metadata.getTables(null, null, "meta%", new String[] {"TABLE", "VIEW"}));
        transcript.strings("columns", metadata.getColumns(null, null, "meta%", "%"));
        transcript.strings("primary keys", metadata.getPrimaryKeys(null, null, "meta_child"));
        transcript.strings("imported", metadata.getImportedKeys(null, null, "meta_child"));
        transcript.strings("exported", metadata.getExportedKeys(null, null, "meta"));
        transcript.strings("indexes", metadata.getIndexInfo(null, null, "meta", false, false));
        transcript.strings("types", metadata.getTypeInfo());
        transcript.strings("table types", metadata.getTableTypes());
        transcript.call("product", metadata::getDatabaseProductName);
        transcript.call("version", metadata::getDatabaseProductVersion);
        transcript.call("driver", metadata::getDriverName);
        try (PreparedStatement select = connection.prepareStatement("SELECT id, a, b, a || b FROM meta")) {
            for (int i = 1; i <= 4; i++) {
                int column = i;
                transcript.call("type name " + i, () -> select.getMetaData().getColumnTypeName(column));
                transcript.call("type " + i, () -> select.getMetaData().getColumnType(column));
            }
        }
    }

    private static void dates(Connection connection, Transcript transcript) throws Exception {
        run(connection, "CREATE TABLE dates (a DATE, b TIMESTAMP)");
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO dates VALUES (?, ?)")) {
            insert.setDate(1, new Date(1_700_000_000_000L));
            insert.setTimestamp(2, new Timestamp(1_700_000_000_123L));
            insert.executeUpdate();
            insert.setString(1, "2024-02-29 12:00:00.000");
            insert.setString(2, "2024-02-29 12:34:56.789");
            insert.executeUpdate();
        }
        for (boolean autocommit : new boolean[] {true, false}) {
            connection.setAutoCommit(autocommit);
            try (Statement statement = connection.createStatement();
                    ResultSet rows = statement.executeQuery("SELECT a, b FROM dates ORDER BY rowid")) {
                while (rows.next()) {
                    transcript.call("date", () -> rows.getDate(1));
                    transcript.call("timestamp", () -> rows.getTimestamp("b"));
                    transcript.call("time", () -> rows.getTime(2));
                    transcript.call("type", () -> rows.getMetaData().getColumnType(2));
                }
            }
        }
        connection.setAutoCommit(true);
    }

    private static void streams(Connection connection, Transcript transcript) throws Exception {
        run(connection, "CREATE TABLE streams (a BLOB, b TEXT)");
        byte[] large = new byte[300_000];
        for (int i = 0; i < large.length; i++) {
            large[i] = (byte) (i * 31);
        }
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO streams VALUES (?, ?)")) {
            insert.setBinaryStream(1, new ByteArrayInputStream(large), large.length);
            insert.setCharacterStream(2, new StringReader("x€".repeat(5000)), 10_000);
            insert.executeUpdate();
            insert.setBytes(1, new byte[] {1});
            insert.setAsciiStream(2, new ByteArrayInputStream("ascii".getBytes(StandardCharsets.US_ASCII)), 5);
            insert.executeUpdate();
        }
        for (boolean autocommit : new boolean[] {true, false}) {
            connection.setAutoCommit(autocommit);
            try (Statement statement = connection.createStatement();
                    ResultSet rows = statement.executeQuery("SELECT * FROM streams ORDER BY rowid")) {
                while (rows.next()) {
                    transcript.call("binary", () -> rows.getBinaryStream(1).readAllBytes());
                    transcript.call("blob", () -> rows.getBlob(1).length());
                    transcript.call("text", () -> rows.getString(2).length());
                    transcript.call("clob", () -> rows.getClob(2).getSubString(1, 4));
                }
            }
        }
        connection.setAutoCommit(true);
    }

    private static void schemaChanges(Connection connection, Transcript transcript) throws Exception {
        run(connection, "CREATE TABLE schema1 (a)", "INSERT INTO schema1 VALUES (1)");
        rows(connection, transcript, "SELECT * FROM schema1");
        run(connection, "ALTER TABLE schema1 ADD COLUMN b DEFAULT 2");
        rows(connection, transcript, "SELECT * FROM schema1");
        run(
                connection,
                "CREATE INDEX schema1_a ON schema1(a)",
                "DROP INDEX schema1_a",
                "ALTER TABLE schema1 RENAME TO schema2");
        rows(connection, transcript, "SELECT * FROM schema2");
        run(connection, "DROP TABLE schema2");
        transcript.effect("dropped", () -> rows(connection, transcript, "SELECT * FROM schema2"));
    }

    private static void pragmas(Connection connection, Transcript transcript) throws Exception {
        run(connection, "PRAGMA user_version = 7");
        rows(connection, transcript, "PRAGMA user_version");
        rows(connection, transcript, "PRAGMA table_info('sqlite_schema')");
        rows(connection, transcript, "EXPLAIN QUERY PLAN SELECT * FROM sqlite_schema");
        rows(connection, transcript, "SELECT sqlite_version()");
    }

    private static void openResults(Connection connection, Transcript transcript) throws Exception {
        run(connection, "CREATE TABLE open (a)", "INSERT INTO open VALUES (1), (2), (3)");
        try (Statement reading = connection.createStatement();
                ResultSet rows = reading.executeQuery("SELECT a FROM open WHERE a < 10 ORDER BY a")) {
            while (rows.next()) {
                int a = rows.getInt(1);
                transcript.note("row", a);
                run(connection, "INSERT INTO open VALUES (" + (a + 10) + ")");
            }
        }
        rows(connection, transcript, "SELECT * FROM open ORDER BY a");
    }
}
