package dev.lockstep.server.hrana;

import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The threads on which SQL runs, in two groups. Those who begin share a number of threads and a bounded queue. Those who hold a transaction get a
 * thread at once: if they queued behind others that wait for the write lock they hold, nobody would get on. Thread-safe.
 */
final class Workers implements AutoCloseable {

    /** Many, since most of them wait: for their turn to write, or for a connection. */
    private static final int BEGINNERS = 256;

    private static final long KEEP_SECONDS = 30;

    private final ThreadPoolExecutor beginners;
    private final ThreadPoolExecutor holders;

    Workers(Limits limits) {
        beginners = pool("lockstep-sql-", BEGINNERS, BEGINNERS, new LinkedBlockingQueue<>(limits.waiting()));
        beginners.allowCoreThreadTimeOut(true);
        // For each stream one that runs and one that fetches from its cursor or closes it.
        holders = pool("lockstep-sql-tx-", 0, 2 * limits.streams(), new SynchronousQueue<>());
    }

    private static ThreadPoolExecutor pool(String name, int core, int max, BlockingQueue<Runnable> queue) {
        AtomicInteger threads = new AtomicInteger();
        return new ThreadPoolExecutor(core, max, KEEP_SECONDS, TimeUnit.SECONDS, queue, task -> {
            Thread thread = new Thread(task, name + threads.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        });
    }

    Executor beginners() {
        return beginners;
    }

    Executor holders() {
        return holders;
    }

    @Override
    public void close() {
        beginners.shutdown();
        holders.shutdown();
    }

    /** Tasks of one stream: one at a time, in the order in which they came. */
    static final class Line {

        private final Queue<Runnable> tasks = new ArrayDeque<>();
        private boolean running;

        /**
         * Adds a task; it runs on the executor, or after those before it on theirs. Called by one thread at a time.
         *
         * @throws RejectedExecutionException if nothing is before it and the executor takes no more
         */
        void add(Executor executor, Runnable task) {
            synchronized (this) {
                tasks.add(task);
                if (running) {
                    return;
                }
                running = true;
            }
            try {
                executor.execute(this::run);
            } catch (RejectedExecutionException e) {
                synchronized (this) {
                    tasks.clear();
                    running = false;
                }
                throw e;
            }
        }

        private void run() {
            Runnable task;
            while ((task = next()) != null) {
                task.run();
            }
        }

        private synchronized @Nullable Runnable next() {
            Runnable task = tasks.poll();
            running = task != null;
            return task;
        }
    }
}
