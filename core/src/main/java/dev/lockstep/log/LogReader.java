package dev.lockstep.log;

import dev.lockstep.CorruptException;
import dev.lockstep.NeedsSnapshotException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/**
 * Reads a log's frames in order and checks each one, so that damage on this disk is found here and not at a replica. (Seals are left
 * to those who receive: they cost several times more than all the rest.)
 *
 * <p>Not thread-safe. Many readers can read one log while it is appended to. Retention does not wait for a reader: take a
 * {@link FrameLog#hold}.
 */
public final class LogReader implements Closeable {

    private final FrameLog log;
    private final FrameCheck check;
    private final int frameSize;

    /** The last frame read, and its checksum. */
    private long frameNo;

    private long checksum;

    /** The segment being read, and its open files. */
    private Segment segment;

    private SegmentReader source;

    /** The place in the segment of the first transaction that ends beyond {@link #frameNo}. */
    private int nextCommit;

    LogReader(FrameLog log, long afterFrameNo) throws IOException {
        this.log = log;
        int pageSize = log.start().pageSize();
        this.check = new FrameCheck(pageSize);
        this.frameSize = FrameLayout.frameSize(pageSize);
        this.frameNo = afterFrameNo;
        this.segment = log.segment(afterFrameNo + 1);
        this.source = log.open(segment);
        try {
            checksum = source.frames().checksumAt(afterFrameNo);
            nextCommit = source.firstBeyond(afterFrameNo, segment.commits());
        } catch (Throwable e) {
            source.close();
            throw e;
        }
    }

    /** The last frame read, or the one this reader started after. */
    public long frameNo() {
        return frameNo;
    }

    /**
     * Reads whole frames into the buffer, from its position on, as many as there are and fit; moves the position.
     *
     * @param dst little-endian, with space for at least one frame; a direct buffer saves a copy
     * @param commits gets the records of the transactions that end within these frames
     * @param upToFrameNo the last frame wanted, for example that of {@link FrameLog#durable}; frames beyond the log's head are
     *     never read
     * @return the number of frames read; 0 when there are none now
     * @throws CorruptException if a frame or record is damaged; the buffer's position has not moved then
     * @throws NeedsSnapshotException if retention was faster
     */
    public int read(ByteBuffer dst, List<CommitRecord> commits, long upToFrameNo) throws IOException {
        if (dst.order() != ByteOrder.LITTLE_ENDIAN || dst.remaining() < frameSize) {
            throw new IllegalArgumentException(dst + " cannot take a frame of " + frameSize + " bytes, little-endian");
        }
        long last = Math.min(upToFrameNo, log.head().frameNo());
        if (frameNo >= last) {
            return 0;
        }
        goToSegmentOf(frameNo + 1);
        last = Math.min(last, segment.last().frameNo());
        int count = (int) Math.min(last - frameNo, dst.remaining() / frameSize);
        int start = dst.position();
        int known = commits.size();
        source.frames().read(dst, frameNo + 1, count);
        try {
            addCommits(commits, frameNo + count);
            check(dst, start, commits.subList(known, commits.size()));
        } catch (CorruptException e) {
            dst.position(start);
            commits.subList(known, commits.size()).clear();
            throw e;
        }
        frameNo += count;
        checksum = FrameLayout.checksum(dst, dst.position() - frameSize);
        nextCommit += commits.size() - known;
        return count;
    }

    private void goToSegmentOf(long next) throws IOException {
        if (next > segment.last().frameNo()) {
            Segment following = log.segment(next);
            SegmentReader opened = log.open(following);
            source.close();
            source = opened;
            segment = following;
            nextCommit = 1;
        }
    }

    private void addCommits(List<CommitRecord> commits, long upToFrameNo) throws IOException {
        source.commits(nextCommit, segment.commits() + 1, commit -> {
            boolean within = commit.frameNo() <= upToFrameNo;
            if (within) {
                commits.add(commit);
            }
            return within;
        });
    }

    /** Checks the frames from {@code start} to the position: each by itself, and that exactly these commits end there. */
    private void check(ByteBuffer buf, int start, List<CommitRecord> commits) throws CorruptException {
        long previous = checksum;
        int next = 0;
        for (int at = start; at < buf.position(); at += frameSize) {
            long expectedNo = frameNo + 1 + (at - start) / frameSize;
            FrameFault fault = check.check(buf, at, expectedNo, previous);
            previous = FrameLayout.checksum(buf, at);
            if (fault == null) {
                boolean ends = next < commits.size() && commits.get(next).frameNo() == expectedNo;
                fault = FrameCheck.checkEnd(buf, at, ends ? commits.get(next++) : null);
            }
            if (fault != null) {
                throw new CorruptException(String.format(
                        "Frame %d at offset %d of %s is damaged: %s. Restore the log's directory from a copy, or"
                                + " start a new log",
                        expectedNo,
                        segment.header.offsetOf(expectedNo),
                        source.frames().file().path(),
                        fault));
            }
        }
    }

    @Override
    public void close() throws IOException {
        source.close();
    }
}
