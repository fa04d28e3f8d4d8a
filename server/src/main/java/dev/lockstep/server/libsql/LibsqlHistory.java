package dev.lockstep.server.libsql;

import dev.lockstep.CorruptException;
import dev.lockstep.RefusedException;
import dev.lockstep.RefusedException.Kind;
import dev.lockstep.UnavailableException;
import dev.lockstep.io.Storage;
import dev.lockstep.log.Commit;
import dev.lockstep.log.CommitRecord;
import dev.lockstep.log.Crc64;
import dev.lockstep.log.FrameLayout;
import dev.lockstep.log.FrameLog;
import dev.lockstep.log.LogStart;
import dev.lockstep.log.PageChain;
import dev.lockstep.log.PageCrcs;
import dev.lockstep.log.WalMark;
import dev.lockstep.pages.PageIndex;
import dev.lockstep.stream.Origin;
import dev.lockstep.stream.PageSource;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What a libSQL primary has sent, verified frame by frame, in a log of our own. From here on it is a history like any other, with state
 * checksums and seals, though those prove only what became of it here. The rules for a frame:
 *
 * <pre>
 * 1 it has header and page                                       [MALFORMED]
 * 2 its number is one more than the last one's                   [GAP, REPEAT]
 * 3 its page number is 1 to 2^32 - 2, not the lock-byte page     [PAGE_NUMBER]
 * 4 its checksum continues the chain over the page               [CHECKSUM]
 * </pre>
 *
 * The chain does not cover page numbers and sizes, and libSQL sends nothing else that does: a wrong one that is possible goes unnoticed.
 *
 * <pre>
 * log/            the frames
 * pages.idx       the page index
 * snapshot.pages  the pages that the history starts from, until the replica has copied them
 * </pre>
 *
 * One thread takes frames; the rest is for any.
 */
final class LibsqlHistory implements Origin, Closeable {

    static final int PAGE_SIZE = LibsqlDatabase.PAGE_SIZE;
    static final int FRAME_SIZE = FrameLayout.frameSize(PAGE_SIZE);

    private static final int BATCH = 256 * FRAME_SIZE;
    private static final long MAX_PAGE = 0xFFFF_FFFEL;
    private static final long FIRST_COMMIT_NANOS = TimeUnit.SECONDS.toNanos(5);

    /** The replica is near, so it needs no long past. */
    private static final FrameLog.Options LITTLE =
            new FrameLog.Options(16L << 20, 64L << 20, Duration.ofMillis(Long.MAX_VALUE));

    private final Path directory;
    private final String source;
    private final FrameLog log;
    private final PageChain chain = PageChain.of(PAGE_SIZE);
    private final PageCrcs crcs = new PageCrcs(PAGE_SIZE);
    private final int lockBytePage = FrameLayout.lockBytePage(PAGE_SIZE);

    /** Keeps what a restart needs to bring the page index to the head. */
    private final FrameLog.Hold replayable;

    /** Where a first copy starts; null if none is wanted. */
    private final @Nullable CommitRecord copyStart;

    /** Keeps what there is until the replica has said what it needs. */
    private final FrameLog.Hold startHold;

    private final ByteBuffer batch = ByteBuffer.allocateDirect(BATCH).order(ByteOrder.LITTLE_ENDIAN);
    private final List<Commit> commits = new ArrayList<>();
    private PageIndex index;

    /** Of the last frame taken. */
    private long frameNo;

    private long checksum;
    private boolean inTransaction;

    private LibsqlHistory(Path directory, String source, FrameLog log, boolean copyWanted) throws IOException {
        this.directory = directory;
        this.source = source;
        this.log = log;
        this.copyStart = copyWanted ? log.head() : null;
        this.startHold = log.hold(log.start().startFrameNo() - 1);
        this.index = openIndex();
        this.replayable = log.hold(index.neededAfter());
        this.frameNo = log.head().frameNo();
        this.checksum = log.head().checksum();
        if (!copyWanted) {
            Files.deleteIfExists(snapshotFile(directory));
        }
    }

    static Path snapshotFile(Path directory) {
        return directory.resolve("snapshot.pages");
    }

    private static Path indexFile(Path directory) {
        return directory.resolve("pages.idx");
    }

    private static Storage storage(Path directory) throws IOException {
        return Storage.directory(directory.resolve("log"));
    }

    /** Goes on with the history in the directory; null if there is none. */
    static @Nullable LibsqlHistory open(Path directory, String source) throws IOException {
        if (!FrameLog.exists(storage(directory))) {
            return null;
        }
        FrameLog log = FrameLog.open(storage(directory), LITTLE);
        try {
            return new LibsqlHistory(directory, source, log, false);
        } catch (IOException | RuntimeException e) {
            log.close();
            throw e;
        }
    }

    /** Begins with frame 0. */
    static LibsqlHistory begin(Path directory, String source, UUID logId) throws IOException {
        PageIndex empty = PageIndex.create(indexFile(directory), logId, PAGE_SIZE);
        empty.flush(-1);
        return begin(directory, source, new LogStart(logId, PAGE_SIZE, 0, 0, 0, 0), empty);
    }

    /** Begins after the pages of a snapshot, which are in its file. */
    static LibsqlHistory begin(Path directory, String source, UUID logId, ReceivedSnapshot snapshot)
            throws IOException {
        PageIndex index = PageIndex.create(indexFile(directory), logId, PAGE_SIZE);
        snapshot.index(index);
        LogStart start = new LogStart(
                logId, PAGE_SIZE, snapshot.frameNo() + 1, snapshot.checksum(), index.state(), snapshot.pages());
        return begin(directory, source, start, index);
    }

    private static LibsqlHistory begin(Path directory, String source, LogStart start, PageIndex index)
            throws IOException {
        index.force();
        index.close();
        FrameLog log = FrameLog.create(storage(directory), start, LITTLE);
        return new LibsqlHistory(directory, source, log, true);
    }

    private PageIndex openIndex() throws IOException {
        PageIndex opened = PageIndex.open(indexFile(directory), log);
        if (opened == null) {
            throw new CorruptException(indexFile(directory)
                    + " is missing or damaged; the state of the pages is not known without it. Start with --force");
        }
        return opened;
    }

    @Override
    public String name() {
        return source;
    }

    @Override
    public FrameLog log() {
        return log;
    }

    /** The last frame taken, be it in the middle of a transaction. */
    long frameNo() {
        return frameNo;
    }

    /**
     * Takes the next frame. It can be read from the log after the next {@link #flush}.
     *
     * @param timeMillis when it was committed, 0 if that is not known
     * @throws RefusedException if it does not continue what is there; what came before is kept
     */
    void take(ByteBuffer frame, long timeMillis) throws IOException {
        long crc = verify(frame);
        batch.put(frame.duplicate());
        frameNo++;
        checksum = FrameLayout.checksum(frame, 0);
        index.set(FrameLayout.pageNo(frame, 0), frameNo, crc);
        int sizeAfter = FrameLayout.sizeAfter(frame, 0);
        inTransaction = sizeAfter == 0;
        if (!inTransaction) {
            index.commit(frameNo, sizeAfter);
            commits.add(new Commit(batch.position(), timeMillis, index.state(), WalMark.NONE));
        }
        if (!batch.hasRemaining()) {
            flush();
        }
    }

    /** Gives the content CRC of the page. */
    private long verify(ByteBuffer frame) throws RefusedException {
        long expected = frameNo + 1;
        if (frame.limit() != FRAME_SIZE) {
            throw refused(Kind.MALFORMED, expected, FRAME_SIZE + " bytes", frame.limit() + " bytes");
        }
        long found = FrameLayout.frameNo(frame, 0);
        if (found != expected) {
            Kind kind = Long.compareUnsigned(found, expected) > 0 ? Kind.GAP : Kind.REPEAT;
            throw refused(kind, found, "frame " + expected, "frame " + Long.toUnsignedString(found));
        }
        long page = Integer.toUnsignedLong(FrameLayout.pageNo(frame, 0));
        if (page < 1 || page > MAX_PAGE || page == lockBytePage) {
            throw refused(
                    Kind.PAGE_NUMBER,
                    expected,
                    "a page from 1 to " + MAX_PAGE + " other than " + lockBytePage,
                    "page " + page);
        }
        long crc = Crc64.of(frame, FrameLayout.HEADER, PAGE_SIZE);
        long chained = chain.next(checksum, crc);
        if (chained != FrameLayout.checksum(frame, 0)) {
            throw refused(
                    Kind.CHECKSUM,
                    expected,
                    String.format("checksum %016x", chained),
                    String.format("%016x", FrameLayout.checksum(frame, 0)));
        }
        return crc;
    }

    private RefusedException refused(Kind kind, long frame, String expected, String found) {
        return new RefusedException(kind, frame, expected, found, source);
    }

    /** Makes durable what was taken, and has it followed. */
    void flush() throws IOException {
        if (batch.position() > 0) {
            batch.flip();
            crcs.clear();
            for (int at = 0; at < batch.limit(); at += FRAME_SIZE) {
                crcs.add(batch, at);
            }
            log.append(batch, crcs, commits);
            batch.clear();
            commits.clear();
            log.sync();
        }
        if (!inTransaction && index.flushDue(frameNo)) {
            index.flush(frameNo);
            index.force();
            replayable.moveTo(index.neededAfter());
        }
    }

    /** Keeps the transactions that are whole, and forgets the frames after them, which will come again. */
    void backToCommit() throws IOException {
        flush();
        if (inTransaction) {
            log.rollback();
            index.close();
            index = openIndex();
            frameNo = log.head().frameNo();
            checksum = log.head().checksum();
            inTransaction = false;
        }
    }

    @Override
    public PageSource openPages() throws IOException {
        CommitRecord start = copyStart;
        if (start == null || log.start().startFrameNo() > start.frameNo() + 1) {
            throw new UnavailableException(directory + " no longer has the pages for a first copy; start with --force");
        }
        if (start.frameNo() < 0) {
            awaitFirstCommit();
        }
        return new ReceivedPages(start, snapshotFile(directory), log, startHold);
    }

    /** Says that a replica goes on from where it was; what it needs is held for it elsewhere. */
    void resumed() {
        startHold.close();
    }

    private void awaitFirstCommit() throws UnavailableException {
        try {
            if (!log.await(-1, true, FIRST_COMMIT_NANOS)) {
                throw new UnavailableException(source + " has no transaction to send yet");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UnavailableException("interrupted");
        }
    }

    @Override
    public void close() throws IOException {
        try (FrameLog closing = log) {
            index.close();
        }
    }
}
