package dev.lockstep.apply;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

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
            join();
            pending = 0;
            running = CompletableFuture.runAsync(this::sync, task -> {
                Thread thread = new Thread(task, "lockstep-writeback");
                thread.setDaemon(true);
                thread.start();
            });
        }
    }

    /** Makes everything durable. */
    void finish() throws IOException {
        join();
        channel.force(true);
    }

    /** Waits for a sync that is under way, so that the file can be closed. */
    void close() {
        running.exceptionally(failure -> null).join();
    }

    private void sync() {
        try {
            channel.force(false);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void join() throws IOException {
        try {
            running.join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof UncheckedIOException io ? io.getCause() : new IOException(e.getCause());
        }
    }
}
