package dev.lockstep.log;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * What makes a frame valid where it stands; the same before it is written, when it is read to be sent, in recovery and in
 * verification:
 *
 * <ol>
 *   <li>frame_no is the one before plus 1;
 *   <li>page_no is at least 1 (as an unsigned number) and not the page of SQLite's lock bytes;
 *   <li>checksum continues the chain over this frame's page.
 * </ol>
 *
 * That a page lies within size_after is no rule: a transaction that shrinks the database may have spilled pages before it knew.
 *
 * <p>Immutable and thread-safe.
 */
final class FrameCheck {

    private final PageChain chain;
    private final int lockBytePage;

    FrameCheck(int pageSize) {
        this.chain = PageChain.of(pageSize);
        this.lockBytePage = FrameLayout.lockBytePage(pageSize);
    }

    /** The fault of the frame at the offset of a little-endian buffer, or null. */
    @Nullable
    FrameFault check(ByteBuffer buf, int frame, long expectedFrameNo, long previousChecksum) {
        long contentCrc = Crc64.of(buf, frame + FrameLayout.HEADER, chain.pageSize());
        return check(buf, frame, expectedFrameNo, previousChecksum, contentCrc);
    }

    /** The same for a page whose CRC is known. */
    @Nullable
    FrameFault check(ByteBuffer buf, int frame, long expectedFrameNo, long previousChecksum, long contentCrc) {
        long frameNo = FrameLayout.frameNo(buf, frame);
        if (frameNo != expectedFrameNo) {
            return new FrameFault("frame number", Long.toString(expectedFrameNo), Long.toString(frameNo));
        }
        int pageNo = FrameLayout.pageNo(buf, frame);
        if (pageNo == 0 || pageNo == lockBytePage) {
            String expected = "1 or more, but not the lock-byte page " + lockBytePage;
            return new FrameFault("page number", expected, Integer.toUnsignedString(pageNo));
        }
        long checksum = chain.next(previousChecksum, contentCrc);
        if (checksum != FrameLayout.checksum(buf, frame)) {
            return FrameFault.checksum(checksum, FrameLayout.checksum(buf, frame));
        }
        return null;
    }

    /** The fault of a frame as the end of a transaction: of the one with this record, or of none when that is null. */
    static @Nullable FrameFault checkEnd(ByteBuffer buf, int frame, @Nullable CommitRecord commit) {
        int sizeAfter = FrameLayout.sizeAfter(buf, frame);
        int expected = commit == null ? 0 : commit.sizeAfter();
        if (sizeAfter != expected) {
            return new FrameFault(
                    "size after commit", Integer.toUnsignedString(expected), Integer.toUnsignedString(sizeAfter));
        }
        if (commit != null && commit.checksum() != FrameLayout.checksum(buf, frame)) {
            return FrameFault.checksum(commit.checksum(), FrameLayout.checksum(buf, frame));
        }
        return null;
    }
}
