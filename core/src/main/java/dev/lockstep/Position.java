package dev.lockstep;

import java.util.UUID;

/**
 * A point in one history: everything up to and including frame {@code frameNo} of log {@code logId}.
 *
 * <p>Two positions with the same log, frame number and checksum stand for the same pages, because the checksum is the end of
 * the chain over all pages before it. Frame numbers start at 0, as libSQL's do; {@code frameNo} -1 is the position before the
 * first frame.
 *
 * @param logId the history
 * @param frameNo the last frame included, at least -1
 * @param checksum the chain's checksum at that frame
 */
public record Position(UUID logId, long frameNo, long checksum) {

    public Position {
        if (frameNo < -1) {
            throw new IllegalArgumentException("frame number " + frameNo + " is below -1");
        }
    }

    @Override
    public String toString() {
        return "frame " + frameNo + " (checksum " + String.format("%016x", checksum) + ") of log " + logId;
    }
}
