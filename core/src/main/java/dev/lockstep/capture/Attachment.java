package dev.lockstep.capture;

import static dev.lockstep.sqlite.SqliteConnections.text;

import dev.lockstep.sqlite.LiveDatabase;
import dev.lockstep.sqlite.SqliteConnections;
import dev.lockstep.sqlite.WalIndex;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/**
 * The SQLite connections of one capture: two for the pin, one that takes the write lock, one that checkpoints. Not thread-safe, except
 * that each connection may be used by one thread of its own.
 */
final class Attachment implements Closeable {

    private final LiveDatabase database;
    private final WalIndex walIndex;
    private final int pageSize;
    private final Connection writer;
    private final Connection checkpoint;
    private final Pins pins;
    private @Nullable Connection keeper;

    /** Opens the connections and begins the pin. */
    Attachment(Path path) throws IOException {
        writer = SqliteConnections.openWal(path);
        Connection opened = null;
        Pins begun = null;
        try {
            database = LiveDatabase.of(path);
            walIndex = database.walIndex();
            pageSize = SqliteConnections.header(database).pageSize();
            opened = SqliteConnections.openSmall(path);
            begun = new Pins(path);
            begun.begin();
        } catch (Throwable e) {
            if (begun != null) {
                begun.close();
            }
            if (opened != null) {
                SqliteConnections.closeQuietly(opened);
            }
            SqliteConnections.closeQuietly(writer);
            throw e;
        }
        checkpoint = opened;
        pins = begun;
    }

    LiveDatabase database() {
        return database;
    }

    WalIndex walIndex() {
        return walIndex;
    }

    int pageSize() {
        return pageSize;
    }

    /** Takes and gives back the write lock; it never writes. */
    Connection writer() {
        return writer;
    }

    Connection checkpoint() {
        return checkpoint;
    }

    Pins pins() {
        return pins;
    }

    /**
     * Has {@link #close} leave the WAL at its path alone. Else SQLite, if nobody else has the database open, copies the WAL that it
     * opened into the file, and deletes the one at its path.
     */
    void leaveWal() throws IOException {
        keeper = SqliteConnections.openKeeper(database.path());
    }

    /** Ends the pin, and cuts the WAL off, unless a transaction of somebody else is in the way. */
    void emptyWal() throws IOException {
        pins.close();
        try {
            text(checkpoint, "PRAGMA wal_checkpoint(TRUNCATE)");
        } catch (SQLException e) {
            throw SqliteConnections.translate(database.path(), e);
        }
    }

    @Override
    public void close() throws IOException {
        pins.close();
        SqliteConnections.closeQuietly(checkpoint);
        SqliteConnections.closeQuietly(writer);
        if (keeper != null) {
            SqliteConnections.closeQuietly(keeper);
        }
        database.afterClose();
    }
}
