package dev.lockstep.pages;

import java.util.Arrays;

/**
 * Page number to content CRC and frame number, for some of a database's pages, such as those changed since the last flush: open
 * addressing over primitives, linear probing, at most half full. Not thread-safe.
 */
public final class PageChanges {

    private static final int INITIAL = 1 << 10;

    /** Visits entries in no particular order. */
    interface Visitor<E extends Exception> {
        void page(int pageNo, long contentCrc, long frameNoPlusOne) throws E;
    }

    /** Page numbers; 0 is an empty place, because pages count from 1. */
    private int[] pageNos = new int[INITIAL];

    private long[] crcs = new long[INITIAL];
    private long[] frames = new long[INITIAL];
    private int size;

    public int size() {
        return size;
    }

    /** The place of {@code pageNo}, or -1. */
    public int find(int pageNo) {
        int place = place(pageNo);
        return pageNos[place] == pageNo ? place : -1;
    }

    public long contentCrc(int place) {
        return crcs[place];
    }

    long frameNoPlusOne(int place) {
        return frames[place];
    }

    public void put(int pageNo, long contentCrc, long frameNoPlusOne) {
        int place = place(pageNo);
        if (pageNos[place] == 0) {
            if (size * 2 >= pageNos.length) {
                grow();
                place = place(pageNo);
            }
            pageNos[place] = pageNo;
            size++;
        }
        crcs[place] = contentCrc;
        frames[place] = frameNoPlusOne;
    }

    <E extends Exception> void forEach(Visitor<E> visitor) throws E {
        for (int place = 0; place < pageNos.length; place++) {
            if (pageNos[place] != 0) {
                visitor.page(pageNos[place], crcs[place], frames[place]);
            }
        }
    }

    /** Forgets everything, and gives back the memory that one large transaction needed. */
    void clear() {
        if (pageNos.length > INITIAL * 256) {
            pageNos = new int[INITIAL];
            crcs = new long[INITIAL];
            frames = new long[INITIAL];
        } else {
            Arrays.fill(pageNos, 0);
        }
        size = 0;
    }

    private int place(int pageNo) {
        int mask = pageNos.length - 1;
        int place = ((pageNo * 0x9E3779B9) >>> 7) & mask;
        while (pageNos[place] != 0 && pageNos[place] != pageNo) {
            place = (place + 1) & mask;
        }
        return place;
    }

    private void grow() {
        int[] oldPageNos = pageNos;
        long[] oldCrcs = crcs;
        long[] oldFrames = frames;
        pageNos = new int[oldPageNos.length * 2];
        crcs = new long[pageNos.length];
        frames = new long[pageNos.length];
        for (int old = 0; old < oldPageNos.length; old++) {
            if (oldPageNos[old] != 0) {
                int place = place(oldPageNos[old]);
                pageNos[place] = oldPageNos[old];
                crcs[place] = oldCrcs[old];
                frames[place] = oldFrames[old];
            }
        }
    }
}
