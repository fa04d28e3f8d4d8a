package dev.lockstep.log;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Decides which of the oldest segments may go. Not thread-safe: {@link FrameLog} calls it under its own lock.
 */
final class Retention {

    private final FrameLog.Options options;
    private final Set<FrameLog.Hold> holds = new HashSet<>();

    Retention(FrameLog.Options options) {
        this.options = options;
    }

    void add(FrameLog.Hold hold) {
        holds.add(hold);
    }

    void remove(FrameLog.Hold hold) {
        holds.remove(hold);
    }

    /**
     * The oldest segments that nobody holds and that are too old, or beyond the bytes to retain. Never the newest segment.
     */
    List<Segment> expired(List<Segment> segments, long nowMillis) {
        long bytes = 0;
        for (Segment segment : segments) {
            bytes += segment.frameBytes();
        }
        List<Segment> expired = new ArrayList<>();
        for (Segment segment : segments.subList(0, segments.size() - 1)) {
            bytes -= segment.frameBytes();
            boolean tooMuch = bytes >= options.retainBytes();
            boolean tooOld = nowMillis - segment.last().timeMillis() > options.retainMillis();
            if (!(tooMuch || tooOld) || isHeld(segment)) {
                break;
            }
            expired.add(segment);
        }
        return expired;
    }

    private boolean isHeld(Segment segment) {
        long last = segment.last().frameNo();
        return holds.stream().anyMatch(hold -> hold.frameNo() < last);
    }
}
