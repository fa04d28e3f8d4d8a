package dev.lockstep.log;

import dev.lockstep.CorruptException;
import dev.lockstep.io.StoredFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * What the slots of a commit index say.
 *
 * @param commits intact records in a row after the base
 * @param last the last of these, or the base
 * @param syncedTo the highest frame that the mark or any intact record knows to be durable
 */
record CommitSlots(int commits, CommitRecord last, long syncedTo) {

    static CommitSlots scan(SegmentReader reader) throws IOException {
        StoredFile file = reader.commitsFile();
        ByteBuffer buf = ByteBuffer.allocateDirect(1024 * CommitCodec.LENGTH).order(ByteOrder.LITTLE_ENDIAN);
        int commits = 0;
        CommitRecord last = reader.base();
        long syncedTo = Math.max(last.frameNo(), reader.syncedTo());
        boolean inRow = true;
        long offset = (long) (CommitCodec.BASE + 1) * CommitCodec.LENGTH;
        for (int length; (length = file.read(buf.clear(), offset)) >= CommitCodec.LENGTH; offset += buf.capacity()) {
            for (int at = 0; at + CommitCodec.LENGTH <= length; at += CommitCodec.LENGTH) {
                CommitRecord commit = CommitCodec.get(buf, at);
                inRow &= commit != null && commit.frameNo() > last.frameNo();
                if (commit != null) {
                    syncedTo = Math.max(syncedTo, CommitCodec.syncedTo(buf, at));
                    if (inRow) {
                        commits++;
                        last = commit;
                    }
                }
            }
        }
        return new CommitSlots(commits, last, syncedTo);
    }

    /** Refuses a segment that has lost something durable. */
    void checkSynced(SegmentReader reader) throws IOException {
        if (last.frameNo() < syncedTo) {
            throw new CorruptException(String.format(
                    "The commit record at offset %d of %s is damaged or missing: all up to frame %d was durable,"
                            + " but the last intact record before it is for frame %d",
                    (long) (CommitCodec.BASE + 1 + commits) * CommitCodec.LENGTH,
                    reader.commitsFile().path(),
                    syncedTo,
                    last.frameNo()));
        }
        long size = reader.frames().file().size();
        long expected = reader.header().offsetOf(syncedTo + 1);
        if (size < expected) {
            throw new CorruptException(String.format(
                    "%s ends at offset %d, within frame %d, but all up to frame %d (offset %d) was durable",
                    reader.frames().file().path(),
                    size,
                    reader.header().startFrameNo()
                            + Math.max(0, size - SegmentHeader.LENGTH)
                                    / FrameLayout.frameSize(reader.header().pageSize()),
                    syncedTo,
                    expected));
        }
        CommitRecord synced = reader.commit(reader.firstBeyond(syncedTo, commits) - 1);
        if (synced.frameNo() != syncedTo) {
            throw new CorruptException(String.format(
                    "%s: frame %d was durable, but no record ends there; the nearest is for frame %d",
                    reader.commitsFile().path(), syncedTo, synced.frameNo()));
        }
    }
}
