package dev.lockstep.sqlite;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/**
 * Copies a WAL into its database file on a thread and a connection of its own, while others append to it: SQLite's PASSIVE
 * checkpoint, which waits for nobody. Its syncs take most of its time.
 *
 * <p>Not thread-safe.
 */
public final class WalBackfill implements Closeable {

    private final Path path;
    private final ExecutorService executor;

    /** Opened by the first pass. Its thread's, and after {@link #collect} the caller's. */
    private @Nullable Connection connection;

    private @Nullable Future<?> pass;

    /** For a database that is open in WAL mode. */
    public WalBackfill(Path database) {
        this.path = database;
        this.executor = Executors.newSingleThreadExecutor(task -> {
            Thread thread = new Thread(task, "lockstep-backfill-" + path.getFileName());
            thread.setDaemon(true);
            return thread;
        });
    }

    /** Begins a pass; none may be running. */
    public void start() {
        if (pass != null) {
            throw new IllegalStateException("a pass is not collected yet");
        }
        pass = executor.submit(() -> {
            run();
            return null;
        });
    }

    private void run() throws IOException, SQLException {
        Connection opened = connection;
        if (opened == null) {
            opened = SqliteConnections.open(path);
            connection = opened;
        }
        SqliteConnections.text(opened, "PRAGMA wal_checkpoint(PASSIVE)");
    }

    /** Whether a pass was begun and not collected yet. */
    public boolean isStarted() {
        return pass != null;
    }

    /** Whether {@link #collect} will not wait. */
    public boolean isDone() {
        return pass == null || pass.isDone();
    }

    /** Waits for the pass, if there is one. */
    public void collect() throws IOException {
        Future<?> ending = pass;
        pass = null;
        if (ending == null) {
            return;
        }
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    ending.get();
                    return;
                } catch (InterruptedException e) {
                    interrupted = true; // a checkpoint cannot be left in the middle
                }
            }
        } catch (ExecutionException e) {
            throw failed(e.getCause());
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private IOException failed(@Nullable Throwable cause) {
        if (cause instanceof SQLException sql) {
            return SqliteConnections.translate(path, sql);
        }
        return cause instanceof IOException io ? io : new IOException(path + ": the backfill failed", cause);
    }

    /** Waits for a running pass, then closes the connection. */
    @Override
    public void close() throws IOException {
        try {
            collect();
        } finally {
            executor.shutdown();
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
