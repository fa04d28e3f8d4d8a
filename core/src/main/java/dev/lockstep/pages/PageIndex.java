package dev.lockstep.pages;

import dev.lockstep.log.CommitRecord;
import dev.lockstep.log.Crc64;
import dev.lockstep.log.FrameLayout;
import dev.lockstep.log.FrameLog;
import dev.lockstep.log.LogReader;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * For every page of the primary's database: the last frame that wrote it and the CRC of its content; and over all of them the
 * {@link StateChecksum}. It answers what a file differs in from the head of the log, and which pages changed since a frame.
 *
 * <p>Changes since the last {@link #flush} stay in memory, because the file must never be ahead of the durable log (see
 * {@link PageTable}). That costs about 40 bytes for each page changed since then; a flush falls due every 65,536 pages, but only
 * between transactions. Until the first flush of a new index they go straight to the file, since no header vouches for it yet.
 *
 * <p>Not thread-safe, except {@link #force}, which other threads may call.
 */
public final class PageIndex implements Closeable {

    private static final Logger logger = LoggerFactory.getLogger(PageIndex.class);

    /** A flush is due when this many pages have changed: 256 MiB of 4 KiB pages. */
    private static final int FLUSH_PAGES = 65_536;

    private static final int REPLAY_BUFFER = 1 << 20;

    private final PageTable table;
    private final UUID logId;
    private final int pageSize;
    private final int lockBytePage;
    private final long zeroPageCrc;
    private final PageChanges changes = new PageChanges();

    /** Whether changes need not wait for a flush: there is no header yet, or they are durable in the log already. */
    private boolean straight = true;

    private int pages;
    private int highestPage;
    private long state;

    /** The newest header whose entries are all in the table; written by {@link #flush}, taken by {@link #force}. */
    private volatile PageTable.@Nullable Header flushed;

    /** The newest header on disk; belongs to the thread that calls {@link #force}. */
    private volatile PageTable.@Nullable Header forced;

    private PageIndex(PageTable table, UUID logId, int pageSize) {
        this.table = table;
        this.logId = logId;
        this.pageSize = pageSize;
        this.lockBytePage = FrameLayout.lockBytePage(pageSize);
        this.zeroPageCrc = Crc64.of(ByteBuffer.allocate(pageSize), 0, pageSize);
    }

    /** A new, empty index in {@code file}; anything in the file is forgotten. */
    public static PageIndex create(Path file, UUID logId, int pageSize) throws IOException {
        Files.deleteIfExists(file);
        return new PageIndex(new PageTable(file), logId, pageSize);
    }

    /**
     * Opens the index that belongs to {@code log} and brings it to the log's head.
     *
     * @return null when there is none, or when it does not fit the log: the file was lost or damaged, and must be made anew
     */
    public static @Nullable PageIndex open(Path file, FrameLog log) throws IOException {
        log.sync();
        PageTable table = new PageTable(file);
        PageTable.Header header = table.header();
        int pageSize = log.start().pageSize();
        if (header == null
                || !header.logId().equals(log.start().logId())
                || header.pageSize() != pageSize
                || header.frameNo() > log.head().frameNo()
                || header.frameNo() < log.start().startFrameNo() - 1) {
            table.close();
            return null;
        }
        PageIndex index = new PageIndex(table, header.logId(), pageSize);
        boolean fits = false;
        try {
            table.mapExisting(header.pages());
            index.forced = header;
            index.replay(header, log);
            fits = index.state == log.head().stateChecksum();
        } finally {
            if (!fits) {
                table.close();
            }
        }
        if (!fits) {
            logger.warn(
                    "{}: expected state checksum {} at frame {}, as the log says, found {}; the page index is damaged and made anew",
                    file,
                    Long.toHexString(log.head().stateChecksum()),
                    log.head().frameNo(),
                    Long.toHexString(index.state));
            return null;
        }
        index.flush(log.head().frameNo());
        return index;
    }

    /**
     * Replays the log over the entries. The state checksum is recomputed from the entries afterwards, because until then some of them
     * may be newer than the frame that the replay stands at.
     */
    private void replay(PageTable.Header from, FrameLog log) throws IOException {
        pages = from.pages();
        highestPage = from.pages();
        ByteBuffer buffer = ByteBuffer.allocateDirect(Math.max(REPLAY_BUFFER, FrameLayout.frameSize(pageSize)))
                .order(ByteOrder.LITTLE_ENDIAN);
        List<CommitRecord> commits = new ArrayList<>();
        try (LogReader reader = log.reader(from.frameNo())) {
            while (reader.read(buffer.clear(), commits, log.head().frameNo()) > 0) {
                replay(buffer.flip());
                commits.clear();
            }
        }
        state = 0;
        for (int pageNo = 1; pageNo <= pages; pageNo++) {
            if (framePlusOne(pageNo) != 0) {
                state ^= StateChecksum.mix(pageNo, contentCrc(pageNo));
            }
        }
    }

    private void replay(ByteBuffer frames) throws IOException {
        int frameSize = FrameLayout.frameSize(pageSize);
        for (int at = 0; at < frames.limit(); at += frameSize) {
            long crc = Crc64.of(frames, at + FrameLayout.HEADER, pageSize);
            set(FrameLayout.pageNo(frames, at), FrameLayout.frameNo(frames, at), crc);
            int sizeAfter = FrameLayout.sizeAfter(frames, at);
            if (sizeAfter != 0) {
                commit(FrameLayout.frameNo(frames, at), sizeAfter);
            }
        }
    }

    /** Notes that frame {@code frameNo} wrote {@code pageNo} with this content. */
    public void set(int pageNo, long frameNo, long contentCrc) throws IOException {
        toggle(pageNo);
        put(pageNo, contentCrc, frameNo + 1);
        toggle(pageNo);
        if (Integer.compareUnsigned(pageNo, highestPage) > 0) {
            highestPage = pageNo;
        }
    }

    /**
     * Notes that frame {@code frameNo} committed with a database of {@code sizeAfter} pages. Pages past the end are gone; pages that
     * the database grew by without any frame for them hold zeros, as the file system gives them.
     */
    public void commit(long frameNo, int sizeAfter) throws IOException {
        for (int pageNo = highestPage; pageNo > sizeAfter; pageNo--) {
            if (framePlusOne(pageNo) != 0) {
                toggle(pageNo);
                put(pageNo, 0, 0);
            }
        }
        for (int pageNo = pages + 1; pageNo <= sizeAfter; pageNo++) {
            if (framePlusOne(pageNo) == 0 && pageNo != lockBytePage) {
                set(pageNo, frameNo, zeroPageCrc);
            }
        }
        pages = sizeAfter;
        highestPage = sizeAfter;
    }

    private void put(int pageNo, long contentCrc, long framePlusOne) throws IOException {
        if (straight) {
            table.set(pageNo, contentCrc, framePlusOne);
        } else {
            changes.put(pageNo, contentCrc, framePlusOne);
        }
    }

    /** Adds the page's part to the state checksum, or takes it away if it is there. */
    private void toggle(int pageNo) {
        if (framePlusOne(pageNo) != 0) {
            state ^= StateChecksum.mix(pageNo, contentCrc(pageNo));
        }
    }

    /** CRC of the page's content; meaningful only where {@link #contains} says so. */
    public long contentCrc(int pageNo) {
        int place = changes.find(pageNo);
        return place >= 0 ? changes.contentCrc(place) : table.contentCrc(pageNo);
    }

    /** Whether the database has this page, and it is not the lock-byte page. */
    public boolean contains(int pageNo) {
        return framePlusOne(pageNo) != 0;
    }

    /** The last frame that wrote the page; meaningful only where {@link #contains} says so. */
    public long frameNo(int pageNo) {
        return framePlusOne(pageNo) - 1;
    }

    private long framePlusOne(int pageNo) {
        int place = changes.find(pageNo);
        return place >= 0 ? changes.frameNoPlusOne(place) : table.frameNoPlusOne(pageNo);
    }

    /** Database size in pages at the last commit. */
    public int pages() {
        return pages;
    }

    /** The state checksum of everything noted so far. */
    public long state() {
        return state;
    }

    /** Whether enough changed since the last flush that the next one is due. */
    public boolean flushDue(long frameNo) {
        PageTable.Header last = flushed;
        return changes.size() >= FLUSH_PAGES || last == null || frameNo - last.frameNo() >= FLUSH_PAGES;
    }

    /**
     * Moves the changes into the table, between transactions.
     *
     * @param frameNo the last frame noted, which must be durable in the log
     */
    public void flush(long frameNo) throws IOException {
        changes.forEach(table::set);
        changes.clear();
        straight = false;
        flushed = new PageTable.Header(logId, pageSize, pages, frameNo, state);
    }

    /** Makes the last flush durable, if it is not yet. Any thread. */
    public synchronized void force() {
        PageTable.Header header = flushed;
        if (header != null && !header.equals(forced)) {
            table.force(header);
            forced = header;
        }
    }

    /** The log must keep all frames after this one, so that a restart can replay them. */
    public long neededAfter() {
        PageTable.Header header = forced;
        return header == null ? -1 : header.frameNo();
    }

    /** Closes the file. What was not flushed is replayed from the log by the next {@link #open}. */
    @Override
    public void close() throws IOException {
        table.close();
    }
}
