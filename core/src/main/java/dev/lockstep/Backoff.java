package dev.lockstep;

import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * How long a replica waits before it connects again: at most 100 ms after a session that was of use, and twice as long after each that
 * was not, up to 10 s. What fails here fails again, mostly: a transaction for which the disk has no room would else be fetched without end.
 *
 * <p>Not thread-safe.
 */
final class Backoff {

    static final Duration FIRST = Duration.ofMillis(100);
    static final Duration LAST = Duration.ofSeconds(10);

    /** A session that ran for so long was worth the connection, though the primary may have had nothing to send. */
    static final Duration STEADY = Duration.ofSeconds(5);

    private final LongSupplier nanos;
    private long beganNanos;
    private Duration delay = FIRST;

    /** @param nanos a clock like {@link System#nanoTime} */
    Backoff(LongSupplier nanos) {
        this.nanos = nanos;
    }

    /** A session begins. */
    void begin() {
        beganNanos = nanos.getAsLong();
    }

    /**
     * The session has ended.
     *
     * @param applied whether readers see more than before it
     * @param followed whether it followed and nothing went wrong on this side
     * @return how long to wait at most
     */
    Duration end(boolean applied, boolean followed) {
        boolean steady = followed && nanos.getAsLong() - beganNanos >= STEADY.toNanos();
        Duration doubled = delay.multipliedBy(2);
        if (applied || steady) {
            delay = FIRST;
        } else {
            delay = doubled.compareTo(LAST) < 0 ? doubled : LAST;
        }
        return delay;
    }
}
