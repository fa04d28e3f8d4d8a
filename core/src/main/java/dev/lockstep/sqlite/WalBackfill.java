package dev.lockstep.sqlite;

import dev.lockstep.io.Workers;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Copies a WAL into its database file on another thread and a connection of its own, while others append to it: SQLite's PASSIVE
 * checkpoint, which waits for nobody. Its syncs take most of its time.
 *
 * <p>Not thread-safe.
 */
public final class WalBackfill implements Closeable {

    private final Path path;

    /** Opened by the first pass. The pass's, and after {@link #collect} the caller's. */
    private @Nullable Connection connection;

    private @Nullable CompletableFuture<Void> pass;

    /** For a database that is open in WAL mode. */
    public WalBackfill(Path database) {
        this.path = database;
    }

    /** Begins a pass; none may be running. */
    public void start() {
        if (pass != null) {
            throw new IllegalStateException("a pass is not collected yet");
        }
        pass = Workers.run(this::run);
    }

    private void run() throws IOException {
        try {
            Connection opened = connection;
            if (opened == null) {
                opened = SqliteConnections.open(path);
                connection = opened;
            }
            SqliteConnections.text(opened, "PRAGMA wal_checkpoint(PASSIVE)");
        } catch (SQLException e) {
            throw SqliteConnections.translate(path, e);
        }
    }

    /** Whether a pass was begun and not collected yet. */
    public boolean isStarted() {
        return pass != null;
    }

    /** Whether {@link #collect} will not wait. */
    public boolean isDone() {
        return pass == null || pass.isDone();
    }

    /** Waits for the pass, if there is one; an interrupt is kept for later, since a checkpoint cannot be left in the middle. */
    public void collect() throws IOException {
        CompletableFuture<Void> ending = pass;
        pass = null;
        if (ending != null) {
            Workers.join(ending);
        }
    }

    /** Waits for a running pass, then closes the connection. */
    @Override
    public void close() throws IOException {
        try {
            collect();
        } finally {
            closeConnection();
        }
    }

    private void closeConnection() throws IOException {
        Connection opened = connection;
        connection = null;
        if (opened != null) {
            try {
                opened.close();
            } catch (SQLException e) {
                throw SqliteConnections.translate(path, e);
            }
        }
    }
}
