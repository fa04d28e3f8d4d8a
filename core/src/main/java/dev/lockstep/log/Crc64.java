package dev.lockstep.log;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * CRC-64/GO-ISO without look-up tables of bytes: the polynomial is so sparse that whole words can be folded.
 *
 * <p>The register is reflected: bit 63 is the coefficient of x^0, and a multiplication by x is a shift to the right. With
 * x^64 = x^4 + x^3 + x + 1, and because squaring is linear in characteristic 2,
 *
 * <pre>
 * x^(64 N) = x^(4N) + x^(3N) + x^N + 1     for N a power of two
 * </pre>
 *
 * so a word that stands N words before the end of a message may be taken away and added again at four places near the end. For
 * N = 64 the four places are whole words apart (64, 63, 61 and 60 words further on); for N = 256 they are a multiple of four
 * words apart (256, 252, 244, 240), which lets the compiler use vector instructions. Folding a page with N = 256, 64 and
 * 16 leaves 16 words for the ordinary word-by-word division.
 *
 * <p>Thread-safe: each thread has its own scratch space.
 */
public final class Crc64 {

    /** x^0 + x^1 + x^3 + x^4, the polynomial without x^64, reflected. */
    private static final long POLYNOMIAL = 0xD800000000000000L;

    /** What the four lowest bits of the register add when they are shifted out by a multiplication by x^64. */
    private static final long[] OVERFLOW = overflow();

    /** Words folded at a time: pages up to 16 KiB in one go, and still at home in the first-level cache. */
    private static final int CHUNK = 2048;

    /** Zero words that {@link #fold256} wants to see before the first word. */
    private static final int MARGIN = 16;

    private static final ThreadLocal<long[]> SCRATCH = ThreadLocal.withInitial(() -> new long[MARGIN + CHUNK]);

    private Crc64() {}

    /** The chain step seeded with 0: the content CRC of a page, and the CRC of Lockstep's own records. */
    public static long of(ByteBuffer buf, int offset, int length) {
        return step(0, buf, offset, length);
    }

    /**
     * One step of libSQL's chain: the CRC of the bytes, with the previous checksum as the initial value. A seed of all ones gives
     * the catalogued CRC-64/GO-ISO. The buffer's position and limit play no part and are left alone.
     */
    public static long step(long seed, ByteBuffer buf, int offset, int length) {
        long register = Long.reverse(seed);
        long[] words = SCRATCH.get();
        int at = offset;
        for (int left = length >>> 3; left > 0; ) {
            int count = Math.min(left, CHUNK);
            buf.slice(at, count << 3)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .asLongBuffer()
                    .get(words, MARGIN, count);
            words[MARGIN] ^= register;
            register = remainder(words, count);
            at += count << 3;
            left -= count;
        }
        for (; at < offset + length; at++) {
            register = timesX8(register ^ (buf.get(at) & 0xff));
        }
        return ~register;
    }

    /** The words from MARGIN on, as one polynomial, times x^64, modulo the polynomial. Overwrites the words. */
    private static long remainder(long[] words, int count) {
        int from = MARGIN;
        int to = MARGIN + count;
        if (to - from > 256) {
            fold256(words, from, to);
            from = to - 256;
        }
        if (to - from > 64) {
            fold64(words, from, to);
            from = to - 64;
        }
        if (to - from > 16) {
            fold16(words, from, to);
            from = to - 16;
        }
        long register = 0;
        for (int i = from; i < to; i++) {
            register = timesX64(register ^ words[i]);
        }
        return register;
    }

    /** Adds the words [from, to - 256) to those that follow them, 256, 252, 244 and 240 words further on. */
    private static void fold256(long[] words, int from, int to) {
        Arrays.fill(words, from - 16, from, 0);
        for (int i = from + 240; i < to - 16; i++) {
            words[i] ^= words[i - 256] ^ words[i - 252] ^ words[i - 244] ^ words[i - 240];
        }
        foldEnd(words, to, 256);
    }

    /** Adds the words [from, to - 64) to those that follow them, 64, 63, 61 and 60 words further on. */
    private static void fold64(long[] words, int from, int to) {
        Arrays.fill(words, from - 4, from, 0);
        for (int i = from + 60; i < to - 4; i++) {
            words[i] ^= words[i - 64] ^ words[i - 63] ^ words[i - 61] ^ words[i - 60];
        }
        foldEnd(words, to, 64);
    }

    /** The last words of a fold, which get less than four additions because the words at [to - n, to) stay. */
    private static void foldEnd(long[] words, int to, int n) {
        int unit = n / 64;
        int from = to - 4 * unit;
        for (int i = from; i < to; i++) {
            words[i] ^= words[i - n];
        }
        for (int i = from; i < to - unit; i++) {
            words[i] ^= words[i - n + unit];
        }
        for (int i = from; i < to - 3 * unit; i++) {
            words[i] ^= words[i - n + 3 * unit];
        }
    }

    /** Folds [from, to - 16) with N = 16, where the places x^64, x^48, x^16 and 1 fall across two words. */
    private static void fold16(long[] words, int from, int to) {
        for (int i = from; i < to - 16; i++) {
            long word = words[i];
            words[i + 15] ^= word ^ (word << 16) ^ (word << 48);
            words[i + 16] ^= word ^ (word >>> 16) ^ (word >>> 48);
        }
    }

    /** Multiplies by x^64 = (x + 1)(x^3 + 1). */
    static long timesX64(long register) {
        long timesX1 = register ^ (register >>> 1);
        return timesX1 ^ (timesX1 >>> 3) ^ OVERFLOW[(int) register & 15];
    }

    /** Multiplies by x. */
    static long timesX(long register) {
        return (register >>> 1) ^ (-(register & 1) & POLYNOMIAL);
    }

    private static long timesX8(long register) {
        long product = register;
        for (int i = 0; i < 8; i++) {
            product = timesX(product);
        }
        return product;
    }

    private static long[] overflow() {
        long[] table = new long[16];
        for (int i = 0; i < 16; i++) {
            long product = i;
            for (int step = 0; step < 64; step++) {
                product = timesX(product);
            }
            long timesX1 = i ^ (i >>> 1);
            table[i] = product ^ timesX1 ^ (timesX1 >>> 3);
        }
        return table;
    }
}
