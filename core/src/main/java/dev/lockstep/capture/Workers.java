package dev.lockstep.capture;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The threads of all primaries of this process. A database has some only while there is something to do for it: at most one that
 * captures, one that syncs its log and one that checkpoints. Thread-safe.
 */
public final class Workers {

    private static final long KEEP_SECONDS = 5;
    private static final AtomicInteger threads = new AtomicInteger();

    private static final Executor POOL = new ThreadPoolExecutor(
            0, Integer.MAX_VALUE, KEEP_SECONDS, TimeUnit.SECONDS, new SynchronousQueue<>(), task -> {
                Thread thread = new Thread(task, "lockstep-primary-" + threads.incrementAndGet());
                thread.setDaemon(true);
                return thread;
            });

    private Workers() {}

    /** Begins a task. */
    public static void start(Runnable task) {
        POOL.execute(task);
    }

    /** Begins a task; what it throws is in the future. */
    public static CompletableFuture<Void> run(Runnable task) {
        return CompletableFuture.runAsync(task, POOL);
    }
}
