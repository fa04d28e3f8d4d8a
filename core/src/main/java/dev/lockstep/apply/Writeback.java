package dev.lockstep.apply;

import dev.lockstep.io.Workers;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.util.concurrent.CompletableFuture;

/**
 * Has a large file written to disk while it is still being filled, so that little is left to wait for at its end.
 *
 * <p>{@link #wrote}, {@link #finish} and {@link #close} belong to one thread; the syncs run beside it, one at a time.
 */
final class Writeback {

    /** Bytes after which the next sync begins, if the last one is done. */
    private static final long STRETCH = 32 << 20;

    private final FileChannel channel;
    private long pending;
    private CompletableFuture<Void> running = CompletableFuture.completedFuture(null);

    Writeback(FileChannel channel) {
        this.channel = channel;
    }

    /** @throws IOException if an earlier sync failed: the system tells of a failure only once */
    void wrote(long bytes) throws IOException {
        pending += bytes;
        if (pending >= STRETCH && running.isDone()) {
            Workers.join(running);
            pending = 0;
            running = Workers.run(() -> channel.force(false));
        }
    }

    /** Makes everything durable. */
    void finish() throws IOException {
        Workers.join(running);
        channel.force(true);
    }

    /** Waits for a sync that is under way, so that the file can be closed. */
    void close() {
        running.exceptionally(failure -> null).join();
    }
}
