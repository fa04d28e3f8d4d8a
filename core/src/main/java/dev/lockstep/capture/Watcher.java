package dev.lockstep.capture;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Looks after the captures at rest, so that a database nobody writes to costs no thread: one for all of them reads a few words of each
 * wal-index every few milliseconds. Thread-safe.
 */
public final class Watcher {

    /** One millisecond, and one more for each so many captures: a look at one takes a quarter of a microsecond, much of it waiting for memory. */
    private static final int CAPTURES_PER_MILLI = 400;

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
            thread = new Thread(this::watch, "lockstep-watch");
            thread.setDaemon(true);
            thread.start();
        }
    }

    private synchronized void watch() {
        try {
            while (!resting.isEmpty()) {
                wakeThoseWhichMust();
                wait(1 + resting.size() / CAPTURES_PER_MILLI);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // nobody does
        } finally {
            thread = null;
        }
    }

    private void wakeThoseWhichMust() {
        for (Iterator<Resting> each = resting.iterator(); each.hasNext(); ) {
            Resting next = each.next();
            if (next.capture.wakes()) {
                each.remove();
                Workers.start(next.resume);
            }
        }
    }
}
