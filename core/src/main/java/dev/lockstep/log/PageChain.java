package dev.lockstep.log;

import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The chain over the pages of one page size: checksum = CRC-64(seed = previous checksum, page), exactly libSQL's.
 *
 * <p>A CRC is linear: the chain's value is the content CRC of the page (its CRC seeded with 0) plus the previous checksum shifted
 * past the page, that is multiplied by x^(8 pageSize). So the content CRCs of many pages can be computed in any order, on any
 * core, and chained afterwards for the price of one multiplication each.
 *
 * <p>The chain covers the bytes of pages and their order. It does not cover frame numbers, page numbers or sizes, and anyone can
 * compute it: it is no protection against an attacker. Seals are ({@link Seal}).
 *
 * <p>Immutable and thread-safe.
 */
public final class PageChain {

    private static final Map<Integer, PageChain> CHAINS = new ConcurrentHashMap<>();

    private final int pageSize;

    /** For each byte of a previous checksum and each value, what it adds to the next checksum: 8 x 256 words. */
    private final long[] shifted = new long[8 << 8];

    /** @throws IllegalArgumentException if SQLite has no pages of that size */
    public static PageChain of(int pageSize) {
        return CHAINS.computeIfAbsent(FrameLayout.requirePageSize(pageSize), PageChain::new);
    }

    private PageChain(int pageSize) {
        this.pageSize = pageSize;
        long shift = 1L << 63; // x^0, since the register is reflected
        for (int i = 0; i < pageSize; i += Long.BYTES) {
            shift = Crc64.timesX64(shift);
        }
        // A checksum is the register reversed, so its bit i is the coefficient of x^i.
        for (int bit = 0; bit < 64; bit++) {
            addBit(bit, shift);
            shift = Crc64.timesX(shift);
        }
    }

    private void addBit(int bit, long product) {
        int table = (bit >>> 3) << 8;
        int mask = 1 << (bit & 7);
        for (int value = mask; value < 256; value = (value + 1) | mask) {
            shifted[table + value] ^= product;
        }
    }

    public int pageSize() {
        return pageSize;
    }

    /** The checksum after a page whose content CRC is {@code contentCrc}, when {@code previous} is the one before it. */
    public long next(long previous, long contentCrc) {
        return contentCrc
                ^ shifted[(int) previous & 0xff]
                ^ shifted[256 + ((int) (previous >>> 8) & 0xff)]
                ^ shifted[512 + ((int) (previous >>> 16) & 0xff)]
                ^ shifted[768 + ((int) (previous >>> 24) & 0xff)]
                ^ shifted[1024 + ((int) (previous >>> 32) & 0xff)]
                ^ shifted[1280 + ((int) (previous >>> 40) & 0xff)]
                ^ shifted[1536 + ((int) (previous >>> 48) & 0xff)]
                ^ shifted[1792 + (int) (previous >>> 56)];
    }

    /** The checksum after the page that stands at {@code pageOffset} of the buffer. */
    public long next(long previous, ByteBuffer buf, int pageOffset) {
        return next(previous, Crc64.of(buf, pageOffset, pageSize));
    }
}
