package dev.lockstep.sqlite;

import dev.lockstep.UnsupportedException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * The first 100 bytes of a database file, as far as replication needs them (source: "Database File Format", section 1.3,
 * big-endian).
 *
 * <pre>
 *  0 "SQLite format 3\0"   16 u16 page size, 1 = 65536   18 u8 write version, 19 u8 read version: 2 = WAL
 * 24 u32 change counter    28 u32 pages (valid when 92 equals 24)    92 u32 version-valid-for
 * </pre>
 *
 * @param pageSize in bytes
 * @param wal whether the file asks for WAL mode
 */
public record DatabaseHeader(int pageSize, boolean wal) {

    public static final int SIZE = 100;
    private static final byte[] MAGIC = "SQLite format 3\0".getBytes(StandardCharsets.US_ASCII);

    /** Decodes {@link #SIZE} bytes at 0; {@code what} names the file in errors. */
    public static DatabaseHeader decode(ByteBuffer bytes, Object what) throws UnsupportedException {
        for (int i = 0; i < MAGIC.length; i++) {
            if (bytes.get(i) != MAGIC[i]) {
                throw new UnsupportedException(
                        what + " is not a SQLite database: expected \"SQLite format 3\" in its first 16 bytes"
                                + " (an encrypted database looks like this too)");
            }
        }
        bytes.order(ByteOrder.BIG_ENDIAN);
        int stored = bytes.getShort(16) & 0xffff;
        int pageSize = stored == 1 ? 65536 : stored;
        if (!isPageSize(pageSize)) {
            throw new UnsupportedException(what + ": page size " + stored + " is none that SQLite has");
        }
        return new DatabaseHeader(pageSize, bytes.get(18) == 2 && bytes.get(19) == 2);
    }

    /** Whether {@code size} is a power of two from 512 to 65536. */
    public static boolean isPageSize(int size) {
        return size >= 512 && size <= 65536 && Integer.bitCount(size) == 1;
    }
}
