package dev.lockstep.testing;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Random;

/**
 * Random transactions of every kind on one database, with an invariant over several tables that a mixture of two states breaks:
 * the balances always add up to {@link #TOTAL}, and the counter equals the newest row of the history. Seeded; not thread-safe.
 */
public final class Workload {

    public static final int ACCOUNTS = 200;
    public static final long TOTAL = ACCOUNTS * 1000L;

    /** One row: the total, the counter, the newest row of the history. */
    public static final String STATE =
            "SELECT (SELECT sum(balance) FROM account), (SELECT n FROM counter)," + " (SELECT max(n) FROM history)";

    private final Connection connection;
    private final Random random;

    /** @param connection in auto-commit mode */
    public Workload(Connection connection, long seed) {
        this.connection = connection;
        this.random = new Random(seed);
    }

    /** Makes the tables in an empty database. */
    public void create() throws SQLException {
        execute("BEGIN");
        execute("CREATE TABLE account (id INTEGER PRIMARY KEY, balance INTEGER, pad BLOB)");
        execute("WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < " + ACCOUNTS
                + ") INSERT INTO account SELECT n, 1000, randomblob(60) FROM i");
        execute("CREATE TABLE counter (n INTEGER)");
        execute("INSERT INTO counter VALUES (0)");
        execute("CREATE TABLE history (n INTEGER PRIMARY KEY)");
        execute("INSERT INTO history VALUES (0)");
        execute("CREATE TABLE junk (id INTEGER PRIMARY KEY, data BLOB)");
        execute("COMMIT");
    }

    /** One transaction of one page or a few. */
    public void small() throws SQLException {
        execute("BEGIN IMMEDIATE");
        transfer();
        execute("COMMIT");
    }

    /** One transaction, of any size and kind. */
    public void any() throws SQLException {
        int kind = random.nextInt(100);
        if (kind == 0) {
            execute("VACUUM");
            return;
        }
        execute("BEGIN IMMEDIATE");
        transfer();
        if (kind < 30) {
            execute("INSERT INTO junk (data) VALUES (randomblob(" + random.nextInt(20_000) + "))");
        } else if (kind < 33) {
            execute("INSERT INTO junk (data) VALUES (randomblob(" + random.nextInt(1_000_000) + "))");
        } else if (kind < 50) {
            execute("DELETE FROM junk WHERE id % 7 = " + random.nextInt(7));
        } else if (kind < 55) {
            execute("DELETE FROM junk");
            execute("PRAGMA incremental_vacuum");
        } else if (kind < 65) {
            execute("UPDATE junk SET data = randomblob(length(data)) WHERE id % 5 = " + random.nextInt(5));
        } else if (kind < 68) {
            execute("DROP TABLE IF EXISTS extra");
            execute("CREATE TABLE extra AS SELECT id, pad FROM account");
        } else if (kind < 70) {
            execute("UPDATE account SET pad = randomblob(" + random.nextInt(500) + ")");
        }
        execute(kind == 99 ? "ROLLBACK" : "COMMIT");
    }

    private void transfer() throws SQLException {
        int amount = random.nextInt(50);
        execute("UPDATE account SET balance = balance - " + amount + " WHERE id = " + account());
        execute("UPDATE account SET balance = balance + " + amount + " WHERE id = " + account());
        execute("UPDATE counter SET n = n + 1");
        execute("INSERT INTO history SELECT n FROM counter");
        execute("DELETE FROM history WHERE n < (SELECT n FROM counter) - 100");
    }

    private int account() {
        return 1 + random.nextInt(ACCOUNTS);
    }

    private void execute(String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** Reads the state and checks the invariant; returns the counter. */
    public static long check(Statement statement) throws SQLException {
        try (ResultSet row = statement.executeQuery(STATE)) {
            row.next();
            return check(row.getLong(1), row.getLong(2), row.getLong(3));
        }
    }

    /** Checks one row as the sqlite3 shell prints it; returns the counter. */
    public static long check(String row) {
        String[] parts = row.split("\\|");
        if (parts.length != 3) {
            throw new AssertionError("expected total|counter|newest, found: " + row);
        }
        return check(Long.parseLong(parts[0]), Long.parseLong(parts[1]), Long.parseLong(parts[2]));
    }

    private static long check(long total, long counter, long newest) {
        if (total != TOTAL || counter != newest) {
            throw new AssertionError("a mixture of states: balances add up to " + total + " of " + TOTAL
                    + ", the counter is " + counter + ", the newest row " + newest);
        }
        return counter;
    }
}
