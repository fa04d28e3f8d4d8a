package dev.lockstep.verify;

import dev.lockstep.DivergedException;
import dev.lockstep.RefusedException;
import dev.lockstep.RefusedException.Kind;
import dev.lockstep.log.CommitRecord;
import dev.lockstep.log.FrameLayout;
import dev.lockstep.log.PageChain;
import dev.lockstep.log.Seal;
import dev.lockstep.log.SealHasher;
import dev.lockstep.log.WalMark;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.List;

/**
 * Takes frames and commit records as they come from a sender and lets through whole transactions that continue one history,
 * and nothing else. The rules, in the order in which they are tried; breaking one is refused with the kind in brackets:
 *
 * <pre>
 * buffer       1 holds whole frames only                                                   [MALFORMED]
 *              2 its commit records name frames of this buffer, in ascending order          [COMMIT_MISPLACED]
 * frame        3 its number is one more than the last one's                                 [GAP, REPEAT]
 *              4 its page number is 1 to 2^32 - 2, and not the lock-byte page               [PAGE_NUMBER]
 *              5 its checksum is the chain's                                                [CHECKSUM]
 *              6 it is a commit frame exactly if a commit record names it                   [COMMIT_MISPLACED]
 * commit frame 7 its size is 1 to 2^32 - 2 pages                                            [SIZE]
 *              8 size and checksum are the commit record's                                  [COMMIT_MISMATCH]
 *              9 the seal over previous seal, all frames, time and state checksum is right  [SEAL]
 * end         10 the last frame of all is a commit frame                                    [UNFINISHED]
 * </pre>
 *
 * Rules 1 to 8 name accidental damage precisely; rule 9 alone is what an attacker cannot meet, and the only one that covers page
 * numbers and sizes that are wrong but possible. Whether the state checksum is that of the pages is not decided here but
 * where all pages are at hand ({@link Kind#STATE}).
 *
 * <p>Each page is read twice, once for its CRC and once for the seal, and copied only when its transaction comes in several buffers.
 * Memory is bounded: what exceeds the limit goes to a temporary file.
 *
 * <p>Not thread-safe. After a refusal a verifier is of no more use, except for {@link #position}.
 */
public final class Verifier implements AutoCloseable {

    /** Bytes of an unfinished transaction that are kept in memory. */
    public static final int SPOOL_BEYOND = 8 << 20;

    /** The largest page number, and the largest database, that SQLite's file format allows. */
    private static final long MAX_PAGE = 0xFFFFFFFEL;

    private final String source;
    private final PageChain chain;
    private final int frameSize;
    private final long lockBytePage;
    private final SealHasher hasher = new SealHasher();
    private final Pending pending;

    /** Commits that the history has to go through before anything is let through, ascending. */
    private final ArrayDeque<CommitRecord> waypoints = new ArrayDeque<>();

    /** The end of the last transaction let through. */
    private CommitRecord position;

    /** The end of the last transaction proven; later than the position while waypoints are ahead. */
    private CommitRecord proven;

    /** Of the last frame seen, which may belong to an unfinished transaction. */
    private long frameNo;

    private long checksum;
    private boolean usable = true;

    /**
     * @param from the commit that the first transaction is to follow; it must be known to be right
     * @param spoolDirectory for temporary files of large transactions
     * @param source names the sender in messages
     */
    public Verifier(int pageSize, CommitRecord from, Path spoolDirectory, String source) {
        this(pageSize, from, spoolDirectory, source, SPOOL_BEYOND);
    }

    Verifier(int pageSize, CommitRecord from, Path spoolDirectory, String source, int spoolBeyond) {
        this.source = source;
        this.chain = PageChain.of(pageSize);
        this.frameSize = FrameLayout.frameSize(pageSize);
        this.lockBytePage = FrameLayout.lockBytePage(pageSize);
        this.pending = new Pending(frameSize, spoolDirectory, spoolBeyond);
        this.position = withoutMark(from);
        this.proven = position;
        this.frameNo = from.frameNo();
        this.checksum = from.checksum();
        hasher.begin(from.seal());
    }

    /**
     * Lets nothing through until the history has gone through all of these commits, and then everything up to the last of them
     * as one transaction. For a replica whose readers have seen these states while it now starts from an earlier one:
     * nothing between may show again. To be called before anything is accepted.
     *
     * @param seen ascending, all after the commit that verification starts from
     */
    public void passThrough(Collection<CommitRecord> seen) {
        waypoints.addAll(seen);
    }

    /** The last commit let through; a refusal does not move it. */
    public CommitRecord position() {
        return position;
    }

    /** The last frame seen, at or after {@link #position}. */
    public long lastFrameNo() {
        return frameNo;
    }

    /**
     * Verifies the frames from the buffer's position to its limit.
     *
     * @param frames handed over: the transactions are slices of it, so the caller must not touch it again
     * @param commits the records of the commit frames in the buffer
     * @param verified gets each transaction as soon as it is proven; those added before a refusal are good
     * @throws RefusedException at the first thing that does not line up
     * @throws DivergedException if the history, though sound, does not go through a commit that it has to go through
     * @throws IOException if a temporary file cannot be written
     */
    public void accept(ByteBuffer frames, List<CommitRecord> commits, List<VerifiedTransaction> verified)
            throws IOException {
        requireUsable();
        usable = false;
        try {
            acceptAll(frames.slice().order(ByteOrder.LITTLE_ENDIAN), commits, verified);
            usable = true;
        } finally {
            if (!usable) {
                pending.clear();
            }
        }
    }

    /**
     * Says that the sender has nothing more.
     *
     * @throws RefusedException if a transaction was begun and not finished
     */
    public void end() throws RefusedException {
        requireUsable();
        close();
        requireFinished();
    }

    /** @throws RefusedException if a transaction was begun and not finished */
    public void requireFinished() throws RefusedException {
        if (frameNo != proven.frameNo()) {
            throw refused(Kind.UNFINISHED, frameNo, "a commit frame", "a frame in the middle of a transaction");
        }
    }

    /** Frees an unfinished transaction. Transactions that were handed out are not touched. */
    @Override
    public void close() {
        usable = false;
        pending.clear();
    }

    private void requireUsable() {
        if (!usable) {
            throw new IllegalStateException("this verifier has refused something or was closed");
        }
    }

    private void acceptAll(ByteBuffer frames, List<CommitRecord> commits, List<VerifiedTransaction> verified)
            throws IOException {
        int length = frames.limit();
        if (length % frameSize != 0) {
            throw refused(
                    Kind.MALFORMED, frameNo + 1, "whole frames of " + frameSize + " bytes", length + " bytes in all");
        }
        requireInBuffer(commits, length / frameSize);
        int begin = 0;
        int nextCommit = 0;
        for (int at = 0; at < length; at += frameSize) {
            verifyFrame(frames, at);
            CommitRecord commit = nextCommit < commits.size() ? commits.get(nextCommit) : null;
            boolean named = commit != null && commit.frameNo() == frameNo;
            requireSameEnd(named, FrameLayout.sizeAfter(frames, at));
            if (commit != null && named) {
                ByteBuffer own = frames.slice(begin, at + frameSize - begin);
                prove(own, FrameLayout.sizeAfter(frames, at), commit);
                letThrough(own, verified);
                begin = at + frameSize;
                nextCommit++;
            }
        }
        ByteBuffer rest = frames.slice(begin, length - begin);
        hasher.update(rest.duplicate());
        pending.add(rest);
    }

    private void requireInBuffer(List<CommitRecord> commits, int count) throws RefusedException {
        long previous = frameNo;
        for (CommitRecord commit : commits) {
            if (commit.frameNo() <= previous || commit.frameNo() > frameNo + count) {
                throw refused(
                        Kind.COMMIT_MISPLACED,
                        commit.frameNo(),
                        "commit records of frames " + (previous + 1) + " to " + (frameNo + count),
                        "one of frame " + commit.frameNo());
            }
            previous = commit.frameNo();
        }
    }

    private void verifyFrame(ByteBuffer frames, int at) throws RefusedException {
        long found = FrameLayout.frameNo(frames, at);
        long expected = frameNo + 1;
        if (found != expected) {
            Kind kind = Long.compareUnsigned(found, expected) > 0 ? Kind.GAP : Kind.REPEAT;
            throw refused(kind, found, "frame " + expected, "frame " + Long.toUnsignedString(found));
        }
        long page = Integer.toUnsignedLong(FrameLayout.pageNo(frames, at));
        if (page < 1 || page > MAX_PAGE || page == lockBytePage) {
            throw refused(
                    Kind.PAGE_NUMBER,
                    expected,
                    "a page from 1 to " + MAX_PAGE + " other than " + lockBytePage,
                    "page " + page);
        }
        long chained = chain.next(checksum, frames, at + FrameLayout.HEADER);
        long claimed = FrameLayout.checksum(frames, at);
        if (chained != claimed) {
            throw refused(Kind.CHECKSUM, expected, "checksum " + hex(chained), hex(claimed));
        }
        frameNo = expected;
        checksum = chained;
    }

    private void requireSameEnd(boolean named, int sizeAfter) throws RefusedException {
        if (named && sizeAfter == 0) {
            throw refused(Kind.COMMIT_MISPLACED, frameNo, "a commit frame, as a commit record says", "another frame");
        }
        if (!named && sizeAfter != 0) {
            throw refused(Kind.COMMIT_MISPLACED, frameNo, "a commit record for this commit frame", "none");
        }
    }

    /** Proves the transaction of the frames that the hasher has taken and these, its last. */
    private void prove(ByteBuffer frames, int sizeAfter, CommitRecord commit) throws IOException {
        verifyCommitRecord(sizeAfter, commit);
        hasher.update(frames.duplicate());
        Seal seal = hasher.finish(commit.timeMillis(), commit.stateChecksum());
        if (!seal.equals(commit.seal())) {
            throw refused(Kind.SEAL, frameNo, "seal " + seal, commit.seal().toString());
        }
        proven = withoutMark(commit);
        CommitRecord waypoint = waypoints.peek();
        if (waypoint != null && frameNo >= waypoint.frameNo()) {
            requireSame(waypoint);
            waypoints.remove();
        }
        hasher.begin(seal);
    }

    private void requireSame(CommitRecord waypoint) throws DivergedException {
        boolean same = proven.frameNo() == waypoint.frameNo()
                && proven.checksum() == waypoint.checksum()
                && proven.seal().equals(waypoint.seal());
        if (!same) {
            throw new DivergedException(
                    "diverged: " + source + " has the same log as this replica, but not the same history: "
                            + "expected " + describe(waypoint) + ", found " + describe(proven)
                            + ". Readers have seen the former. Find out which side is right; --force copies the primary's anew");
        }
    }

    private void letThrough(ByteBuffer frames, List<VerifiedTransaction> verified) throws IOException {
        if (!waypoints.isEmpty()) {
            pending.add(frames);
            return;
        }
        if (pending.isEmpty()) {
            verified.add(new VerifiedTransaction(chain.pageSize(), position, proven, frames, null));
        } else {
            pending.add(frames);
            verified.add(pending.take(chain.pageSize(), position, proven));
        }
        position = proven;
    }

    private void verifyCommitRecord(int sizeAfter, CommitRecord commit) throws RefusedException {
        long size = Integer.toUnsignedLong(sizeAfter);
        if (size > MAX_PAGE) {
            throw refused(Kind.SIZE, frameNo, "1 to " + MAX_PAGE + " pages", size + " pages");
        }
        if (sizeAfter != commit.sizeAfter()) {
            String found = Integer.toUnsignedString(commit.sizeAfter()) + " pages in the record";
            throw refused(Kind.COMMIT_MISMATCH, frameNo, size + " pages as in the frame", found);
        }
        if (checksum != commit.checksum()) {
            String found = hex(commit.checksum()) + " in the record";
            throw refused(Kind.COMMIT_MISMATCH, frameNo, "checksum " + hex(checksum) + " as in the frame", found);
        }
    }

    private RefusedException refused(Kind kind, long frame, String expected, String found) {
        return new RefusedException(kind, frame, expected, found, source);
    }

    private static CommitRecord withoutMark(CommitRecord record) {
        return new CommitRecord(
                record.frameNo(),
                record.checksum(),
                record.sizeAfter(),
                record.timeMillis(),
                record.stateChecksum(),
                WalMark.NONE,
                record.seal());
    }

    private static String describe(CommitRecord commit) {
        return String.format("frame %d, checksum %016x, seal %s", commit.frameNo(), commit.checksum(), commit.seal());
    }

    private static String hex(long checksum) {
        return String.format("%016x", checksum);
    }
}
