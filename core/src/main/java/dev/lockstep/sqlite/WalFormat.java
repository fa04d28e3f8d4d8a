package dev.lockstep.sqlite;

import dev.lockstep.CorruptException;
import dev.lockstep.UnsupportedException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The bytes of a WAL file (source: "WAL-mode File Format", section 1).
 *
 * <pre>
 * WAL header, 32 bytes, big-endian             frame header, 24 bytes, big-endian
 *   0 u32 magic 0x377f0682, or 0x377f0683        0 u32 page number
 *         when checksums read big-endian words   4 u32 database size in pages if a commit frame, else 0
 *   4 u32 format 3007000                         8 8 B salts, equal to the header's
 *   8 u32 page size                             16 u32 x 2 running checksum over header bytes 0-7 and the page,
 *  12 u32 checkpoint sequence                          seeded with the frame before (the first: with the WAL header's)
 *  16 8 B salts
 *  24 u32 x 2 checksum of bytes 0-23
 * </pre>
 *
 * Frame f (from 1) stands at {@code 32 + (f - 1) * (24 + pageSize)}. Salts travel as one long whose little-endian bytes are the
 * bytes in the file; they are only ever compared.
 */
public final class WalFormat {

    public static final int HEADER_SIZE = 32;
    public static final int FRAME_HEADER_SIZE = 24;

    static final int MAGIC = 0x377f0682;
    static final int VERSION = 3007000;

    private WalFormat() {}

    /** Offset of frame {@code frame} (from 1) in the file. */
    public static long frameOffset(int frame, int pageSize) {
        return HEADER_SIZE + (frame - 1L) * (FRAME_HEADER_SIZE + pageSize);
    }

    /**
     * A WAL header.
     *
     * @param bigEndian whether checksums read big-endian words
     * @param pageSize in bytes
     * @param sequence SQLite's checkpoint sequence number
     * @param salts the generation's salts
     * @param checksum the header's own checksum, which seeds the first frame's
     */
    public record Header(boolean bigEndian, int pageSize, int sequence, long salts, long checksum) {

        /** A header for these values, its checksum computed. */
        public static Header of(boolean bigEndian, int pageSize, int sequence, long salts) {
            ByteBuffer bytes = ByteBuffer.allocate(HEADER_SIZE);
            encodeUnchecked(bytes, bigEndian, pageSize, sequence, salts);
            return new Header(
                    bigEndian, pageSize, sequence, salts, WalChecksum.over(WalChecksum.SEED, bytes, 0, 24, bigEndian));
        }

        /**
         * Decodes and validates 32 bytes at 0.
         *
         * @throws CorruptException if magic or checksum do not fit
         * @throws UnsupportedException if the format version is not 3007000
         */
        public static Header decode(ByteBuffer bytes) throws CorruptException, UnsupportedException {
            bytes.order(ByteOrder.BIG_ENDIAN);
            int magic = bytes.getInt(0);
            if ((magic & ~1) != MAGIC) {
                throw new CorruptException(
                        String.format("WAL header: expected magic 377f0682 or 377f0683, found %08x", magic));
            }
            if (bytes.getInt(4) != VERSION) {
                throw new UnsupportedException("WAL header: expected format " + VERSION + ", found " + bytes.getInt(4));
            }
            boolean bigEndian = (magic & 1) != 0;
            long checksum = WalChecksum.over(WalChecksum.SEED, bytes, 0, 24, bigEndian);
            long stored = WalChecksum.pair(bytes.getInt(24), bytes.getInt(28));
            if (stored != checksum) {
                throw new CorruptException(
                        String.format("WAL header: expected checksum %016x, found %016x", checksum, stored));
            }
            return new Header(bigEndian, bytes.getInt(8), bytes.getInt(12), saltsAt(bytes, 16), checksum);
        }

        /** Writes the 32 bytes at 0. */
        public void encode(ByteBuffer into) {
            encodeUnchecked(into, bigEndian, pageSize, sequence, salts);
            into.putInt(24, (int) checksum);
            into.putInt(28, (int) (checksum >>> 32));
        }

        private static void encodeUnchecked(
                ByteBuffer into, boolean bigEndian, int pageSize, int sequence, long salts) {
            into.order(ByteOrder.BIG_ENDIAN);
            into.putInt(0, bigEndian ? MAGIC | 1 : MAGIC);
            into.putInt(4, VERSION);
            into.putInt(8, pageSize);
            into.putInt(12, sequence);
            into.putLong(16, Long.reverseBytes(salts));
        }
    }

    /** The salts that stand at {@code offset}. */
    public static long saltsAt(ByteBuffer bigEndianBytes, int offset) {
        return Long.reverseBytes(bigEndianBytes.getLong(offset));
    }
}
