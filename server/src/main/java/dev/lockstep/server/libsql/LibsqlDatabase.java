package dev.lockstep.server.libsql;

import dev.lockstep.log.FrameLog;
import dev.lockstep.stream.Origin;
import java.io.IOException;
import java.nio.file.Path;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One database as libSQL's embedded replicas see it. Clients that ask for a snapshot at the same time, or shortly after another, share one.
 *
 * <p>Thread-safe.
 */
public final class LibsqlDatabase implements AutoCloseable {

    /** Frames of any other size are refused by the clients. */
    static final int PAGE_SIZE = 4096;

    private static final long SNAPSHOT_KEPT_SECONDS = 60;

    private final Origin origin;
    private final Path spoolDirectory;

    /** Proof that a client has said hello since this database is served. */
    private final String sessionToken = UUID.randomUUID().toString();

    /** Guarded by this, as is its count of users. */
    private @Nullable Snapshot snapshot;

    private volatile boolean closed;

    /** @param spoolDirectory where a copy of the whole database has space for a while */
    public LibsqlDatabase(Origin origin, Path spoolDirectory) {
        this.origin = origin;
        this.spoolDirectory = spoolDirectory;
    }

    String name() {
        return origin.name();
    }

    FrameLog log() {
        return origin.log();
    }

    String sessionToken() {
        return sessionToken;
    }

    /** Whether it is no longer served. */
    boolean isClosed() {
        return closed;
    }

    /**
     * A snapshot from which the log goes on. The caller gives it back with {@link #release}.
     *
     * @throws IOException if none can be taken
     */
    synchronized Snapshot snapshot() throws IOException {
        Snapshot current = snapshot;
        if (current == null || current.at().frameNo() < log().start().startFrameNo() - 1) {
            drop();
            current = Snapshot.take(origin, spoolDirectory);
            snapshot = current;
        }
        current.users++;
        return current;
    }

    synchronized void release(Snapshot used) {
        used.users--;
        if (used != snapshot || closed) {
            closeIfUnused(used);
        } else {
            Executor later = CompletableFuture.delayedExecutor(SNAPSHOT_KEPT_SECONDS, TimeUnit.SECONDS);
            later.execute(() -> forget(used));
        }
    }

    private synchronized void forget(Snapshot old) {
        if (old == snapshot && old.users == 0) {
            drop();
        }
    }

    private void drop() {
        Snapshot old = snapshot;
        snapshot = null;
        if (old != null) {
            closeIfUnused(old);
        }
    }

    private static void closeIfUnused(Snapshot old) {
        if (old.users == 0) {
            old.close();
        }
    }

    /** Ends the streams of its clients. The origin stays open. */
    @Override
    public synchronized void close() {
        closed = true;
        drop();
    }
}
