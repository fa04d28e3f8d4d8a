package dev.lockstep.log;

import dev.lockstep.CorruptException;
import dev.lockstep.UnsupportedException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * The commit index beside a segment, little-endian: slots of 104 bytes. Slot 0 is the header,
 *
 * <pre>
 * offset size field
 *      0    8 magic          "LSCOMMIT"
 *      8    4 version        1
 *     12    4 page_size
 *     16   16 log_id         as in the segment's header
 *     32    8 start_frame_no as in the segment's header
 *     40    8 CRC-64 of bytes 0 to 39
 *     48    8 synced_to      the mark: last frame of the segment known to be durable
 *     56    8 CRC-64 of bytes 48 to 55, seeded with the CRC above
 *     64   40 zeros
 * </pre>
 *
 * and the others are records, one per transaction:
 *
 * <pre>
 * offset size field
 *      0    8 frame_no       last frame of the transaction
 *      8    8 checksum       the chain's, at that frame
 *     16    4 size_after     database size in pages
 *     20    4 wal_frame      where the transaction ends in the primary's WAL ({@link WalMark})
 *     24    8 time_ms        wall clock, ms since 1970
 *     32    8 state_checksum
 *     40    8 wal_salts
 *     48    8 wal_checksum
 *     56    8 synced_to      last frame known to be durable when this record was written
 *     64   32 seal
 *     96    8 CRC-64 of bytes 0 to 95
 * </pre>
 *
 * Slot 1 is the base: the record of the commit before the segment, so that each segment can be read and verified alone. Zeros may
 * follow the last record of an open segment. The mark is written after each sync, without being synced itself: it tells what no
 * record tells yet. A mark that is not intact says nothing.
 *
 * <p>A record is valid when: (1) its CRC is right; (2) frame_no is beyond that of the record before; (3) synced_to is at most
 * frame_no. What a CRC does not cover: anyone can compute it.
 */
final class CommitCodec {

    static final int LENGTH = 104;

    /** The slot of the record of the commit before the segment. */
    static final int BASE = 1;

    static final int MARK = 48;

    private static final long MAGIC = 0x54494d4d4f43534cL; // "LSCOMMIT"
    private static final int VERSION = 1;
    private static final int HEADER_CRC = 40;
    private static final int SYNCED_TO = 56;
    private static final int CRC = 96;

    private CommitCodec() {}

    static ByteBuffer header(SegmentHeader segment) {
        ByteBuffer buf = ByteBuffer.allocate(LENGTH).order(ByteOrder.LITTLE_ENDIAN);
        buf.putLong(MAGIC).putInt(VERSION).putInt(segment.pageSize());
        SegmentHeader.putUuid(buf, segment.logId());
        buf.putLong(segment.startFrameNo());
        buf.putLong(Crc64.of(buf, 0, HEADER_CRC));
        return buf.clear();
    }

    /** The 16 bytes that stand at {@link #MARK}. */
    static ByteBuffer mark(SegmentHeader segment, long syncedTo) {
        ByteBuffer buf = header(segment).putLong(MARK, syncedTo);
        buf.putLong(MARK + 8, markCrc(buf));
        return buf.slice(MARK, 16);
    }

    /** What the mark in an intact header says, or -1. */
    static long mark(ByteBuffer header) {
        return header.getLong(MARK + 8) == markCrc(header) ? header.getLong(MARK) : -1;
    }

    private static long markCrc(ByteBuffer header) {
        return Crc64.step(header.getLong(HEADER_CRC), header, MARK, 8);
    }

    /** Refuses a header that is not the one of this segment. The path is for messages. */
    static void checkHeader(ByteBuffer buf, SegmentHeader segment, String path) throws IOException {
        if (buf.getLong(0) != MAGIC || buf.getLong(HEADER_CRC) != Crc64.of(buf, 0, HEADER_CRC)) {
            throw new CorruptException("The header of the commit index " + path + " is damaged");
        }
        if (buf.getInt(8) != VERSION) {
            throw new UnsupportedException(path + " is a commit index of version " + buf.getInt(8) + ", not 1");
        }
        if (!buf.slice(0, MARK).equals(header(segment).limit(MARK))) {
            throw new CorruptException(String.format(
                    "%s (log %s, page size %d, start frame %d) does not belong to the segment beside it"
                            + " (log %s, page size %d, start frame %d)",
                    path,
                    SegmentHeader.getUuid(buf, 16),
                    buf.getInt(12),
                    buf.getLong(32),
                    segment.logId(),
                    segment.pageSize(),
                    segment.startFrameNo()));
        }
    }

    static void put(ByteBuffer buf, int offset, CommitRecord commit, long syncedTo) {
        buf.putLong(offset, commit.frameNo());
        buf.putLong(offset + 8, commit.checksum());
        buf.putInt(offset + 16, commit.sizeAfter());
        buf.putInt(offset + 20, commit.wal().frame());
        buf.putLong(offset + 24, commit.timeMillis());
        buf.putLong(offset + 32, commit.stateChecksum());
        buf.putLong(offset + 40, commit.wal().salts());
        buf.putLong(offset + 48, commit.wal().checksum());
        buf.putLong(offset + SYNCED_TO, syncedTo);
        commit.seal().put(buf, offset + 64);
        putCrc(buf, offset);
    }

    /** The record at the offset, or null when it breaks rule 1 or 3. */
    static @Nullable CommitRecord get(ByteBuffer buf, int offset) {
        long frameNo = buf.getLong(offset);
        if (!isIntact(buf, offset) || frameNo < -1 || syncedTo(buf, offset) > frameNo) {
            return null;
        }
        return new CommitRecord(
                frameNo,
                buf.getLong(offset + 8),
                buf.getInt(offset + 16),
                buf.getLong(offset + 24),
                buf.getLong(offset + 32),
                new WalMark(buf.getLong(offset + 40), buf.getInt(offset + 20), buf.getLong(offset + 48)),
                Seal.get(buf, offset + 64));
    }

    static long syncedTo(ByteBuffer buf, int offset) {
        return buf.getLong(offset + SYNCED_TO);
    }

    static boolean isIntact(ByteBuffer buf, int offset) {
        return buf.getLong(offset + CRC) == Crc64.of(buf, offset, CRC);
    }

    private static void putCrc(ByteBuffer buf, int offset) {
        buf.putLong(offset + CRC, Crc64.of(buf, offset, CRC));
    }
}
