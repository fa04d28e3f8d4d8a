package dev.lockstep.capture;

import dev.lockstep.Progress;
import dev.lockstep.log.Crc64;
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
import org.jspecify.annotations.Nullable;

/**
 * Reads all pages of a live database while the pin moves on, so that other programs' checkpoints need not wait until a large file was
 * read.
 *
 * <p>The file is read plainly, whatever others do to it. A page that this finds too old, too new or half written is in some frame of the WAL:
 * one that was not in the file yet at the beginning, or one that came since. The pin moves only when the page numbers of all frames so far
 * were noted, so none is missed. So are the pages past the smallest size that the database had since, which may have been cut
 * off and have come back without a frame. The pages noted are read again, in the same way while they are many, and the last of them from
 * a state that the pin holds still.
 *
 * <p>Not thread-safe.
 */
final class LiveScan implements Closeable {

    /** So many pages are soon read while the pin stands still. */
    private static final int FEW_PAGES = 4096;

    /** After so many rounds it ends even beside a writer that changes pages faster than they are read. */
    private static final int MAX_ROUNDS = 4;

    private final Progress progress;
    private final LiveDatabase database;
    private final WalIndex walIndex;
    private final Pins pins;
    private final int pageSize;
    private final WalFile wal;
    private final WalIndexHeader end = new WalIndexHeader();
    private final ByteBuffer frameHeader =
            ByteBuffer.allocate(WalFormat.FRAME_HEADER_SIZE).order(ByteOrder.BIG_ENDIAN);

    /** The pages that must be read after this round. */
    private BitSet changed = new BitSet();

    /** The smallest size of the database in this round, in pages. */
    private int smallest;

    /** Up to where frames were noted in {@link #changed}. */
    private WalMark noted = WalMark.NONE;

    private long pinNanos = System.nanoTime();
    private @Nullable PinnedDatabase held;

    /**
     * @param attachment whose pin stands; nobody else moves it while this scans
     * @param progress of the first round of each scan, which reads the file as a whole
     */
    LiveScan(Attachment attachment, Progress progress) throws IOException {
        this.progress = progress;
        this.database = attachment.database();
        this.walIndex = attachment.walIndex();
        this.pins = attachment.pins();
        this.pageSize = attachment.pageSize();
        this.wal = new WalFile(database);
    }

    /**
     * Visits every page, some of them again: only the last visit of a page counts. Pages past the end may have been visited, too.
     *
     * @return the state that was read, valid while the pin does not move and until this is closed or scans again
     */
    PinnedDatabase scan(FileScan.Visitor visitor) throws IOException {
        beginRound(hold());
        long bytes = (long) smallest * pageSize;
        FileScan.Source file = (position, into, offset, length) -> {
            progress.at(position, bytes);
            return readPlainly(position, into, offset, length);
        };
        FileScan.scan(file, pageSize, smallest, visitor);
        for (int round = 2; ; round++) {
            PinnedDatabase state = hold();
            BitSet again = changedUpTo(state);
            if (round == MAX_ROUNDS || again.cardinality() <= FEW_PAGES) {
                visit(again, state, visitor);
                return state;
            }
            beginRound(state);
            visit(again, this::readPlainly, visitor);
        }
    }

    /** The present state, held still by the pin. */
    private PinnedDatabase hold() throws IOException {
        close(held);
        movePin();
        PinnedDatabase state = new PinnedDatabase(database, walIndex, pageSize);
        held = state;
        return state;
    }

    private void beginRound(PinnedDatabase state) {
        changed = state.pagesOnlyInWal();
        smallest = state.pages();
        noted = state.mark();
    }

    private BitSet changedUpTo(PinnedDatabase state) throws IOException {
        note(state.mark());
        changed.set(smallest + 1, Math.max(smallest, state.pages()) + 1);
        changed.clear(state.pages() + 1, Math.max(state.pages() + 1, changed.length()));
        return changed;
    }

    /** Does what {@link Capture#movePin} does, but for noting pages instead of capturing them. */
    void movePin() throws IOException {
        if (walIndex.backfilled() != noted.frame()) {
            walIndex.lowerReadMark(noted.frame());
        }
        pins.make();
        if (walIndex.read(end)) {
            note(new WalMark(end.salts(), end.maxFrame(), end.frameChecksum()));
            pins.breakOld();
        } else {
            pins.unmake();
        }
        pinNanos = System.nanoTime();
    }

    /** After a reset or a recovery all frames are noted: some of them for the second time perhaps, but none is left out. */
    private void note(WalMark to) throws IOException {
        boolean goesOn = to.salts() == noted.salts() && to.frame() >= noted.frame();
        for (int frame = goesOn ? noted.frame() + 1 : 1; frame <= to.frame(); frame++) {
            wal.readFrameHeader(frame, pageSize, frameHeader);
            changed.set(frameHeader.getInt(0));
            int sizeAfter = frameHeader.getInt(Integer.BYTES);
            if (sizeAfter != 0) {
                smallest = Math.min(smallest, sizeAfter);
            }
        }
        noted = to;
    }

    private int readPlainly(long position, byte[] into, int offset, int length) throws IOException {
        movePinWhenDue();
        return database.read(position, into, offset, length);
    }

    void movePinWhenDue() throws IOException {
        if (System.nanoTime() - pinNanos >= Capture.PIN_NANOS) {
            movePin();
        }
    }

    private void visit(BitSet pages, FileScan.Source source, FileScan.Visitor visitor) throws IOException {
        byte[] page = new byte[pageSize];
        ByteBuffer view = ByteBuffer.wrap(page);
        for (int pageNo = pages.nextSetBit(1); pageNo > 0; pageNo = pages.nextSetBit(pageNo + 1)) {
            int read = source.read((pageNo - 1L) * pageSize, page, 0, pageSize);
            Arrays.fill(page, read, pageSize, (byte) 0);
            visitor.page(pageNo, Crc64.of(view, 0, pageSize), page, 0);
        }
    }

    private static void close(@Nullable PinnedDatabase state) throws IOException {
        if (state != null) {
            state.close();
        }
    }

    @Override
    public void close() throws IOException {
        close(held);
        wal.close();
    }
}
