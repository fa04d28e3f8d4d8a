package dev.lockstep.log;

/**
 * What the commit index holds of one transaction.
 *
 * @param frameNo its last frame
 * @param checksum the chain's checksum at that frame
 * @param sizeAfter database size in pages
 * @param timeMillis wall-clock time of the capture, ms since 1970
 * @param stateChecksum XOR over all pages of the mixed page number and content CRC
 * @param wal where the transaction ends in the primary's WAL
 * @param seal SHA-256 over the history up to here
 */
public record CommitRecord(
        long frameNo, long checksum, int sizeAfter, long timeMillis, long stateChecksum, WalMark wal, Seal seal) {

    public CommitRecord {
        if (frameNo < -1) {
            throw new IllegalArgumentException("frame number " + frameNo + " is below -1");
        }
    }

    /** The same commit at another place, or at none: a mark speaks of one WAL file only. */
    public CommitRecord withWal(WalMark mark) {
        return new CommitRecord(frameNo, checksum, sizeAfter, timeMillis, stateChecksum, mark, seal);
    }

    /** Whether both are the same commit of the same history, wherever it stands in a WAL. */
    public boolean isSameAs(CommitRecord other) {
        return withWal(WalMark.NONE).equals(other.withWal(WalMark.NONE));
    }

    /** The state before the first transaction of a history. */
    public static CommitRecord before(LogStart start) {
        return new CommitRecord(
                start.startFrameNo() - 1,
                start.startChecksum(),
                start.startPages(),
                0,
                start.startState(),
                WalMark.NONE,
                Seal.first(start));
    }
}
