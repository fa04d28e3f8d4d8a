package dev.lockstep.capture;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Requests to the capture's thread to read the WAL once more. A request is a number; the thread takes the highest number before it reads
 * the wal-index and publishes it after it has captured what stood there, so an answered request has seen every commit that came before it,
 * whatever happened to the WAL in between.
 *
 * <p>Thread-safe; {@link #begin}, {@link #answer} and {@link #end} belong to the capture's thread.
 */
final class CatchUps {

    private final AtomicLong asked = new AtomicLong();

    /** The capture's thread while it runs. */
    private volatile @Nullable Thread worker;

    /** Written by the capture's thread, under the monitor. */
    private volatile long answered;

    /** Guarded by the monitor. */
    private boolean ended;

    void begin() {
        worker = Thread.currentThread();
    }

    long asked() {
        return asked.get();
    }

    long answered() {
        return answered;
    }

    /** Answers all requests up to {@code request}, which must have been asked before the wal-index was read. */
    void answer(long request) {
        if (request != answered) {
            synchronized (this) {
                answered = request;
                notifyAll();
            }
        }
    }

    /** Lets go of the capture's thread for a while. */
    void rest() {
        worker = null;
    }

    /** Sends all who wait away, now and later. */
    void end() {
        synchronized (this) {
            ended = true;
            notifyAll();
        }
        rest();
    }

    /** @return false if it was not answered within {@code nanos}, or the capture ended before */
    boolean await(long nanos) throws InterruptedException {
        long deadline = System.nanoTime() + nanos;
        long request = asked.incrementAndGet();
        LockSupport.unpark(worker);
        synchronized (this) {
            while (answered < request && !ended) {
                long left = deadline - System.nanoTime();
                if (left <= 0) {
                    return false;
                }
                wait(left / 1_000_000, (int) (left % 1_000_000));
            }
            return answered >= request;
        }
    }
}
