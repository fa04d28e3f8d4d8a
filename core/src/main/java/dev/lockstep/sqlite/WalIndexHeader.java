package dev.lockstep.sqlite;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * One validated copy of the wal-index header: SQLite's own statement of how far the WAL is committed. A mutable holder, so that
 * polling allocates nothing; not thread-safe. Filled by {@link WalIndex#read}; the layout stands there.
 */
public final class WalIndexHeader {

    private static final boolean NATIVE_BIG_ENDIAN = ByteOrder.nativeOrder() == ByteOrder.BIG_ENDIAN;

    /** The 48 bytes as they stood in shared memory. */
    final ByteBuffer words = ByteBuffer.allocate(WalIndex.HEADER_SIZE).order(ByteOrder.nativeOrder());

    /** Whether {@link #words} are a header that SQLite finished writing. */
    boolean decode() {
        return words.get(WalIndex.IS_INIT) != 0 && words.getLong(WalIndex.HEADER_CHECKSUM) == checksum();
    }

    /** The checksum that belongs at {@link WalIndex#HEADER_CHECKSUM}, as the long that stands there in native order. */
    long checksum() {
        long pair = WalChecksum.over(WalChecksum.SEED, words, 0, WalIndex.HEADER_CHECKSUM, NATIVE_BIG_ENDIAN);
        return NATIVE_BIG_ENDIAN ? Long.rotateLeft(pair, 32) : pair;
    }

    /** Counts commits; starts again at 0 when SQLite recovers the WAL. */
    public int change() {
        return words.getInt(WalIndex.CHANGE);
    }

    /** Whether the WAL's checksums read big-endian words. */
    public boolean bigEndian() {
        return words.get(WalIndex.BIG_ENDIAN_CHECKSUM) != 0;
    }

    /** Page size in bytes, 512 to 65536. */
    public int pageSize() {
        int stored = words.getShort(WalIndex.PAGE_SIZE) & 0xffff;
        return (stored & 0xfe00) | ((stored & 1) << 16);
    }

    /** The last committed frame of the WAL, 0 when it holds none. */
    public int maxFrame() {
        return words.getInt(WalIndex.MAX_FRAME);
    }

    /** Database size in pages at {@link #maxFrame}; 0 when not known (nothing was committed since the WAL was created). */
    public int pages() {
        return words.getInt(WalIndex.PAGES);
    }

    /** Running checksum at {@link #maxFrame}, as {@link WalChecksum} carries it; stale while {@link #maxFrame} is 0. */
    public long frameChecksum() {
        return WalChecksum.pair(words.getInt(WalIndex.FRAME_CHECKSUM), words.getInt(WalIndex.FRAME_CHECKSUM + 4));
    }

    /** Salts of the WAL's generation, as {@link WalFormat} carries them. */
    public long salts() {
        long raw = words.getLong(WalIndex.SALTS);
        return NATIVE_BIG_ENDIAN ? Long.reverseBytes(raw) : raw;
    }

    /** Becomes a copy of {@code other}. */
    void set(WalIndexHeader other) {
        words.put(0, other.words, 0, WalIndex.HEADER_SIZE);
    }

    /** Moves the committed end; {@link #seal} must follow before the header is published. */
    void moveTo(int maxFrame, int pages, long frameChecksum, int commits) {
        words.putInt(WalIndex.CHANGE, change() + commits);
        words.putInt(WalIndex.MAX_FRAME, maxFrame);
        words.putInt(WalIndex.PAGES, pages);
        words.putInt(WalIndex.FRAME_CHECKSUM, (int) frameChecksum);
        words.putInt(WalIndex.FRAME_CHECKSUM + 4, (int) (frameChecksum >>> 32));
    }

    /** Enters a generation of the WAL, or stays in it. */
    void enter(boolean bigEndian, int pageSize, long salts) {
        words.put(WalIndex.BIG_ENDIAN_CHECKSUM, (byte) (bigEndian ? 1 : 0));
        words.putShort(WalIndex.PAGE_SIZE, (short) ((pageSize & 0xff00) | (pageSize >>> 16)));
        words.putLong(WalIndex.SALTS, NATIVE_BIG_ENDIAN ? Long.reverseBytes(salts) : salts);
    }

    /** Completes the header with version, flag and checksum. */
    void seal() {
        words.putInt(WalIndex.VERSION, WalFormat.VERSION);
        words.put(WalIndex.IS_INIT, (byte) 1);
        words.putLong(WalIndex.HEADER_CHECKSUM, checksum());
    }

    @Override
    public String toString() {
        return String.format("WAL frame %d of generation %016x (%d pages)", maxFrame(), salts(), pages());
    }
}
