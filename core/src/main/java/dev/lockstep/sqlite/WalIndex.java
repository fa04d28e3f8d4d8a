package dev.lockstep.sqlite;

import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;

/**
 * The wal-index that all processes share through the {@code -shm} file (source: "WAL-mode File Format", section 2; numbers are
 * in native byte order).
 *
 * <pre>
 *   0  header, 48 bytes: u32 version 3007000, u32 unused, u32 iChange, u8 isInit, u8 bigEndCksum, u16 page size,
 *                        u32 mxFrame, u32 nPage, u32 x 2 aFrameCksum, 8 B salts, u32 x 2 checksum of bytes 0-39
 *  48  second copy; a writer stores this one first
 *  96  u32 nBackfill: frames already copied into the database file
 * 100  u32 x 5 read marks; 120 lock bytes
 * </pre>
 *
 * A header is valid when (1) both copies are equal, (2) isInit is set, (3) its checksum fits.
 *
 * <p>Thread-safe for reading.
 */
public final class WalIndex {

    static final int VERSION = 0;
    static final int CHANGE = 8;
    static final int IS_INIT = 12;
    static final int BIG_ENDIAN_CHECKSUM = 13;
    static final int PAGE_SIZE = 14;
    static final int MAX_FRAME = 16;
    static final int PAGES = 20;
    static final int FRAME_CHECKSUM = 24;
    static final int SALTS = 32;
    static final int HEADER_CHECKSUM = 40;
    static final int HEADER_SIZE = 48;
    private static final int BACKFILLED = 96;
    private static final int READ_MARKS = 100;
    private static final int READ_SLOTS = 5;

    private static final VarHandle INT = MethodHandles.byteBufferViewVarHandle(int[].class, ByteOrder.nativeOrder());
    private static final VarHandle LONG = MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.nativeOrder());
    private static final int READ_ATTEMPTS = 100;

    private final LiveDatabase.SharedMemory memory;
    private final MappedByteBuffer first;

    WalIndex(LiveDatabase.SharedMemory memory) throws IOException {
        this.memory = memory;
        this.first = memory.block(0);
    }

    /**
     * A number that changes with every commit and every WAL reset, read without validation: the cheap question "look again?".
     */
    public long changeHint() {
        return ((long) (int) INT.getOpaque(first, CHANGE) << 32) ^ (int) INT.getOpaque(first, MAX_FRAME) ^ saltHint();
    }

    private long saltHint() {
        return (long) LONG.getOpaque(first, SALTS) * 0x9E3779B97F4A7C15L;
    }

    /** Frames of the WAL that are already in the database file. */
    public int backfilled() {
        return (int) INT.getAcquire(first, BACKFILLED);
    }

    /**
     * Makes the next reader of frame {@code frame} sit on another read slot than one that began now, if one is free.
     *
     * <p>SQLite puts a reader on the highest slot with the highest read mark, so this lowers that mark by one. A mark belongs to
     * whoever locks its slot exclusively, and raising it without that lock would let a checkpoint overwrite what a reader of the slot
     * still needs. Lowering never does harm: it only tells checkpoints to spare frames that nobody may need, and a reader that looked
     * before and locks after sees that the mark changed, and looks again. But 0 is never lowered: what is below it means that the slot
     * is in nobody's use.
     */
    public void lowerReadMark(int frame) {
        for (int slot = READ_SLOTS - 1; slot > 0 && frame > 0; slot--) {
            if (INT.compareAndSet(first, READ_MARKS + Integer.BYTES * slot, frame, frame - 1)) {
                return;
            }
        }
    }

    /**
     * Reads the header into {@code into}.
     *
     * @return false when no valid header could be read now: a writer stands between its two stores, or a recovery is due or under way;
     *     {@code into} is then unspecified. Try again later, or read through SQLite, which recovers.
     */
    public boolean read(WalIndexHeader into) {
        for (int attempt = 0; attempt < READ_ATTEMPTS; attempt++) {
            if (readOnce(into)) {
                return true;
            }
            Thread.onSpinWait();
        }
        return false;
    }

    private boolean readOnce(WalIndexHeader into) {
        long w0 = word(0);
        long w1 = word(8);
        long w2 = word(16);
        long w3 = word(24);
        long w4 = word(32);
        long w5 = word(40);
        VarHandle.fullFence();
        if (w0 != word(48) || w1 != word(56) || w2 != word(64) || w3 != word(72) || w4 != word(80) || w5 != word(88)) {
            return false;
        }
        ByteBuffer copy = into.words;
        copy.putLong(0, w0)
                .putLong(8, w1)
                .putLong(16, w2)
                .putLong(24, w3)
                .putLong(32, w4)
                .putLong(40, w5);
        return into.decode();
    }

    private long word(int offset) {
        return (long) LONG.getOpaque(first, offset);
    }

    /** Whether its file still stands at its path; no, after it was deleted or replaced by another. */
    public boolean isInPlace() {
        return memory.isInPlace();
    }

    LiveDatabase.SharedMemory memory() {
        return memory;
    }
}
