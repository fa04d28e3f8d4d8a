package dev.lockstep.stream;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/**
 * How far the replicas of one primary said that they are. What a replica once had counts also after it disconnected.
 *
 * <p>Thread-safe.
 */
public final class Acknowledgements {

    /** Replicas that copy anew have a new id each time; the one that was heard least recently is forgotten first. */
    private static final int REPLICAS_KEPT = 4096;

    /** The last frame applied, by replica. Guarded by itself. */
    private final Map<UUID, Long> applied = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<UUID, Long> eldest) {
            return size() > REPLICAS_KEPT;
        }
    };

    /** Notes that a replica has applied everything up to a frame. */
    public void applied(UUID replica, long frameNo) {
        synchronized (applied) {
            Long before = applied.put(replica, frameNo);
            if (before == null || before != frameNo) {
                applied.notifyAll();
            }
        }
    }

    /** How many replicas have applied that frame. */
    public int count(long frameNo) {
        synchronized (applied) {
            return (int) applied.values().stream().filter(at -> at >= frameNo).count();
        }
    }

    /**
     * Waits until {@code replicas} have applied a frame.
     *
     * @return how many have; fewer if the time passed
     */
    public int await(long frameNo, int replicas, long timeoutNanos) throws InterruptedException {
        long deadline = System.nanoTime() + timeoutNanos;
        synchronized (applied) {
            while (true) {
                int count = count(frameNo);
                long left = deadline - System.nanoTime();
                if (count >= replicas || left <= 0) {
                    return count;
                }
                TimeUnit.NANOSECONDS.timedWait(applied, left);
            }
        }
    }
}
