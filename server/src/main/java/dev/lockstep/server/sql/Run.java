package dev.lockstep.server.sql;

import org.jspecify.annotations.Nullable;

/** A statement on its way, from waiting for its turn to its last row, and how it is stopped. Thread-safe. */
final class Run {

    enum Stop {
        NO,
        CANCELLED,
        TIMED_OUT
    }

    private final long deadline;

    // What it waits for, or runs on. Guarded by the monitor, so that no interrupt can hit the statement that follows.
    private FairQueue.@Nullable Ticket ticket;
    private @Nullable SqlConnection connection;

    private volatile Stop stop = Stop.NO;

    /** @param deadline in {@link System#nanoTime}, after which the watchdog stops it */
    Run(long deadline) {
        this.deadline = deadline;
    }

    Stop stop() {
        return stop;
    }

    boolean isStopped() {
        return stop != Stop.NO;
    }

    /**
     * Stops it, if it has not come to its end. An interrupt is lost on a statement that is just about to begin, so the watchdog repeats
     * it.
     */
    synchronized void stop(Stop reason) {
        if (stop == Stop.NO) {
            stop = reason;
        }
        if (ticket != null) {
            ticket.cancel();
        }
        if (connection != null) {
            connection.interrupt();
        }
    }

    void watch(long now) {
        if (isStopped() || now - deadline >= 0) {
            stop(Stop.TIMED_OUT);
        }
    }

    /** From now on it runs on {@code used}; null when it is at its end. */
    synchronized void use(@Nullable SqlConnection used) {
        connection = used;
    }

    /**
     * Waits for a place in {@code queue}.
     *
     * @return false if there was none within {@code nanos}, or if it was stopped
     */
    boolean await(FairQueue queue, long nanos) {
        FairQueue.Ticket own = queue.enter();
        try {
            hold(own);
            return own.await(isStopped() ? 0 : nanos);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } finally {
            hold(null);
        }
    }

    private synchronized void hold(FairQueue.@Nullable Ticket held) {
        ticket = held;
    }
}
