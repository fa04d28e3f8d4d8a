package dev.lockstep.stream;

import dev.lockstep.Position;
import dev.lockstep.log.CommitRecord;
import dev.lockstep.log.Seal;
import java.util.UUID;

/**
 * A commit of one history, as each side names it to the other: the same frame number, checksum and seal stand for the same
 * history up to there.
 *
 * @param frameNo the commit's last frame, -1 before the first
 */
public record Place(UUID logId, int pageSize, long frameNo, long checksum, Seal seal) {

    public Place {
        if (frameNo < -1) {
            throw new IllegalArgumentException("frame number " + frameNo + " is below -1");
        }
    }

    public static Place of(UUID logId, int pageSize, CommitRecord commit) {
        return new Place(logId, pageSize, commit.frameNo(), commit.checksum(), commit.seal());
    }

    public boolean isAt(CommitRecord commit) {
        return frameNo == commit.frameNo() && checksum == commit.checksum() && seal.equals(commit.seal());
    }

    public Position position() {
        return new Position(logId, frameNo, checksum);
    }

    /** Frame, checksum and the seal's beginning: what a person compares. */
    static String describe(long frameNo, long checksum, Seal seal) {
        return String.format("frame %d, checksum %016x, seal %s", frameNo, checksum, seal);
    }

    @Override
    public String toString() {
        return describe(frameNo, checksum, seal);
    }
}
