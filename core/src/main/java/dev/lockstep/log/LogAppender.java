package dev.lockstep.log;

import dev.lockstep.io.CrashPoint;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ForkJoinTask;

/**
 * The appender's place in the history: checks frames, writes them and seals the transactions they complete.
 *
 * <p>Not thread-safe.
 */
final class LogAppender {

    /** From this many bytes on, a second thread seals while this one writes: hashing is about as slow as writing. */
    private static final int SHARED_WORK = 256 * 1024;

    private final FrameCheck check;
    private final int frameSize;
    private final SealHasher hasher = new SealHasher();

    /** The last frame written and its checksum. */
    private long frameNo;

    private long checksum;

    /** The last transaction sealed. */
    private Seal seal;

    /** Whether the last frame written was not a commit frame; the hasher has begun then. */
    private boolean inTransaction;

    LogAppender(int pageSize, CommitRecord head) {
        this.check = new FrameCheck(pageSize);
        this.frameSize = FrameLayout.frameSize(pageSize);
        this.seal = head.seal();
        resetTo(head);
    }

    void resetTo(CommitRecord head) {
        frameNo = head.frameNo();
        checksum = head.checksum();
        seal = head.seal();
        inTransaction = false;
    }

    boolean inTransaction() {
        return inTransaction;
    }

    /**
     * Writes the frames that remain in the buffer, and returns the records of the commits, which are the caller's to write. After a
     * failure the state must be reset.
     */
    List<CommitRecord> write(SegmentWriter segment, ByteBuffer frames, PageCrcs crcs, List<Commit> commits)
            throws IOException {
        check(frames, crcs, commits);
        ByteBuffer toSeal = frames.duplicate().order(frames.order());
        List<CommitRecord> records;
        if (frames.remaining() < SHARED_WORK) {
            records = seal(toSeal, commits);
            writeFrames(segment, frames.duplicate());
        } else {
            ForkJoinTask<List<CommitRecord>> sealing = ForkJoinPool.commonPool().submit(() -> seal(toSeal, commits));
            try {
                writeFrames(segment, frames.duplicate());
            } finally {
                sealing.quietlyJoin(); // also when the write failed: the buffer and the hasher are not the caller's
                // before
            }
            records = sealing.join();
        }
        if (frames.hasRemaining()) {
            frameNo += frames.remaining() / frameSize;
            checksum = FrameLayout.checksum(frames, frames.limit() - frameSize);
            frames.position(frames.limit());
        }
        return records;
    }

    private void check(ByteBuffer frames, PageCrcs crcs, List<Commit> commits) {
        if (frames.order() != ByteOrder.LITTLE_ENDIAN || frames.remaining() % frameSize != 0) {
            throw new IllegalArgumentException(
                    frames + " does not hold whole frames of " + frameSize + " bytes, little-endian");
        }
        if (crcs.size() != frames.remaining() / frameSize) {
            throw new IllegalArgumentException(
                    crcs.size() + " content CRCs for " + frames.remaining() / frameSize + " frames");
        }
        int next = 0;
        long expected = frameNo + 1;
        long previous = checksum;
        for (int at = frames.position(); at < frames.limit(); at += frameSize, expected++) {
            FrameFault fault = check.check(frames, at, expected, previous, crcs.get((int) (expected - frameNo - 1)));
            if (fault != null) {
                throw new IllegalArgumentException("Frame " + expected + " does not continue the log: " + fault);
            }
            boolean ends = next < commits.size() && commits.get(next).end() == at + frameSize;
            if (ends != (FrameLayout.sizeAfter(frames, at) != 0)) {
                throw new IllegalArgumentException("Frame " + expected
                        + (ends ? " ends a transaction, but has" : " has a size after, but ends") + " none");
            }
            next += ends ? 1 : 0;
            previous = FrameLayout.checksum(frames, at);
        }
        if (next != commits.size()) {
            throw new IllegalArgumentException(commits.get(next) + " is not the end of a frame");
        }
    }

    private List<CommitRecord> seal(ByteBuffer frames, List<Commit> commits) {
        List<CommitRecord> records = new ArrayList<>(commits.size());
        int limit = frames.limit();
        for (Commit commit : commits) {
            hash(frames.limit(commit.end()));
            seal = hasher.finish(commit.timeMillis(), commit.stateChecksum());
            inTransaction = false;
            records.add(record(frames, commit));
        }
        if (frames.limit(limit).hasRemaining()) {
            hash(frames);
        }
        return records;
    }

    private void hash(ByteBuffer frames) {
        if (!inTransaction) {
            hasher.begin(seal);
            inTransaction = true;
        }
        hasher.update(frames);
    }

    private CommitRecord record(ByteBuffer frames, Commit commit) {
        int last = commit.end() - frameSize;
        return new CommitRecord(
                FrameLayout.frameNo(frames, last),
                FrameLayout.checksum(frames, last),
                FrameLayout.sizeAfter(frames, last),
                commit.timeMillis(),
                commit.stateChecksum(),
                commit.wal(),
                seal);
    }

    private void writeFrames(SegmentWriter segment, ByteBuffer frames) throws IOException {
        long first = frameNo + 1;
        if (CrashPoint.LOG_FRAMES_HALF_WRITTEN.isArmed()) {
            segment.writeFrames(frames.slice(frames.position(), frames.remaining() / 2), first);
            CrashPoint.LOG_FRAMES_HALF_WRITTEN.reached();
        }
        segment.writeFrames(frames, first);
    }
}
