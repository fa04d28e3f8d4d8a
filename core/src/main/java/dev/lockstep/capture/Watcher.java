package dev.lockstep.capture;

import dev.lockstep.io.Workers;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks after the captures at rest, so that a database nobody writes to costs no thread: one for all of them reads a few words of each
 * wal-index every few milliseconds. Thread-safe.
 */
public final class Watcher {

    private static final Logger logger = LoggerFactory.getLogger(Watcher.class);

    /** The pause is a millisecond, and one more for each so many captures: a look at one takes a quarter of a microsecond. */
    private static final int CAPTURES_PER_MILLI = 400;

    /** When there was no thread. */
    private static final long RETRY_MILLIS = 1000;

    private static final Watcher INSTANCE = new Watcher();

    private record Resting(Capture capture, Runnable resume) {}

    /** Guarded by this, as the thread is. */
    private final List<Resting> resting = new ArrayList<>();

    private @Nullable Thread thread;

    private Watcher() {}

    /** Runs {@code resume}, by another thread, as soon as the capture {@linkplain Capture#wakes wakes}. */
    public static void watch(Capture capture, Runnable resume) {
        INSTANCE.add(new Resting(capture, resume));
    }

    private synchronized void add(Resting next) {
        resting.add(next);
        if (thread == null) {
            Thread started = new Thread(this::watch, "lockstep-watch");
            started.setDaemon(true);
            started.start();
            thread = started;
        }
    }

    private synchronized void watch() {
        try {
            while (!resting.isEmpty()) {
                boolean allWoken = wakeThoseWhichMust();
                wait(allWoken ? 1 + resting.size() / CAPTURES_PER_MILLI : RETRY_MILLIS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // nobody does
        } finally {
            thread = null;
        }
    }

    private static boolean wakes(Capture capture) {
        try {
            return capture.wakes();
        } catch (Throwable e) {
            return true; // what is wrong with it, it finds out itself
        }
    }

    /** @return false if the system had no thread for one, which then sleeps on */
    private boolean wakeThoseWhichMust() {
        for (Iterator<Resting> each = resting.iterator(); each.hasNext(); ) {
            Resting next = each.next();
            if (wakes(next.capture)) {
                try {
                    Workers.start(next.resume);
                } catch (OutOfMemoryError e) {
                    logger.error("A database is not captured until there is a thread for it: {}", e.getMessage());
                    return false;
                }
                each.remove();
            }
        }
        return true;
    }
}
