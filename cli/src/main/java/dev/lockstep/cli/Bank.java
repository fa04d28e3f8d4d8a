package dev.lockstep.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Random;

/**
 * The demo's database: accounts whose balances always add up to the same total, and a ledger with one row for each transfer. A
 * mixture of two states would show in the total. Not thread-safe.
 */
final class Bank implements AutoCloseable {

    static final int ACCOUNTS = 500;
    private static final int OPENING_BALANCE = 100;

    /** What all accounts hold together, always. */
    static final long TOTAL = (long) ACCOUNTS * OPENING_BALANCE;

    private final Connection connection;
    private final Random random = new Random(7);

    private Bank(Path database) throws SQLException {
        connection = connect(database);
    }

    /** Makes the database. */
    static Bank open(Path database) throws SQLException {
        Bank bank = new Bank(database);
        bank.execute("PRAGMA journal_mode=WAL");
        bank.execute("BEGIN");
        bank.execute("CREATE TABLE account (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL, note TEXT)");
        bank.execute("CREATE TABLE ledger (id INTEGER PRIMARY KEY, source INTEGER, target INTEGER, amount INTEGER)");
        bank.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " + ACCOUNTS
                + ") INSERT INTO account SELECT i, " + OPENING_BALANCE + ", hex(randomblob(100)) FROM n");
        bank.execute("COMMIT");
        return bank;
    }

    private static Connection connect(Path database) throws SQLException {
        return DriverManager.getConnection("jdbc:sqlite:" + database);
    }

    /** Moves money between two accounts, in a transaction of its own, as often as asked. */
    void transfer(int times) throws SQLException {
        try (PreparedStatement move =
                        connection.prepareStatement("UPDATE account SET balance = balance + ? WHERE id = ?");
                PreparedStatement enter =
                        connection.prepareStatement("INSERT INTO ledger (source, target, amount) VALUES (?, ?, ?)")) {
            for (int i = 0; i < times; i++) {
                int source = 1 + random.nextInt(ACCOUNTS);
                int target = 1 + random.nextInt(ACCOUNTS);
                int amount = 1 + random.nextInt(50);
                execute("BEGIN IMMEDIATE");
                move(move, source, -amount);
                move(move, target, amount);
                enter.setInt(1, source);
                enter.setInt(2, target);
                enter.setInt(3, amount);
                enter.executeUpdate();
                execute("COMMIT");
            }
        }
    }

    private static void move(PreparedStatement move, int account, int amount) throws SQLException {
        move.setInt(1, amount);
        move.setInt(2, account);
        move.executeUpdate();
    }

    /** Writes a text into a page, in a transaction of its own. */
    void note(String text) throws SQLException {
        try (PreparedStatement note = connection.prepareStatement("UPDATE account SET note = ? WHERE id = 1")) {
            note.setString(1, text);
            note.executeUpdate();
        }
    }

    private void execute(String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /**
     * What a reader of a database sees.
     *
     * @param total of all balances
     * @param transfers rows of the ledger
     * @param sound whether SQLite's own integrity check finds nothing
     */
    record Reading(long total, long transfers, boolean sound) {

        /** Whether it is some state that the bank was in. */
        boolean isWhole() {
            return total == TOTAL && sound;
        }
    }

    static Reading read(Path database) throws SQLException {
        try (Connection reader = connect(database);
                Statement statement = reader.createStatement()) {
            long total;
            long transfers;
            String state = "SELECT (SELECT sum(balance) FROM account), (SELECT count(*) FROM ledger)";
            try (ResultSet row = statement.executeQuery(state)) {
                row.next();
                total = row.getLong(1);
                transfers = row.getLong(2);
            }
            try (ResultSet row = statement.executeQuery("PRAGMA integrity_check")) {
                return new Reading(
                        total, transfers, row.next() && row.getString(1).equals("ok"));
            }
        }
    }

    /** All pages of a database as a reader sees them, through SQLite's online backup. */
    static byte[] pages(Path database) throws SQLException, IOException {
        Path copy = Files.createTempFile(database.getParent(), "pages-", ".db");
        try (Connection reader = connect(database);
                Statement statement = reader.createStatement()) {
            statement.executeUpdate("backup to '" + copy + "'");
            return Files.readAllBytes(copy);
        } finally {
            Files.delete(copy);
        }
    }

    @Override
    public void close() throws SQLException {
        connection.close();
    }
}
