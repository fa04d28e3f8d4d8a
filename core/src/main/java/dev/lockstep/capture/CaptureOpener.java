package dev.lockstep.capture;

import dev.lockstep.CorruptException;
import dev.lockstep.Progress;
import dev.lockstep.UnavailableException;
import dev.lockstep.UnsupportedException;
import dev.lockstep.io.Storage;
import dev.lockstep.log.CommitRecord;
import dev.lockstep.log.FrameLog;
import dev.lockstep.log.LogStart;
import dev.lockstep.log.WalMark;
import dev.lockstep.pages.PageIndex;
import dev.lockstep.sqlite.LiveDatabase;
import dev.lockstep.sqlite.SqliteConnections;
import dev.lockstep.sqlite.WalIndexHeader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.time.InstantSource;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decides how the history of a database goes on when capture begins:
 *
 * <ol>
 *   <li>there is no log: a new history begins with the pages that are there;
 *   <li>the WAL still holds the place where the log ends: capture goes on from there;
 *   <li>the WAL is the log's, but lost its tail in a power failure: the tail is put back from the log;
 *   <li>otherwise others recycled the WAL meanwhile: the pages that differ from the log's head are appended to the same history (G8).
 * </ol>
 */
public final class CaptureOpener {

    private static final Logger logger = LoggerFactory.getLogger(CaptureOpener.class);

    /**
     * Where a primary keeps the history of one database.
     *
     * @param storage the log's segments
     * @param pageIndex file of the page index
     */
    public record Home(Storage storage, Path pageIndex, FrameLog.Options options) {

        /** The one in a primary's data directory. */
        public static Home in(Path dataDirectory, FrameLog.Options options) {
            return new Home(
                    Storage.directory(dataDirectory.resolve("log")), dataDirectory.resolve("pages.idx"), options);
        }
    }

    private final Path database;
    private final Home home;
    private final InstantSource clock;
    private final long brakeBytes;

    public CaptureOpener(Path database, Home home, InstantSource clock) {
        this(database, home, clock, Brake.LIMIT_BYTES);
    }

    CaptureOpener(Path database, Home home, InstantSource clock, long brakeBytes) {
        this.brakeBytes = brakeBytes;
        this.database = database;
        this.home = home;
        this.clock = clock;
    }

    /**
     * Attaches to the database. If that fails, the WAL stays as it is, for it may be all that proves what a power failure took.
     *
     * @param log the log to go on with; null begins a new history in {@link Home#storage}
     * @param progress of reading the whole database, where that is necessary
     */
    public Capture open(@Nullable FrameLog log, Progress progress) throws IOException {
        if (log != null && !Files.exists(database)) {
            throw new UnavailableException(
                    database + " is gone, though its log is there. Put the database back, for instance from a"
                            + " replica's copy; or, to begin a new history, move the log away too");
        }
        boolean hasWal = log != null && Files.exists(LiveDatabase.of(database).walPath());
        Connection keeper = hasWal ? SqliteConnections.openKeeper(database) : null;
        try {
            return attach(log, progress);
        } catch (MissedFramesException e) {
            logger.info("{}: {}", database, e.getMessage());
            return attach(log, progress); // which now finds that a comparison is due
        } finally {
            if (keeper != null) {
                SqliteConnections.closeQuietly(keeper);
            }
        }
    }

    private Capture attach(@Nullable FrameLog log, Progress progress) throws IOException {
        Attachment attachment = new Attachment(database);
        try {
            return log == null ? begin(attachment, progress) : resume(attachment, log, progress);
        } catch (Throwable e) {
            attachment.close();
            throw e;
        }
    }

    private Capture begin(Attachment attachment, Progress progress) throws IOException {
        int pageSize = attachment.pageSize();
        UUID logId = UUID.randomUUID();
        PageIndex index = PageIndex.create(home.pageIndex(), logId, pageSize);
        try (LiveScan scan = new LiveScan(attachment, progress)) {
            PinnedDatabase state = Reconciler.fill(index, scan, pageSize);
            LogStart start = Reconciler.begin(index, pageSize, logId);
            index.flush(start.startFrameNo() - 1);
            index.force();
            FrameLog log = FrameLog.create(home.storage(), start, home.options());
            logger.info("{}: a new history begins, log {}, {} pages", database, logId, start.startPages());
            return capture(attachment, log, index, state.mark());
        }
    }

    private Capture resume(Attachment attachment, FrameLog log, Progress progress) throws IOException {
        int pageSize = log.start().pageSize();
        if (attachment.pageSize() != pageSize) {
            throw new UnsupportedException(String.format(
                    "%s: its log has pages of %d bytes, the database now has %d; a VACUUM changed the page size. A history has one page"
                            + " size: move the log directory away to begin a new one, and copy the replicas anew",
                    database, pageSize, attachment.pageSize()));
        }
        log.rollback();
        PageIndex index = PageIndex.open(home.pageIndex(), log);
        WalMark captured = log.head().wal();
        WalIndexHeader end = held(attachment, captured);
        if (index != null && end != null) {
            return goOn(attachment, log, index, captured, end);
        }
        WalMark restored = lostItsTail(attachment, captured) ? rollForward(attachment, log) : null;
        end = restored == null ? null : held(attachment, restored);
        if (index != null && restored != null && end != null) {
            logger.warn(
                    "{}: its WAL lost its last transactions, in a power failure it seems; they were put back from the log, up to frame {}",
                    database,
                    log.head().frameNo());
            return goOn(attachment, log, index, restored, end);
        }
        return reconcile(attachment, log, index, progress);
    }

    /** The committed end of the WAL if it still holds what ended at the mark, else null. */
    static @Nullable WalIndexHeader held(Attachment attachment, WalMark mark) throws IOException {
        WalIndexHeader end = new WalIndexHeader();
        try (WalTail tail = new WalTail(attachment.database(), attachment.pageSize())) {
            return attachment.walIndex().read(end) && tail.holds(mark, end) ? end : null;
        }
    }

    /**
     * Goes on from the mark. What the WAL held is captured first, up to the end that was seen together with the mark: if all of it is
     * in the database file, the pin lets the next writer reset the WAL, and a later look would find a new generation and no sign of
     * the frames that followed the mark.
     *
     * @param held see {@link #held}; the pin stood at that time
     * @throws MissedFramesException if the WAL was reset before they were read
     */
    Capture goOn(Attachment attachment, FrameLog log, PageIndex index, WalMark mark, WalIndexHeader held)
            throws IOException {
        WalTail tail = new WalTail(attachment.database(), attachment.pageSize());
        tail.startAt(mark);
        Transcriber transcriber = new Transcriber(log, index, clock);
        boolean captured = false;
        try {
            captured = tail.follow(held, transcriber);
        } catch (CorruptException e) {
            WalIndexHeader now = new WalIndexHeader();
            if (attachment.walIndex().read(now) && now.salts() == held.salts()) {
                throw e;
            }
        } finally {
            if (!captured) {
                tail.close();
                index.close();
            }
        }
        if (!captured) {
            throw new MissedFramesException("the WAL was reset before what followed " + mark + " was read");
        }
        return begun(attachment, log, index, tail, transcriber);
    }

    private static boolean lostItsTail(Attachment attachment, WalMark captured) {
        WalIndexHeader end = new WalIndexHeader();
        return attachment.walIndex().read(end) && end.salts() == captured.salts() && end.maxFrame() < captured.frame();
    }

    /**
     * Without a pin meanwhile: the write lock may be held by a checkpoint that waits for the pin. So what the WAL holds must be looked at
     * again afterwards.
     */
    private @Nullable WalMark rollForward(Attachment attachment, FrameLog log) throws IOException {
        attachment.pins().end();
        try {
            return RollForward.apply(database, log);
        } finally {
            attachment.pins().begin();
        }
    }

    /** The index of the new head is made beside the old one, which stays right, and which the log can bring to the head, until then. */
    private Capture reconcile(Attachment attachment, FrameLog log, @Nullable PageIndex found, Progress progress)
            throws IOException {
        Path beside = home.pageIndex().resolveSibling(home.pageIndex().getFileName() + ".new");
        try (LiveScan scan = new LiveScan(attachment, progress)) {
            PageIndex index = found != null ? found : Reconciler.recover(scan, log, home.pageIndex());
            PageIndex next =
                    PageIndex.create(beside, log.start().logId(), log.start().pageSize());
            CommitRecord head = log.head();
            Reconciler.Appended appended = Reconciler.appendDifference(
                    scan, attachment.pageSize(), index, next, new Transcriber(log, next, clock));
            boolean differed = appended.pages() > 0;
            if (differed) {
                next.flush(log.sync().frameNo());
                next.force();
                Files.move(beside, home.pageIndex(), StandardCopyOption.ATOMIC_MOVE);
            }
            (differed ? index : next).close();
            logger.info(
                    "{}: its WAL does not continue the log, so it was compared page by page with frame {}: {} pages differed and were"
                            + " appended as one transaction",
                    database,
                    head.frameNo(),
                    appended.pages());
            return capture(attachment, log, differed ? next : index, appended.end());
        } finally {
            Files.deleteIfExists(beside);
        }
    }

    private Capture capture(Attachment attachment, FrameLog log, PageIndex index, WalMark from) throws IOException {
        WalTail tail = new WalTail(attachment.database(), attachment.pageSize());
        tail.startAt(from);
        return begun(attachment, log, index, tail, new Transcriber(log, index, clock));
    }

    private Capture begun(Attachment attachment, FrameLog log, PageIndex index, WalTail tail, Transcriber transcriber)
            throws IOException {
        Capture capture = new Capture(attachment, log, index, tail, transcriber, brakeBytes);
        capture.catchUp();
        return capture;
    }
}
