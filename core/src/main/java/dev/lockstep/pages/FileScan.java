package dev.lockstep.pages;

import dev.lockstep.log.Crc64;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Walks over all pages of a database file with the content CRC of each, computed on all cores. Memory is bounded by one stripe,
 * 1 MiB for each core.
 */
public final class FileScan {

    private static final int SHARE = 1 << 20;

    /** Where the bytes come from. */
    public interface Source {
        /** Reads up to {@code length} bytes; fewer only at the end of the file. */
        int read(long position, byte[] into, int offset, int length) throws IOException;
    }

    /** Takes the pages in ascending order. */
    public interface Visitor {
        /**
         * @param pageNo from 1
         * @param contentCrc of the page
         * @param bytes holds the page at {@code offset}; valid until this call returns
         */
        void page(int pageNo, long contentCrc, byte[] bytes, int offset) throws IOException;
    }

    private FileScan() {}

    /** Visits pages 1 to {@code pages}; bytes past the end of the file count as zeros. The lock-byte page is visited like any other. */
    public static void scan(Source source, int pageSize, int pages, Visitor visitor) throws IOException {
        int pagesPerShare = SHARE / pageSize;
        int shares = Runtime.getRuntime().availableProcessors();
        int stripePages = pagesPerShare * shares;
        byte[] stripe = new byte[stripePages * pageSize];
        ByteBuffer view = ByteBuffer.wrap(stripe);
        long[] crcs = new long[stripePages];
        for (long first = 0; first < pages; first += stripePages) {
            int count = (int) Math.min(stripePages, pages - first);
            int read = source.read(first * pageSize, stripe, 0, count * pageSize);
            Arrays.fill(stripe, read, count * pageSize, (byte) 0);
            IntStream.range(0, shares).parallel().forEach(share -> {
                int end = Math.min(count, (share + 1) * pagesPerShare);
                for (int i = share * pagesPerShare; i < end; i++) {
                    crcs[i] = Crc64.of(view, i * pageSize, pageSize);
                }
            });
            for (int i = 0; i < count; i++) {
                visitor.page((int) first + i + 1, crcs[i], stripe, i * pageSize);
            }
        }
    }
}
