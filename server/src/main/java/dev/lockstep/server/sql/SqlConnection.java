package dev.lockstep.server.sql;

import dev.lockstep.sqlite.SqliteConnections;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.sqlite.BusyHandler;
import org.sqlite.SQLiteConnection;
import org.sqlite.SQLiteLimits;
import org.sqlite.core.DB;

/**
 * A connection to SQLite below JDBC, which would lose extended codes, parameters by number, and the state of transactions.
 *
 * <p>Not thread-safe, but for {@link #interrupt}.
 */
final class SqlConnection implements AutoCloseable {

    private static final long LONGEST_PAUSE = TimeUnit.MILLISECONDS.toNanos(5);
    private static final long FIRST_PAUSE = TimeUnit.MICROSECONDS.toNanos(50);

    private final SQLiteConnection connection;
    private final DB db;

    /** Until when, and unless what, a lock of another program is waited for; written by the thread that runs the statement. */
    private long waitUntil;

    private BooleanSupplier givenUp = () -> false;

    private boolean changed;

    // Compiled once they are needed; closed with the connection.
    private @Nullable Prepared rowidQuery;
    private @Nullable Prepared begin;
    private @Nullable Prepared commit;

    private SqlConnection(SQLiteConnection connection) {
        this.connection = connection;
        this.db = connection.getDatabase();
    }

    static SqlConnection open(Path database, SqlLimits limits, boolean readOnly) throws IOException {
        Connection opened = SqliteConnections.open(database, readOnly);
        SqlConnection connection = new SqlConnection((SQLiteConnection) opened);
        try {
            connection.configure(limits);
        } catch (SQLException e) {
            SqliteConnections.closeQuietly(opened);
            throw SqliteConnections.translate(database, e);
        }
        return connection;
    }

    private void configure(SqlLimits limits) throws SQLException {
        connection.setLimit(SQLiteLimits.SQLITE_LIMIT_ATTACHED, 0);
        connection.setLimit(SQLiteLimits.SQLITE_LIMIT_VARIABLE_NUMBER, SqlLimits.PARAMETERS);
        connection.setLimit(SQLiteLimits.SQLITE_LIMIT_LENGTH, limits.valueBytes());
        handleBusy();
    }

    /** SQLite asks here, instead of sleeping where nothing could wake it. */
    private void handleBusy() throws SQLException {
        BusyHandler.setHandler(connection, new BusyHandler() {
            @Override
            protected int callback(int times) {
                long left = waitUntil - System.nanoTime();
                if (left <= 0 || givenUp.getAsBoolean()) {
                    return 0;
                }
                LockSupport.parkNanos(Math.min(left, Math.min(LONGEST_PAUSE, FIRST_PAUSE << Math.min(times, 10))));
                return 1;
            }
        });
    }

    /** How long the next statements wait for locks of other programs: until {@code deadline}, or until {@code stop} says so. */
    void waitForLocks(long deadline, BooleanSupplier stop) {
        waitUntil = deadline;
        givenUp = stop;
    }

    /** Ends what runs now with SQLITE_INTERRUPT; nothing if nothing runs. */
    void interrupt() {
        try {
            db.interrupt();
        } catch (SQLException e) {
            throw new IllegalStateException(e); // declared, never thrown
        }
    }

    /** Compiles one statement. */
    Prepared prepare(String sql) throws SqlFailure {
        try {
            return new Prepared(db, connection.prepareStatement(sql));
        } catch (SQLException e) {
            throw SqlFailure.of(e);
        }
    }

    /** Runs a statement without parameters and rows. */
    void run(String sql) throws SqlFailure {
        try (Prepared prepared = prepare(sql)) {
            boolean more = prepared.execute(new Object[0]);
            while (more) {
                more = prepared.step();
            }
        }
    }

    /** Whether a transaction is open. sqlite-jdbc does not show SQLite's own answer, but a second BEGIN fails. */
    boolean inTransaction() throws SqlFailure {
        begin = begin == null ? prepare("BEGIN") : begin;
        commit = commit == null ? prepare("COMMIT") : commit;
        return !begin.succeeds() || !commit.succeeds();
    }

    long changes() throws SqlFailure {
        try {
            return db.changes();
        } catch (SQLException e) {
            throw SqlFailure.of(e);
        }
    }

    long totalChanges() throws SqlFailure {
        try {
            return db.total_changes();
        } catch (SQLException e) {
            throw SqlFailure.of(e);
        }
    }

    long lastInsertRowid() throws SqlFailure {
        rowidQuery = rowidQuery == null ? prepare("SELECT last_insert_rowid()") : rowidQuery;
        rowidQuery.execute(new Object[0]);
        Value rowid = rowidQuery.row().get(0);
        rowidQuery.reset();
        return rowid instanceof Value.Int number ? number.value() : 0;
    }

    /** VACUUM attaches a temporary database by itself. */
    void allowAttached(boolean allowed) throws SqlFailure {
        try {
            connection.setLimit(SQLiteLimits.SQLITE_LIMIT_ATTACHED, allowed ? 1 : 0);
        } catch (SQLException e) {
            throw SqlFailure.of(e);
        }
    }

    /** The connection got settings or temporary tables that the next session must not see. */
    void markChanged() throws SqlFailure {
        changed = true;
        try {
            handleBusy(); // PRAGMA busy_timeout took its place
        } catch (SQLException e) {
            throw SqlFailure.of(e);
        }
    }

    boolean isChanged() {
        return changed;
    }

    @Override
    public void close() {
        SqliteConnections.closeQuietly(connection);
    }
}
