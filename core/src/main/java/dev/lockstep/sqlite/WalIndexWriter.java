package dev.lockstep.sqlite;

import dev.lockstep.CorruptException;
import dev.lockstep.io.CrashPoint;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * The write side of the wal-index: enters frames into the hash blocks, through which readers find the newest version of a page, and
 * publishes the header (source: "WAL-mode File Format", sections 2.2 to 2.4, and the comments of {@code wal.c}).
 *
 * <pre>
 * block 0, 32 KiB                          block n > 0
 *     0  headers and locks                     0  u32 x 4096 page numbers of frames 4063 + (n - 1) * 4096 on
 *   136  u32 x 4062 page numbers of        16384  u16 x 8192 hash table
 *        frames 1 to 4062
 * 16384  u16 x 8192 hash table: slot (pageNo * 383) & 8191 and on, linear probing; 0 = empty,
 *        else the frame's place in this block, from 1
 * </pre>
 *
 * Entries past the committed frame mean nothing to readers, so a crash before {@link #publish} leaves nothing to repair but stale
 * entries, which the next writer removes.
 *
 * <p>Only for the holder of SQLite's write lock. Not thread-safe.
 */
final class WalIndexWriter {

    private static final int FIRST_PAGE_NUMBERS = 136;
    private static final int HASH = 16384;
    private static final int SLOTS = 8192;
    private static final int FIRST_ENTRIES = (HASH - FIRST_PAGE_NUMBERS) / 4;
    private static final int ENTRIES = HASH / 4;

    private static final VarHandle INT = MethodHandles.byteBufferViewVarHandle(int[].class, ByteOrder.nativeOrder());
    private static final VarHandle SHORT =
            MethodHandles.byteBufferViewVarHandle(short[].class, ByteOrder.nativeOrder());
    private static final VarHandle LONG = MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.nativeOrder());

    private final LiveDatabase.SharedMemory memory;
    private final List<MappedByteBuffer> blocks = new ArrayList<>();

    WalIndexWriter(WalIndex index) {
        this.memory = index.memory();
    }

    /** Enters {@code frame} (from 1) as the newest version of {@code pageNo}. Frames come in ascending order. */
    void append(int frame, int pageNo) throws IOException {
        int n = (frame + ENTRIES - FIRST_ENTRIES - 1) / ENTRIES;
        MappedByteBuffer block = block(n);
        int pageNumbers = n == 0 ? FIRST_PAGE_NUMBERS : 0;
        int entry = frame - (n == 0 ? 0 : FIRST_ENTRIES + (n - 1) * ENTRIES);
        int place = pageNumbers + (entry - 1) * 4;
        if (entry == 1) {
            zero(block, pageNumbers, LiveDatabase.SHM_BLOCK);
        } else if ((int) INT.get(block, place) != 0) {
            forgetFrom(block, place, entry);
        }
        int slot = (pageNo * 383) & (SLOTS - 1);
        for (int probes = 0; (short) SHORT.get(block, HASH + slot * 2) != 0; probes++) {
            if (probes == SLOTS) {
                throw new CorruptException("the wal-index has no free hash slot for frame " + frame + " in block " + n
                        + "; close every program that uses the database, so that SQLite builds it anew");
            }
            slot = (slot + 1) & (SLOTS - 1);
        }
        INT.setOpaque(block, place, pageNo);
        SHORT.setRelease(block, HASH + slot * 2, (short) entry);
    }

    /**
     * Removes what an aborted writer left from {@code entry} on; without this, the table fills up with them. Readers may search
     * the block meanwhile: their entries are older than all of these, so no probe of theirs goes past a removed one.
     */
    private static void forgetFrom(MappedByteBuffer block, int place, int entry) {
        for (int slot = HASH; slot < LiveDatabase.SHM_BLOCK; slot += 2) {
            if (((short) SHORT.get(block, slot) & 0xffff) >= entry) {
                SHORT.setOpaque(block, slot, (short) 0);
            }
        }
        zero(block, place, HASH);
    }

    private static void zero(MappedByteBuffer block, int from, int to) {
        for (int at = from; at < to; at += 4) {
            INT.setOpaque(block, at, 0);
        }
    }

    /**
     * Makes {@code header} the one that readers see. A reader that finds the copies different waits, and a writer that dies between
     * them leaves a recovery to the next reader; hence no loop and no allocation in between.
     */
    void publish(WalIndexHeader header) throws IOException {
        MappedByteBuffer first = block(0);
        long w0 = header.words.getLong(0);
        long w1 = header.words.getLong(8);
        long w2 = header.words.getLong(16);
        long w3 = header.words.getLong(24);
        long w4 = header.words.getLong(32);
        long w5 = header.words.getLong(40);
        VarHandle.fullFence();
        LONG.setOpaque(first, 48, w0);
        LONG.setOpaque(first, 56, w1);
        LONG.setOpaque(first, 64, w2);
        LONG.setOpaque(first, 72, w3);
        LONG.setOpaque(first, 80, w4);
        LONG.setOpaque(first, 88, w5);
        VarHandle.fullFence();
        CrashPoint.APPLY_HALF_PUBLISHED.reached();
        LONG.setOpaque(first, 0, w0);
        LONG.setOpaque(first, 8, w1);
        LONG.setOpaque(first, 16, w2);
        LONG.setOpaque(first, 24, w3);
        LONG.setOpaque(first, 32, w4);
        LONG.setOpaque(first, 40, w5);
        VarHandle.fullFence();
    }

    private MappedByteBuffer block(int n) throws IOException {
        while (blocks.size() <= n) {
            blocks.add(memory.block(blocks.size()));
        }
        return blocks.get(n);
    }
}
