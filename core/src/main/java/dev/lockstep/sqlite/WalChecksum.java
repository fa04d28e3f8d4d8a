package dev.lockstep.sqlite;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * SQLite's running WAL checksum: two 32-bit words, Fibonacci-weighted over the words of the input, read in the byte order that
 * the WAL header names (source: "WAL-mode File Format", section 1.2 "Checksum Algorithm").
 *
 * <p>The pair travels as one long, first word in the low half. It finds torn and stale frames; it is weak against anything
 * else, which is what the chain is for. The sums are parenthesised so that each word waits for one addition of the word before,
 * not for two.
 */
public final class WalChecksum {

    /** The seed of a WAL header's and a wal-index header's own checksum. */
    public static final long SEED = 0;

    private static final VarHandle LITTLE =
            MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle BIG = MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

    private WalChecksum() {}

    /**
     * Continues {@code seed} over {@code length} bytes at {@code offset}.
     *
     * @param length a multiple of 8
     * @param bigEndian the order in which the bytes are read as words
     */
    public static long over(long seed, ByteBuffer bytes, int offset, int length, boolean bigEndian) {
        return bigEndian ? bigEndian(seed, bytes, offset, length) : littleEndian(seed, bytes, offset, length);
    }

    private static long littleEndian(long seed, ByteBuffer bytes, int offset, int length) {
        int s1 = (int) seed;
        int s2 = (int) (seed >>> 32);
        for (int i = offset, end = offset + length; i < end; i += 8) {
            long words = (long) LITTLE.get(bytes, i);
            s1 = (s1 + (int) words) + s2;
            s2 = (s2 + (int) (words >>> 32)) + s1;
        }
        return pair(s1, s2);
    }

    private static long bigEndian(long seed, ByteBuffer bytes, int offset, int length) {
        int s1 = (int) seed;
        int s2 = (int) (seed >>> 32);
        for (int i = offset, end = offset + length; i < end; i += 8) {
            long words = (long) BIG.get(bytes, i);
            s1 = (s1 + (int) (words >>> 32)) + s2;
            s2 = (s2 + (int) words) + s1;
        }
        return pair(s1, s2);
    }

    /** The pair of words as this package carries it. */
    static long pair(int s1, int s2) {
        return (s2 & 0xffffffffL) << 32 | (s1 & 0xffffffffL);
    }
}
