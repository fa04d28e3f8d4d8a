package dev.lockstep.capture;

import dev.lockstep.CorruptException;
import dev.lockstep.io.CrashPoint;
import dev.lockstep.log.Commit;
import dev.lockstep.log.CommitRecord;
import dev.lockstep.log.FrameLayout;
import dev.lockstep.log.FrameLog;
import dev.lockstep.log.PageChain;
import dev.lockstep.log.PageCrcs;
import dev.lockstep.log.WalMark;
import dev.lockstep.pages.PageIndex;
import dev.lockstep.sqlite.WalChecksum;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Turns committed pages into frames of the log. A WAL frame and a log frame have the same size, so a buffer of WAL frames becomes a
 * buffer of log frames by rewriting the headers where they stand; pages are not copied.
 *
 * <p>Not thread-safe. After an exception it must not be used again: the page index may be ahead of the log.
 */
final class Transcriber {

    private static final Logger logger = LoggerFactory.getLogger(Transcriber.class);

    private static final int WAL_SIZE_AFTER = 4;
    private static final int WAL_SALTS = 8;
    private static final int WAL_CHECKSUM = 16;

    private final FrameLog log;
    private final PageIndex index;
    private final InstantSource clock;
    private final PageChain chain;
    private final int pageSize;
    private final int frameSize;
    private final PageCrcs crcs;
    private final List<Commit> commits = new ArrayList<>();

    private long frameNo;
    private long checksum;
    private boolean afterBareFrame;
    private long timeMillis;
    private long transactions;

    Transcriber(FrameLog log, PageIndex index, InstantSource clock) {
        this.log = log;
        this.index = index;
        this.clock = clock;
        this.pageSize = log.start().pageSize();
        this.frameSize = FrameLayout.frameSize(pageSize);
        this.chain = PageChain.of(pageSize);
        this.crcs = new PageCrcs(pageSize);
        CommitRecord head = log.head();
        this.frameNo = head.frameNo();
        this.checksum = head.checksum();
        this.timeMillis = head.timeMillis();
    }

    /** Transactions appended so far; SQLite's own count in the wal-index must agree. */
    long transactions() {
        return transactions;
    }

    /**
     * Checks the WAL frames in {@code frames}, from its start to its limit, and appends them to the log.
     *
     * @param frames little-endian; its frames' headers are rewritten
     * @param firstFrame number of the first one in the WAL
     * @param walChecksum SQLite's running checksum before it
     * @return SQLite's running checksum after the last one
     * @throws CorruptException if one's salts or checksum do not continue the WAL
     */
    long transcribe(ByteBuffer frames, int firstFrame, long salts, long walChecksum, boolean bigEndian)
            throws IOException {
        CrashPoint.CAPTURE_FRAMES_READ.reached();
        stamp();
        afterBareFrame = afterBareFrame && firstFrame > 1;
        long running = walChecksum;
        int walFrame = firstFrame;
        for (int at = 0; at < frames.limit(); at += frameSize) {
            running = WalChecksum.over(running, frames, at, 8, bigEndian);
            running = WalChecksum.over(running, frames, at + FrameLayout.HEADER, pageSize, bigEndian);
            if (frames.getLong(at + WAL_SALTS) == salts && storedChecksum(frames, at) == running) {
                afterBareFrame = false;
            } else {
                running = withoutChecksum(frames, at, walFrame, salts, running);
            }
            int pageNo = Integer.reverseBytes(frames.getInt(at));
            int sizeAfter = Integer.reverseBytes(frames.getInt(at + WAL_SIZE_AFTER));
            putFrame(frames, at, pageNo, sizeAfter);
            if (sizeAfter != 0) {
                commit(at + frameSize, sizeAfter, new WalMark(salts, walFrame, running));
            }
            walFrame++;
        }
        append(frames);
        return running;
    }

    /**
     * Accepts a frame that an old SQLite left without salts and checksum, and the frame after it. When a transaction has written a page
     * twice, SQLite leaves them out until the commit, which goes back to the first such frame; but when a ROLLBACK TO has taken back that
     * frame meanwhile, old releases (3.40.1, but not 3.54.1) forget the frames that follow. All readers of the live database see
     * them, since the wal-index names them; a recovery would not.
     *
     * @return the running checksum with which SQLite went on
     */
    private long withoutChecksum(ByteBuffer frames, int at, int walFrame, long salts, long running)
            throws CorruptException {
        boolean bare =
                frames.getLong(at + WAL_SALTS) == 0 && frames.getLong(at + WAL_CHECKSUM) == 0 && frames.getInt(at) != 0;
        if (bare) {
            if (!afterBareFrame) {
                logger.warn(
                        "WAL frame {} has no checksum: a program with an old SQLite wrote it. Lockstep has it, but if all programs are"
                                + " killed now, SQLite will lose the transactions from there on, and the database is damaged if parts"
                                + " of them were checkpointed; give that program a newer SQLite",
                        walFrame);
            }
            afterBareFrame = true;
            return 0;
        }
        if (afterBareFrame && frames.getLong(at + WAL_SALTS) == salts) {
            afterBareFrame = false;
            return storedChecksum(frames, at);
        }
        throw damaged(frames, at, walFrame, salts, running);
    }

    /** Whether the last frame had no checksum, so that only the wal-index knows with which one SQLite goes on. */
    boolean endedWithoutChecksum() {
        return afterBareFrame;
    }

    /** The running checksum that stands in the header of the WAL frame at {@code at}. */
    static long storedChecksum(ByteBuffer littleEndianFrames, int at) {
        return Integer.toUnsignedLong(Integer.reverseBytes(littleEndianFrames.getInt(at + WAL_CHECKSUM)))
                | (long) Integer.reverseBytes(littleEndianFrames.getInt(at + WAL_CHECKSUM + 4)) << 32;
    }

    /** Takes the time for the transactions that follow; it never goes back. */
    void stamp() {
        timeMillis = Math.max(timeMillis, clock.millis());
    }

    /** Writes the header of the next frame in front of the page at {@code at}, and notes the page in the index. */
    void putFrame(ByteBuffer frames, int at, int pageNo, int sizeAfter) throws IOException {
        long crc = crcs.add(frames, at);
        checksum = chain.next(checksum, crc);
        frameNo++;
        FrameLayout.putHeader(frames, at, frameNo, checksum, pageNo, sizeAfter);
        index.set(pageNo, frameNo, crc);
    }

    /** Ends a transaction with the frame just put. */
    void commit(int end, int sizeAfter, WalMark wal) throws IOException {
        index.commit(frameNo, sizeAfter);
        commits.add(new Commit(end, timeMillis, index.state(), wal));
    }

    /** Appends the frames from the buffer's start to its limit, with the commits among them. */
    void append(ByteBuffer frames) throws IOException {
        log.append(frames.rewind(), crcs, commits);
        transactions += commits.size();
        crcs.clear();
        commits.clear();
    }

    private static CorruptException damaged(ByteBuffer frames, int at, int walFrame, long salts, long running) {
        return new CorruptException(String.format(
                "WAL frame %d: expected salts %016x and checksum %016x, found %016x and %016x, although the wal-index names it as"
                        + " committed; run PRAGMA integrity_check on the database",
                walFrame, salts, running, frames.getLong(at + WAL_SALTS), storedChecksum(frames, at)));
    }
}
