package dev.lockstep.capture;

import static dev.lockstep.sqlite.SqliteConnections.text;

import dev.lockstep.UnavailableException;
import dev.lockstep.io.CrashPoint;
import dev.lockstep.log.CommitRecord;
import dev.lockstep.log.FrameLog;
import dev.lockstep.log.WalMark;
import dev.lockstep.pages.PageIndex;
import dev.lockstep.sqlite.SqliteConnections;
import dev.lockstep.sqlite.WalIndex;
import dev.lockstep.sqlite.WalIndexHeader;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.sql.SQLException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Follows the WAL of a live database into the log, moves the pin, and has checkpoints made.
 *
 * <p>{@link #run} and {@link #close} belong to one thread at a time; {@link #stop}, {@link #wakes}, {@link #status}, {@link #copied} and
 * {@link #awaitCaptured} may be called by any.
 */
public final class Capture implements Closeable {

    /** A pin that stands longer than this while others write begins to stall foreign checkpoints. */
    static final long PIN_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

    /**
     * After this long a pin moves even if it seems to hold up nobody, and again after twice, four times, ... as long, so that waiting
     * programs, which look every 100 ms or every second, cannot always look at the wrong moment.
     */
    private static final long PIN_ANYWAY_NANOS = TimeUnit.MILLISECONDS.toNanos(250);

    private static final long PIN_LONGEST_NANOS = TimeUnit.MINUTES.toNanos(1);

    /** Pauses between polls: just after a commit, in the second after it, and when nothing happens or nobody waits for the log. */
    private static final long PAUSE_BUSY = TimeUnit.MICROSECONDS.toNanos(50);

    private static final long PAUSE_RECENT = TimeUnit.MICROSECONDS.toNanos(100);
    private static final long PAUSE_IDLE = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long BUSY_NANOS = TimeUnit.MILLISECONDS.toNanos(20);
    private static final long RECENT_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** After this long without a commit, what is left in the WAL is copied into the database file. */
    private static final long IDLE_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

    /** So long a capture rests at most, because the pin must move even if nobody writes, and the file be in its place. */
    private static final long REST_NANOS = TimeUnit.SECONDS.toNanos(5);

    private static final long IN_PLACE_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** How long an unreadable wal-index is left to its writer before SQLite is made to recover it. */
    private static final long UNREADABLE_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** How long the end of a capture waits for it. */
    private static final long FINISH_NANOS = 2 * UNREADABLE_NANOS;

    private final Attachment attachment;
    private final WalIndex walIndex;
    private final FrameLog log;
    private final PageIndex index;
    private final WalTail tail;
    private final Transcriber transcriber;
    private final Checkpointer checkpointer;
    private final WalIndexHeader end = new WalIndexHeader();

    private final CatchUps catchUps = new CatchUps();
    private volatile boolean stopped;
    private volatile Status status = new Status(0, 0, 0);

    /** See {@link #copied}; written by the capture's thread. */
    private volatile @Nullable CommitRecord copied;

    /** SQLite's count of commits, and ours, when the two were last compared; no comparison before the first. */
    private int auditedChange;

    private long auditedTransactions = -1;

    private long seenHint;
    private long commitNanos = System.nanoTime();
    private long readableNanos = System.nanoTime();
    private long pinNanos = System.nanoTime();
    private long pinAnywayNanos = PIN_ANYWAY_NANOS;
    private long restedNanos = System.nanoTime();
    private long inPlaceNanos = System.nanoTime();

    /** When the database file was last written to, as long as everything is in it; and where the WAL ended then. */
    private @Nullable FileTime writtenLast;

    private WalMark copiedAt = WalMark.NONE;

    private boolean committedSincePin = true;

    /** Whether the pin reads the database file alone, and so lets the next writer reset the WAL. */
    private boolean pinAllowsReset;

    /**
     * What is known of the WAL.
     *
     * @param walFrames committed frames in it
     * @param uncopiedFrames of these, how many are not in the database file yet
     * @param checkpointsPostponed consecutive checkpoints that other programs' transactions kept from finishing; an alarm when it grows
     */
    public record Status(int walFrames, int uncopiedFrames, int checkpointsPostponed) {}

    /** @param brakeBytes see {@link Brake} */
    Capture(
            Attachment attachment,
            FrameLog log,
            PageIndex index,
            WalTail tail,
            Transcriber transcriber,
            long brakeBytes)
            throws IOException {
        this.attachment = attachment;
        this.walIndex = attachment.walIndex();
        this.log = log;
        this.index = index;
        this.tail = tail;
        this.transcriber = transcriber;
        this.checkpointer = new Checkpointer(attachment, this, brakeBytes);
    }

    /** The log that is captured into. */
    public FrameLog log() {
        return log;
    }

    /** The page index that belongs to the log. */
    public PageIndex index() {
        return index;
    }

    Attachment attachment() {
        return attachment;
    }

    /**
     * Follows the WAL until {@link #stop}, and has then captured everything that was committed before that call; or until nothing happens
     * any more.
     *
     * @param unsynced is called again and again, and must return soon, while not all of the log is durable
     * @return whether it was stopped; if not, it is to be called again when it {@link #wakes}
     */
    public boolean run(Runnable unsynced) throws IOException {
        catchUps.begin();
        boolean rests = false;
        try {
            while (!stopped && !rests) {
                try {
                    step();
                } catch (IOException e) {
                    requireInPlace(); // what is not explains whatever failed
                    throw e;
                }
                boolean isDurable = log.isAllDurable();
                if (!isDurable) {
                    unsynced.run();
                }
                rests = isDurable && nothingHappens();
                if (!rests) {
                    LockSupport.parkNanos(pause());
                }
            }
            if (!rests) {
                finish();
            }
            return !rests;
        } finally {
            if (rests) {
                restedNanos = System.nanoTime();
                catchUps.rest();
            } else {
                catchUps.end();
            }
        }
    }

    private boolean nothingHappens() {
        return System.nanoTime() - commitNanos >= RECENT_NANOS
                && walIndex.changeHint() == seenHint
                && checkpointer.isResting();
    }

    /** Whether {@link #run} is to be called again, after it has returned false. */
    public boolean wakes() {
        return stopped
                || walIndex.changeHint() != seenHint
                || catchUps.asked() != catchUps.answered()
                || System.nanoTime() - restedNanos >= REST_NANOS;
    }

    private void finish() throws IOException {
        long asked = catchUps.asked();
        long deadline = System.nanoTime() + FINISH_NANOS;
        boolean caughtUp = catchUp();
        while (!caughtUp && System.nanoTime() - deadline < 0) { // a commit is just being published
            LockSupport.parkNanos(PAUSE_IDLE);
            caughtUp = catchUp();
        }
        if (caughtUp) {
            catchUps.answer(asked);
        }
        index.flush(log.sync().frameNo());
        index.force();
    }

    /**
     * Waits until everything that was committed before this call is in the log. It wakes the capture's thread and does not wait for its
     * next poll, unless it rests. Any thread may call it.
     *
     * @return false if that took longer than {@code nanos}, or if {@link #run} ended before
     */
    public boolean awaitCaptured(long nanos) throws InterruptedException {
        return catchUps.await(nanos);
    }

    /** One round: capture what was committed; move the pin and checkpoint when that is due. */
    void step() throws IOException {
        long asked = catchUps.asked();
        long hint = walIndex.changeHint();
        if (hint != seenHint && catchUp()) {
            seenHint = hint;
            commitNanos = System.nanoTime();
            catchUps.answer(asked);
        } else if (asked != catchUps.answered() && catchUp()) {
            catchUps.answer(asked);
        }
        if (pinMustMove()) {
            movePin();
        }
        if (!tail.reached(end) || !everythingCopied()) {
            writtenLast = null;
        } else if (writtenLast == null || !copiedAt.equals(tail.at())) {
            writtenLast = attachment.database().modified();
            copiedAt = tail.at();
            copied = log.head();
        }
        checkpointer.step(end, copied == null || System.nanoTime() - commitNanos >= IDLE_NANOS);
        if (System.nanoTime() - inPlaceNanos >= IN_PLACE_NANOS) {
            requireInPlace();
        }
        status = new Status(end.maxFrame(), end.maxFrame() - walIndex.backfilled(), checkpointer.postponed());
    }

    /**
     * Without this, capture would go on following files that nobody else can reach any more, or checkpoint into one that another program,
     * such as cp, has written over.
     */
    void requireInPlace() throws IOException {
        inPlaceNanos = System.nanoTime();
        Path path = attachment.database().path();
        if (!attachment.database().isInPlace()) {
            throw new UnavailableException(
                    path + " was deleted, moved, or replaced by another file while it was followed");
        }
        if (!walIndex.isInPlace() || !tail.isInPlace()) {
            throw new UnavailableException(
                    path + ": the -wal or -shm file beside it was deleted, moved, or replaced while it"
                            + " was followed. SQLite's programs lose transactions by that; those that have the database open must be restarted");
        }
        if (isOverwritten()) {
            throw new UnavailableException(
                    path + " was written to by a program that does not use SQLite, such as cp, while it"
                            + " was followed; it will be compared with the log. Programs that have it open must be restarted");
        }
    }

    /** Nobody writes to the file through SQLite while the WAL is what it was when all of it was in the file. */
    private boolean isOverwritten() throws IOException {
        return writtenLast != null
                && copiedAt.equals(tail.at())
                && !writtenLast.equals(attachment.database().modified());
    }

    private long pause() {
        long quiet = log.isAwaited() ? System.nanoTime() - commitNanos : Long.MAX_VALUE;
        return quiet < BUSY_NANOS ? PAUSE_BUSY : quiet < RECENT_NANOS ? PAUSE_RECENT : PAUSE_IDLE;
    }

    private boolean pinMustMove() {
        long now = System.nanoTime();
        boolean holdsUpReset = !pinAllowsReset && end.maxFrame() > 0 && everythingCopied();
        boolean isDue = committedSincePin || holdsUpReset;
        return now - pinNanos >= (isDue ? PIN_NANOS : pinAnywayNanos);
    }

    /**
     * Captures everything committed now.
     *
     * @return false if the wal-index could not be read just now
     */
    boolean catchUp() throws IOException {
        if (!walIndex.read(end)) {
            recoverIfStuck();
            return false;
        }
        readableNanos = System.nanoTime();
        if (!tail.reached(end)) {
            committedSincePin = true;
            if (!tail.follow(end, transcriber)) {
                throw missed("the WAL ends at " + end + ", but capture stands at " + tail.at());
            }
        }
        audit();
        if (index.flushDue(log.head().frameNo())) {
            index.flush(log.sync().frameNo());
        }
        return true;
    }

    /**
     * SQLite counts every commit in the wal-index. If it counted more than were captured, frames were missed. It counts fewer where it
     * pads commits to the disk's sectors, and anew after a recovery.
     */
    private void audit() throws MissedFramesException {
        int counted = end.change() - auditedChange;
        long captured = transcriber.transactions() - auditedTransactions;
        boolean recovered = counted < 0;
        if (auditedTransactions >= 0 && !recovered && counted > captured) {
            throw missed("SQLite counted " + counted + " commits where " + captured + " were captured");
        }
        auditedChange = end.change();
        auditedTransactions = transcriber.transactions();
    }

    private MissedFramesException missed(String what) {
        return new MissedFramesException(
                attachment.database().path() + ": " + what
                        + "; frames were recycled before they were captured, so the database must be compared with the log page by page");
    }

    /** A writer that died between its two stores of the header leaves it unreadable until the next user of SQLite recovers it. */
    private void recoverIfStuck() throws IOException {
        if (System.nanoTime() - readableNanos >= UNREADABLE_NANOS) {
            try {
                text(attachment.writer(), "PRAGMA user_version");
            } catch (SQLException e) {
                IOException error =
                        SqliteConnections.translate(attachment.database().path(), e);
                if (!(error instanceof UnavailableException)) {
                    throw error;
                }
            }
        }
    }

    /**
     * Moves the pin to the present, make before break, and captures everything up to there.
     *
     * @return false if the wal-index could not be read just now, so that the old pin stands
     */
    boolean movePin() throws IOException {
        boolean copied = everythingCopied();
        WalMark before = tail.at();
        pinAnywayNanos = committedSincePin ? PIN_ANYWAY_NANOS : Math.min(2 * pinAnywayNanos, PIN_LONGEST_NANOS);
        if (!committedSincePin && !copied && !checkpointer.holdsLock()) {
            // A foreign checkpoint reads a slot's mark once, then waits until it gets the slot. When the pin took it in
            // between, with a newer mark that is in nobody's way, it waits for the pin nevertheless; and the next pin
            // would share the slot. But not where our own write lock's connection is on that slot as well: with the
            // lowered mark, it would be in the way of our own checkpoint.
            walIndex.lowerReadMark(end.maxFrame());
        }
        attachment.pins().make();
        committedSincePin = false;
        boolean caughtUp = catchUp();
        if (caughtUp) {
            attachment.pins().breakOld();
            CrashPoint.CAPTURE_PIN_MOVED.reached();
            // Read before the pin began: had the last frames been copied only afterwards, it would not be on the slot
            // that allows it.
            pinAllowsReset = copied && before.equals(tail.at());
        } else {
            attachment.pins().unmake();
        }
        pinNanos = System.nanoTime();
        return caughtUp;
    }

    /** Ends the pin and begins it anew, while the write lock is held and everything is captured and copied. */
    void renewPin() throws IOException {
        attachment.pins().renew();
        committedSincePin = false;
        pinAllowsReset = true;
        pinNanos = System.nanoTime();
    }

    /** Whether all that was captured is in the database file too. */
    boolean everythingCopied() {
        return walIndex.backfilled() == end.maxFrame();
    }

    /**
     * The newest transaction of which it is known that it and all before it are in the database file. A first copy begins there: any
     * page that a plain read of the file finds newer, or half written, was changed by a later transaction of the log.
     *
     * @return null until everything was copied for the first time
     */
    public @Nullable CommitRecord copied() {
        return copied;
    }

    /** What is known of the WAL. */
    public Status status() {
        return status;
    }

    /** Asks {@link #run} to return. */
    public void stop() {
        stopped = true;
    }

    /** Ends the pin and closes the connections; the log stays open. */
    @Override
    public void close() throws IOException {
        // The pins last, so that the checkpoint under way is not left without them.
        try (attachment;
                index;
                tail) {
            checkpointer.close();
            leaveFilesOfOthers();
        }
    }

    /**
     * SQLite takes the WAL beside a file that came into the database's place for a part of it. Not emptied is one with frames that are not
     * in the file yet: they may be the new file's.
     */
    private void leaveFilesOfOthers() throws IOException {
        boolean replaced = !attachment.database().isInPlace() || isOverwritten();
        if (replaced) {
            if (walIndex.read(end) && tail.reached(end) && everythingCopied()) {
                attachment.emptyWal();
            }
        } else if (!walIndex.isInPlace() || !tail.isInPlace()) {
            attachment.leaveWal();
        }
    }
}
