package dev.lockstep.pages;

import dev.lockstep.log.FrameLayout;
import java.io.IOException;

/**
 * The checksum of a whole database: XOR over its pages of a mix of page number and content CRC. Changing one page changes it by two
 * XORs, and any order of pages gives the same value, so it can be kept up to date per transaction and recomputed by many cores.
 *
 * <p>The lock-byte page (the one that holds byte 2^30) never takes part, because SQLite never writes it.
 *
 * <p>It finds every accidental difference between two databases but for one chance in 2^64. It does not resist an attacker, who can
 * choose pages whose mixes cancel out; that is what seals are for.
 */
public final class StateChecksum {

    private StateChecksum() {}

    /** One page's part. Not linear in either argument, so that swapped pages and shifted contents show. */
    public static long mix(int pageNo, long contentCrc) {
        long x = contentCrc + pageNo * 0x9E3779B97F4A7C15L;
        x = (x ^ (x >>> 30)) * 0xBF58476D1CE4E5B9L;
        x = (x ^ (x >>> 27)) * 0x94D049BB133111EBL;
        return x ^ (x >>> 31);
    }

    /** Of the first {@code pages} pages of a file, with the CRCs of those in {@code newer} instead of the file's. */
    public static long of(FileScan.Source file, int pageSize, int pages, PageChanges newer) throws IOException {
        int lockBytePage = FrameLayout.lockBytePage(pageSize);
        long[] state = new long[1];
        FileScan.scan(file, pageSize, pages, (pageNo, contentCrc, bytes, offset) -> {
            if (pageNo != lockBytePage) {
                int place = newer.find(pageNo);
                state[0] ^= mix(pageNo, place < 0 ? contentCrc : newer.contentCrc(place));
            }
        });
        return state[0];
    }
}
