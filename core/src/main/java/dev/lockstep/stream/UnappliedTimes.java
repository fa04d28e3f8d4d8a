package dev.lockstep.stream;

import dev.lockstep.log.CommitRecord;
import java.util.ArrayDeque;
import java.util.List;

/**
 * When the transactions were committed that a replica has been sent and not yet applied, coarsely: a bounded number of entries, each
 * for a stretch of frames. Not thread-safe.
 */
final class UnappliedTimes {

    private static final int MOST = 128;

    /** @param millis when the first transaction of the stretch was committed */
    private record Stretch(long lastFrameNo, long millis) {}

    private final ArrayDeque<Stretch> stretches = new ArrayDeque<>();

    void sent(long lastFrameNo, List<CommitRecord> commits) {
        if (commits.isEmpty()) {
            return;
        }
        if (stretches.size() < MOST) {
            stretches.addLast(new Stretch(lastFrameNo, commits.get(0).timeMillis()));
        } else {
            stretches.addLast(new Stretch(lastFrameNo, stretches.removeLast().millis));
        }
    }

    void applied(long frameNo) {
        while (!stretches.isEmpty() && stretches.getFirst().lastFrameNo <= frameNo) {
            stretches.removeFirst();
        }
    }

    /** Commit time of the oldest transaction that is not applied, ms since 1970, or -1 when there is none. */
    long oldestMillis() {
        return stretches.isEmpty() ? -1 : stretches.getFirst().millis;
    }
}
