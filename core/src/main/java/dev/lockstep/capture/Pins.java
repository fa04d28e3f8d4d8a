package dev.lockstep.capture;

import static dev.lockstep.sqlite.SqliteConnections.execute;
import static dev.lockstep.sqlite.SqliteConnections.text;

import dev.lockstep.sqlite.SqliteConnections;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;

/**
 * The read transaction that always exists while a database is captured, so that no checkpoint of any program recycles WAL frames
 * before they were captured.
 *
 * <p>While a pin stands at frame m, a checkpoint copies no frame past m, and the WAL is not reset; but for a pin that began when everything
 * was copied: it reads the database file alone, forbids any copying, and allows one reset. Either way, frames that were committed after
 * a pin began stay in the WAL until the pin ends.
 *
 * <p>A pin must not stand still either: a foreign RESTART or TRUNCATE checkpoint holds the write lock while it waits for it. So
 * it moves on, make before break: {@link #make} a second one, capture everything committed, {@link #breakOld} the first.
 *
 * <p>Not thread-safe.
 */
final class Pins implements Closeable {

    private final Path database;
    private final Connection[] connections;
    private int current;

    Pins(Path database) throws IOException {
        this.database = database;
        Connection first = SqliteConnections.openSmall(database);
        try {
            connections = new Connection[] {first, SqliteConnections.openSmall(database)};
        } catch (IOException e) {
            SqliteConnections.closeQuietly(first);
            throw e;
        }
    }

    /** Begins the very first pin. */
    void begin() throws IOException {
        begin(connections[current]);
    }

    /** Begins the next pin while the old one still stands. */
    void make() throws IOException {
        begin(connections[1 - current]);
    }

    /** Ends the old pin; everything committed before the next one began must have been captured. */
    void breakOld() throws IOException {
        end(connections[current]);
        current = 1 - current;
    }

    /** Gives up the pin that {@link #make} began; the old one stands. */
    void unmake() throws IOException {
        end(connections[1 - current]);
    }

    /**
     * Ends the pin and begins it anew. Only while this process holds the write lock and everything committed was captured and
     * copied: the new pin then reads the database file alone, and the next writer may reset the WAL.
     */
    void renew() throws IOException {
        end(connections[current]);
        begin(connections[current]);
    }

    /** Ends the only pin, so that nothing protects the WAL any more. */
    void end() throws IOException {
        end(connections[current]);
    }

    private void begin(Connection connection) throws IOException {
        try {
            execute(connection, "BEGIN");
            text(connection, "PRAGMA user_version"); // reads page 1, so the snapshot is taken now
        } catch (SQLException e) {
            throw SqliteConnections.translate(database, e);
        }
    }

    private void end(Connection connection) throws IOException {
        try {
            execute(connection, "ROLLBACK");
        } catch (SQLException e) {
            throw SqliteConnections.translate(database, e);
        }
    }

    @Override
    public void close() {
        for (Connection connection : connections) {
            SqliteConnections.closeQuietly(connection);
        }
    }
}
