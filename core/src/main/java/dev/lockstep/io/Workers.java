package dev.lockstep.io;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The threads of all databases of this process, which nobody interrupts. A database has some, a few, only while there is something to do for
 * it: capture, syncs, a checkpoint. Thread-safe.
 */
public final class Workers {

    private static final long KEEP_SECONDS = 5;
    private static final AtomicInteger threads = new AtomicInteger();

    private static final Executor POOL = new ThreadPoolExecutor(
            0, Integer.MAX_VALUE, KEEP_SECONDS, TimeUnit.SECONDS, new SynchronousQueue<>(), task -> {
                Thread thread = new Thread(task, "lockstep-worker-" + threads.incrementAndGet());
                thread.setDaemon(true);
                return thread;
            });

    /** A task that may touch files. */
    public interface Task {
        void run() throws IOException;
    }

    private Workers() {}

    /** Begins a task. */
    public static void start(Runnable task) {
        POOL.execute(task);
    }

    /** Begins a task; what it throws is in the future, for {@link #join}. */
    public static CompletableFuture<Void> run(Task task) {
        return CompletableFuture.runAsync(
                () -> {
                    try {
                        task.run();
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                },
                POOL);
    }

    /** Waits for a task, whatever interrupts there are, and throws what it threw. */
    public static void join(CompletableFuture<Void> task) throws IOException {
        try {
            task.join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof UncheckedIOException io ? io.getCause() : new IOException(e.getCause());
        }
    }
}
