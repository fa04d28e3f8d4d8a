package dev.lockstep.capture;

import dev.lockstep.UnavailableException;
import dev.lockstep.log.WalMark;
import dev.lockstep.pages.FileScan;
import dev.lockstep.sqlite.LiveDatabase;
import dev.lockstep.sqlite.WalFile;
import dev.lockstep.sqlite.WalFormat;
import dev.lockstep.sqlite.WalIndex;
import dev.lockstep.sqlite.WalIndexHeader;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;

/**
 * All pages of a live database at one committed state, as a pin holds it still: the database file, overlaid with the WAL's frames
 * where not all of them were copied into the file yet.
 *
 * <p>Why this is exact while others write: if every frame was copied when the state was read, the file holds the state, and the pin keeps
 * later frames out of it. If not, the pin (which began no later) keeps the WAL from being reset, so its frames up to the state can be
 * read; pages that are in none of them are not touched by any checkpoint, and what a checkpoint does to the others is overlaid.
 *
 * <p>Not thread-safe. Valid while the pin that stood at creation does not move.
 */
final class PinnedDatabase implements FileScan.Source, Closeable {

    private static final int ATTEMPTS = 1000;

    private final LiveDatabase database;
    private final WalFile wal;
    private final WalIndexHeader end = new WalIndexHeader();
    private final int pageSize;
    private final int pages;
    private final WalMark mark;

    /** The last frame of each page in the WAL; empty when the file alone holds the state. */
    private final Map<Integer, Integer> overlay = new HashMap<>();

    private final ByteBuffer frame;

    PinnedDatabase(LiveDatabase database, WalIndex walIndex, int pageSize) throws IOException {
        this.database = database;
        this.wal = new WalFile(database);
        this.pageSize = pageSize;
        this.frame = ByteBuffer.allocate(WalFormat.FRAME_HEADER_SIZE + pageSize).order(ByteOrder.BIG_ENDIAN);
        boolean allCopied = readEnd(walIndex);
        if (!allCopied) {
            overlayWal();
        }
        this.pages = end.pages() != 0 ? end.pages() : (int) (database.size() / pageSize);
        this.mark = new WalMark(end.salts(), end.maxFrame(), end.maxFrame() == 0 ? 0 : end.frameChecksum());
    }

    /** Database size in pages. */
    int pages() {
        return pages;
    }

    /** Where the state ends in the WAL. */
    WalMark mark() {
        return mark;
    }

    /** Those of which the file may hold an older version than this state, or none. */
    BitSet pagesOnlyInWal() {
        BitSet pages = new BitSet();
        overlay.keySet().forEach(pages::set);
        return pages;
    }

    /** Reads a header and whether all of its frames were copied, both at the same moment. */
    private boolean readEnd(WalIndex walIndex) throws IOException {
        WalIndexHeader again = new WalIndexHeader();
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            if (walIndex.read(end)) {
                int copied = walIndex.backfilled();
                if (walIndex.read(again) && again.salts() == end.salts() && again.maxFrame() == end.maxFrame()) {
                    return copied == end.maxFrame();
                }
            }
        }
        throw new UnavailableException(
                database.path() + ": the wal-index did not come to rest in " + ATTEMPTS
                        + " attempts; a program may have died while writing it. Open the database with sqlite3 once, then try again");
    }

    private void overlayWal() throws IOException {
        ByteBuffer header = ByteBuffer.allocate(WalFormat.FRAME_HEADER_SIZE).order(ByteOrder.BIG_ENDIAN);
        for (int f = 1; f <= end.maxFrame(); f++) {
            wal.readFrameHeader(f, pageSize, header);
            overlay.put(header.getInt(0), f);
        }
    }

    /** Reads bytes of whole pages; past the end of the database they are zero. */
    @Override
    public int read(long position, byte[] into, int offset, int length) throws IOException {
        int read = database.read(position, into, offset, length);
        Arrays.fill(into, offset + read, offset + length, (byte) 0);
        if (!overlay.isEmpty()) {
            for (int done = 0; done < length; done += pageSize) {
                Integer walFrame = overlay.get((int) ((position + done) / pageSize) + 1);
                if (walFrame != null) {
                    wal.readFrames(walFrame, 1, pageSize, frame);
                    frame.get(WalFormat.FRAME_HEADER_SIZE, into, offset + done, pageSize);
                }
            }
        }
        return length;
    }

    @Override
    public void close() throws IOException {
        wal.close();
    }
}
