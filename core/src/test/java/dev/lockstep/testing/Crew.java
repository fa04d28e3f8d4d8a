package dev.lockstep.testing;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Threads that work until they are told to stop, and the first failure of any. Members are added by one thread. */
final class Crew {

    interface Task {
        void run() throws Exception;
    }

    private final String role;
    private final List<Thread> threads = new ArrayList<>();
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private volatile boolean stopped;

    /** @param role what its members are, for messages */
    Crew(String role) {
        this.role = role;
    }

    void start(String name, Task task) {
        Thread thread = new Thread(
                () -> {
                    try {
                        task.run();
                    } catch (Exception | AssertionError e) {
                        failure.compareAndSet(null, e);
                    }
                },
                role + "-" + name);
        threads.add(thread);
        thread.start();
    }

    /** Whether its members are to come to an end. */
    boolean isStopped() {
        return stopped;
    }

    void stop() {
        stopped = true;
    }

    void join() {
        for (Thread thread : threads) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    /** Throws what a member has met. */
    void check() {
        Throwable met = failure.get();
        if (met != null) {
            throw new AssertionError("a " + role + " failed: " + met, met);
        }
    }
}
