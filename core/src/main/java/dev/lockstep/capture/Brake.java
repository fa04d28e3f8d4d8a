package dev.lockstep.capture;

import java.io.IOException;
import java.util.concurrent.TimeUnit;

/**
 * Slows writers down while they fill the WAL faster than the disk takes it, as SQLite's own automatic checkpoints do, which make
 * the committing writer wait for the disk. It holds the write lock in turns, each short enough for a writer's busy timeout, with
 * pauses that are long enough for a waiting writer, which looks every 100 ms, to get its turn.
 *
 * <p>Not thread-safe: belongs to the capture's thread.
 */
final class Brake {

    /** No writer waits for longer than this at a time. */
    static final long HOLD_NANOS = TimeUnit.MILLISECONDS.toNanos(400);

    static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(150);

    /** From so many bytes of WAL on that are not in the database file yet. */
    static final long LIMIT_BYTES = 256 << 20;

    private final WriteLock lock;
    private final long limitBytes;
    private long turnedNanos;

    /** @param limitBytes of the WAL that may wait to be copied, such as {@link #LIMIT_BYTES} */
    Brake(WriteLock lock, long limitBytes, long nowNanos) {
        this.lock = lock;
        this.limitBytes = limitBytes;
        this.turnedNanos = nowNanos - PAUSE_NANOS;
    }

    /** @param uncopiedBytes of the WAL, while they are being copied */
    void step(long uncopiedBytes, long nowNanos) throws IOException {
        boolean tooMuch = uncopiedBytes >= limitBytes;
        if (lock.isHeld()) {
            if (!tooMuch || nowNanos - turnedNanos >= HOLD_NANOS) {
                lock.release();
                turnedNanos = nowNanos;
            }
        } else if (tooMuch && nowNanos - turnedNanos >= PAUSE_NANOS && lock.tryToHold()) {
            turnedNanos = nowNanos;
        }
    }
}
