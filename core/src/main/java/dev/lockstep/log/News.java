package dev.lockstep.log;

import java.util.function.BooleanSupplier;

/**
 * Where threads wait for one kind of news, so that other kinds wake nobody here. What they wait for is written to volatile fields before it is
 * told, and telling costs next to nothing while nobody waits.
 *
 * <p>Thread-safe.
 */
final class News {

    /** Changed under the monitor. */
    private volatile int waiting;

    /** Wakes those who wait, to look whether it is what they wait for. */
    void tell() {
        if (waiting > 0) {
            synchronized (this) {
                notifyAll();
            }
        }
    }

    /** @return whether it was reached; false after the timeout */
    synchronized boolean await(BooleanSupplier reached, long timeoutNanos) throws InterruptedException {
        long deadline = System.nanoTime() + timeoutNanos;
        waiting++;
        try {
            while (!reached.getAsBoolean()) {
                long left = deadline - System.nanoTime();
                if (left <= 0) {
                    return false;
                }
                wait(left / 1_000_000, (int) (left % 1_000_000));
            }
            return true;
        } finally {
            waiting--;
        }
    }
}
