package dev.lockstep.capture;

import static dev.lockstep.sqlite.SqliteConnections.execute;

import dev.lockstep.UnavailableException;
import dev.lockstep.sqlite.SqliteConnections;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.TimeUnit;

/**
 * SQLite's write lock on the primary's database, under which nothing is ever written. It is not queued for, but tried again and again,
 * which finds the moment between two transactions even of a writer that does nothing else.
 *
 * <p>Not thread-safe: belongs to the capture's thread.
 */
final class WriteLock {

    /** For so long it is tried in one round of capture. */
    private static final long TRY_NANOS = TimeUnit.MILLISECONDS.toNanos(2);

    private final Path database;
    private final Connection connection;
    private boolean held;

    /** @param connection for this alone */
    WriteLock(Path database, Connection connection) throws IOException {
        this.database = database;
        this.connection = connection;
        run("PRAGMA busy_timeout=0");
    }

    boolean isHeld() {
        return held;
    }

    /** Whether it is held now. */
    boolean tryToHold() throws IOException {
        long start = System.nanoTime();
        while (!held && System.nanoTime() - start < TRY_NANOS) {
            try {
                run("BEGIN IMMEDIATE");
                held = true;
            } catch (UnavailableException othersHoldIt) {
                Thread.onSpinWait();
            }
        }
        return held;
    }

    void release() throws IOException {
        if (held) {
            held = false;
            run("ROLLBACK");
        }
    }

    private void run(String sql) throws IOException {
        try {
            execute(connection, sql);
        } catch (SQLException e) {
            throw SqliteConnections.translate(database, e);
        }
    }
}
