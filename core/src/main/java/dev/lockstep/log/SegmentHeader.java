package dev.lockstep.log;

import dev.lockstep.CorruptException;
import dev.lockstep.UnsupportedException;
import dev.lockstep.sqlite.DatabaseHeader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.UUID;

/**
 * The first 64 bytes of a segment's frame file, libSQL's {@code wallog} header, little-endian:
 *
 * <pre>
 * offset size field
 *      0    8 magic          "SQLDWAL" and a zero byte
 *      8    8 start_checksum the chain's checksum before the first frame
 *     16   16 log_id         a UUID, its bytes reversed
 *     32    8 start_frame_no number of the first frame
 *     40    8 frame_count    written when the segment is closed; 0 before that
 *     48    4 version        2
 *     52    4 page_size
 *     56    8 server version four u16, libSQL's business; Lockstep writes zeros
 *     64      frames follow ({@link FrameLayout}); frame n stands at 64 + n (24 + page_size)
 * </pre>
 *
 * Valid when: (1) the magic is right; (2) the version is 2; (3) the page size is one of SQLite's; (4) start_frame_no and
 * frame_count are not negative. The header carries no checksum of its own: libSQL's layout has none. A segment of Lockstep's
 * is checked against its commit index, which does.
 */
record SegmentHeader(UUID logId, int pageSize, long startFrameNo, long startChecksum, long frameCount) {

    static final int LENGTH = 64;
    static final int FRAME_COUNT = 40;

    private static final long MAGIC = 0x004c4157444c5153L; // "SQLDWAL\0"
    private static final int VERSION = 2;

    SegmentHeader {
        FrameLayout.requirePageSize(pageSize);
        if (startFrameNo < 0 || frameCount < 0) {
            throw new IllegalArgumentException("start frame number " + startFrameNo + ", frame count " + frameCount);
        }
    }

    /** Where a frame of this segment stands in its file. */
    long offsetOf(long frameNo) {
        return LENGTH + (frameNo - startFrameNo) * FrameLayout.frameSize(pageSize);
    }

    SegmentHeader withFrameCount(long count) {
        return new SegmentHeader(logId, pageSize, startFrameNo, startChecksum, count);
    }

    ByteBuffer encode() {
        ByteBuffer buf = ByteBuffer.allocate(LENGTH).order(ByteOrder.LITTLE_ENDIAN);
        buf.putLong(MAGIC);
        buf.putLong(startChecksum);
        putUuid(buf, logId);
        buf.putLong(startFrameNo);
        buf.putLong(frameCount);
        buf.putInt(VERSION);
        buf.putInt(pageSize);
        return buf.clear();
    }

    static boolean hasMagic(ByteBuffer buf) {
        return buf.remaining() >= Long.BYTES && buf.getLong(0) == MAGIC;
    }

    /** Reads a header from the start of a little-endian buffer. The path is for messages. */
    static SegmentHeader decode(ByteBuffer buf, String path) throws IOException {
        if (buf.remaining() < LENGTH || !hasMagic(buf)) {
            throw new CorruptException(path + " does not begin with the 64-byte header of a wallog (\"SQLDWAL\")");
        }
        int version = buf.getInt(48);
        int pageSize = buf.getInt(52);
        if (version != VERSION) {
            throw new UnsupportedException(path + " is a wallog of version " + version + "; only version 2 is known");
        }
        if (!DatabaseHeader.isPageSize(pageSize) || buf.getLong(32) < 0 || buf.getLong(FRAME_COUNT) < 0) {
            throw new CorruptException(String.format(
                    "The header of %s is damaged: page size %d, start frame %d, frame count %d",
                    path, pageSize, buf.getLong(32), buf.getLong(FRAME_COUNT)));
        }
        return new SegmentHeader(getUuid(buf, 16), pageSize, buf.getLong(32), buf.getLong(8), buf.getLong(FRAME_COUNT));
    }

    /** As libSQL stores a UUID: a 128-bit number in little-endian order, so the UUID's bytes are reversed. */
    static void putUuid(ByteBuffer buf, UUID uuid) {
        buf.putLong(uuid.getLeastSignificantBits()).putLong(uuid.getMostSignificantBits());
    }

    static UUID getUuid(ByteBuffer buf, int offset) {
        return new UUID(buf.getLong(offset + 8), buf.getLong(offset));
    }
}
