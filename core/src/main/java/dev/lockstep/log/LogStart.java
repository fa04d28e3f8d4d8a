package dev.lockstep.log;

import java.util.UUID;

/**
 * Where a log begins: the history it belongs to and the state before its first frame.
 *
 * @param logId the history
 * @param pageSize 512 to 65536
 * @param startFrameNo the number of the first frame; those below it were compacted away
 * @param startChecksum the chain's checksum before the first frame
 * @param startState the state checksum before the first frame
 * @param startPages the database size in pages before the first frame
 */
public record LogStart(
        UUID logId, int pageSize, long startFrameNo, long startChecksum, long startState, int startPages) {

    public LogStart {
        FrameLayout.requirePageSize(pageSize);
        if (startFrameNo < 0) {
            throw new IllegalArgumentException("start frame number " + startFrameNo + " is negative");
        }
    }
}
