package dev.lockstep.log;

import dev.lockstep.sqlite.DatabaseHeader;
import java.nio.ByteBuffer;

/**
 * A frame: one changed page with its header, little-endian, as in libSQL.
 *
 * <pre>
 * offset size field
 *      0    8 frame_no    counts from 0 through the whole history, without gaps
 *      8    8 checksum    the chain's checksum including this page (see {@link PageChain})
 *     16    4 page_no     from 1, as SQLite counts
 *     20    4 size_after  0, or in a commit frame the database size in pages after the commit
 *     24    n page        n = page size, 512 to 65536
 * </pre>
 *
 * The getters and setters want a buffer in little-endian order.
 */
public final class FrameLayout {

    public static final int HEADER = 24;
    public static final int FRAME_NO = 0;
    public static final int CHECKSUM = 8;
    public static final int PAGE_NO = 16;
    public static final int SIZE_AFTER = 20;

    /** The byte of the database that SQLite locks; its page is never written, so it is never part of a log. */
    private static final int LOCK_BYTE = 1 << 30;

    private FrameLayout() {}

    public static int frameSize(int pageSize) {
        return HEADER + pageSize;
    }

    static int requirePageSize(int pageSize) {
        if (!DatabaseHeader.isPageSize(pageSize)) {
            throw new IllegalArgumentException("page size " + pageSize + " is not a power of two from 512 to 65536");
        }
        return pageSize;
    }

    /** The page that holds SQLite's lock bytes. It exists only in databases of more than 1 GiB. */
    public static int lockBytePage(int pageSize) {
        return LOCK_BYTE / pageSize + 1;
    }

    public static long frameNo(ByteBuffer buf, int frame) {
        return buf.getLong(frame + FRAME_NO);
    }

    public static long checksum(ByteBuffer buf, int frame) {
        return buf.getLong(frame + CHECKSUM);
    }

    /** The page number as the unsigned number it is on disk; valid ones are 1 to 2^32 - 2, so compare as a long. */
    public static int pageNo(ByteBuffer buf, int frame) {
        return buf.getInt(frame + PAGE_NO);
    }

    public static int sizeAfter(ByteBuffer buf, int frame) {
        return buf.getInt(frame + SIZE_AFTER);
    }

    public static void putFrameNo(ByteBuffer buf, int frame, long frameNo) {
        buf.putLong(frame + FRAME_NO, frameNo);
    }

    public static void putChecksum(ByteBuffer buf, int frame, long checksum) {
        buf.putLong(frame + CHECKSUM, checksum);
    }

    public static void putPageNo(ByteBuffer buf, int frame, int pageNo) {
        buf.putInt(frame + PAGE_NO, pageNo);
    }

    public static void putSizeAfter(ByteBuffer buf, int frame, int sizeAfter) {
        buf.putInt(frame + SIZE_AFTER, sizeAfter);
    }

    public static void putHeader(ByteBuffer buf, int frame, long frameNo, long checksum, int pageNo, int sizeAfter) {
        putFrameNo(buf, frame, frameNo);
        putChecksum(buf, frame, checksum);
        putPageNo(buf, frame, pageNo);
        putSizeAfter(buf, frame, sizeAfter);
    }
}
