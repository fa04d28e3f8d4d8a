package dev.lockstep.stream;

import dev.lockstep.log.FrameLog;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the log from being pruned under a connected replica, though not without bound: one that falls too far behind is let go,
 * and told so when it comes to frames that are gone. Not thread-safe.
 */
final class RetentionHold implements AutoCloseable {

    /** Null once released. */
    private FrameLog.@Nullable Hold hold;

    private long frameNo;

    RetentionHold(FrameLog log, long frameNo) {
        this.hold = log.hold(frameNo);
        this.frameNo = frameNo;
    }

    /** The replica no longer needs the frames up to this one. */
    void moveTo(long newFrameNo) {
        if (hold != null && newFrameNo > frameNo) {
            frameNo = newFrameNo;
            hold.moveTo(newFrameNo);
        }
    }

    /** Lets go if the replica needs more than that many frames before the head. */
    void releaseIfBeyond(long head, long frames) {
        if (head - frameNo > frames) {
            close();
        }
    }

    @Override
    public void close() {
        if (hold != null) {
            hold.close();
            hold = null;
        }
    }
}
