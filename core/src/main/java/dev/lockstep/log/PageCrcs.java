package dev.lockstep.log;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * The content CRCs of the pages in a buffer of frames, in their order, so that who makes frames and who appends them compute each CRC
 * once between them. A CRC gets in here only by being computed from the page.
 *
 * <p>Not thread-safe.
 */
public final class PageCrcs {

    private final int pageSize;
    private long[] crcs = new long[256];
    private int size;

    public PageCrcs(int pageSize) {
        this.pageSize = pageSize;
    }

    /** Computes, adds and returns the CRC of the page of the frame at the offset; the page must not change after that. */
    public long add(ByteBuffer frames, int at) {
        if (size == crcs.length) {
            crcs = Arrays.copyOf(crcs, 2 * size);
        }
        crcs[size] = Crc64.of(frames, at + FrameLayout.HEADER, pageSize);
        return crcs[size++];
    }

    /** Forgets all, for another buffer. */
    public void clear() {
        size = 0;
    }

    int size() {
        return size;
    }

    long get(int index) {
        return crcs[index];
    }
}
