package dev.lockstep.log;

import dev.lockstep.CorruptException;
import dev.lockstep.io.Storage;
import dev.lockstep.io.StoredFile;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Reads the two files of one segment. It owns its open files, so it goes on reading a segment that retention has deleted.
 *
 * <p>Not thread-safe.
 */
final class SegmentReader implements Closeable {

    /** Commit records read at once when they are read in sequence. */
    private static final int RECORDS = 64;

    private final FrameFile frames;
    private final StoredFile commits;
    private final SegmentHeader header;
    private final CommitRecord base;
    private final long syncedTo;
    private final ByteBuffer records =
            ByteBuffer.allocate(RECORDS * CommitCodec.LENGTH).order(ByteOrder.LITTLE_ENDIAN);

    private SegmentReader(StoredFile frames, StoredFile commits) throws IOException {
        this.commits = commits;
        frames.read(records.limit(SegmentHeader.LENGTH), 0);
        this.header = SegmentHeader.decode(records.flip(), frames.path());
        this.frames = FrameFile.of(frames, header);
        int length = commits.read(records.clear().limit(CommitCodec.LENGTH), 0);
        records.put(length, new byte[CommitCodec.LENGTH - length]);
        CommitCodec.checkHeader(records, header, commits.path());
        this.syncedTo = CommitCodec.mark(records);
        this.base = commit(0);
        checkBase();
    }

    static SegmentReader open(Storage storage, long startFrameNo) throws IOException {
        StoredFile frames = storage.openForReading(Segment.framesName(startFrameNo));
        try {
            StoredFile commits = storage.openForReading(Segment.commitsName(startFrameNo));
            try {
                return new SegmentReader(frames, commits).named(startFrameNo);
            } catch (Throwable e) {
                commits.close();
                throw e;
            }
        } catch (Throwable e) {
            frames.close();
            throw e;
        }
    }

    private SegmentReader named(long startFrameNo) throws IOException {
        if (header.startFrameNo() != startFrameNo) {
            throw new CorruptException(String.format(
                    "%s says that its first frame is %d, its name says %d",
                    frames.file().path(), header.startFrameNo(), startFrameNo));
        }
        return this;
    }

    private void checkBase() throws IOException {
        if (base.frameNo() != header.startFrameNo() - 1 || base.checksum() != header.startChecksum()) {
            throw new CorruptException(String.format(
                    "The header of %s (start frame %d, start checksum %016x) does not continue the base record of %s"
                            + " (frame %d, checksum %016x)",
                    frames.file().path(),
                    header.startFrameNo(),
                    header.startChecksum(),
                    commits.path(),
                    base.frameNo(),
                    base.checksum()));
        }
    }

    SegmentHeader header() {
        return header;
    }

    /** The commit before the first frame. */
    CommitRecord base() {
        return base;
    }

    /** The last frame that the mark knew to be durable when this reader was opened, or -1. */
    long syncedTo() {
        return syncedTo;
    }

    FrameFile frames() {
        return frames;
    }

    StoredFile commitsFile() {
        return commits;
    }

    /** A record by its place in the segment: 0 is the base, 1 the first transaction. */
    CommitRecord commit(int index) throws IOException {
        long offset = (long) (CommitCodec.BASE + index) * CommitCodec.LENGTH;
        int length = commits.read(records.clear().limit(CommitCodec.LENGTH), offset);
        return decode(length == CommitCodec.LENGTH ? 0 : -1, offset);
    }

    /** Calls back for the records [from, to). */
    void commits(int from, int to, CommitVisitor visitor) throws IOException {
        for (int index = from; index < to; ) {
            long offset = (long) (CommitCodec.BASE + index) * CommitCodec.LENGTH;
            int wanted = Math.min(RECORDS, to - index);
            int length = commits.read(records.clear().limit(wanted * CommitCodec.LENGTH), offset);
            for (int i = 0; i < wanted; i++) {
                int at = i * CommitCodec.LENGTH;
                CommitRecord commit = decode(at + CommitCodec.LENGTH <= length ? at : -1, offset + at);
                if (!visitor.visit(commit)) {
                    return;
                }
            }
            index += wanted;
        }
    }

    interface CommitVisitor {
        /** Returns whether to go on. */
        boolean visit(CommitRecord commit) throws IOException;
    }

    private CommitRecord decode(int at, long offset) throws IOException {
        CommitRecord commit = at < 0 ? null : CommitCodec.get(records, at);
        if (commit == null) {
            throw new CorruptException("The commit record at offset " + offset + " of " + commits.path()
                    + (at < 0 ? " is missing" : " is damaged: its checksum does not fit"));
        }
        return commit;
    }

    /** The place of the first of {@code count} transactions that ends beyond the frame; count + 1 when there is none. */
    int firstBeyond(long frameNo, int count) throws IOException {
        int low = 1;
        int high = count + 1;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (commit(middle).frameNo() > frameNo) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return low;
    }

    @Override
    public void close() throws IOException {
        try {
            frames.file().close();
        } finally {
            commits.close();
        }
    }
}
