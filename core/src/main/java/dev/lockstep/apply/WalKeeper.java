package dev.lockstep.apply;

import dev.lockstep.UnavailableException;
import dev.lockstep.io.CrashPoint;
import dev.lockstep.log.CommitRecord;
import dev.lockstep.log.FrameLayout;
import dev.lockstep.log.WalMark;
import dev.lockstep.sqlite.LiveDatabase;
import dev.lockstep.sqlite.WalAppender;
import dev.lockstep.sqlite.WalBackfill;
import dev.lockstep.sqlite.WalPlace;
import java.io.Closeable;
import java.io.IOException;
import java.io.InterruptedIOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a replica's WAL short: copies it into the database file and empties it between transactions. The base is on disk before the
 * WAL is emptied, so that after any crash the transactions to be fetched again are known.
 *
 * <pre>
 * WAL at its target   copy it beside the applying, which goes on
 * most of it copied   copy the rest, record the base, empty the WAL: no apply meanwhile
 * WAL at 4 targets    the same, after waiting for the copying: apply outruns the disk
 * </pre>
 *
 * <p>Readers are never waited for without bound: while one holds an old snapshot, the WAL grows, and the time an attempt may take
 * grows with it. Readers themselves never wait.
 *
 * <p>Not thread-safe.
 */
final class WalKeeper implements Closeable {

    private static final Logger log = LoggerFactory.getLogger(WalKeeper.class);

    /** Enough to slip between readers that hold a snapshot for a few milliseconds each. */
    private static final int SHORTEST_WAIT_MILLIS = 20;

    private static final int LONGEST_WAIT_MILLIS = 500;

    /** From this many targets on, apply waits for the disk. */
    private static final int LIMIT = 4;

    /** From this many targets on it is said aloud that readers keep the WAL from being emptied. */
    private static final int ALARMING = 8;

    /** What is left to be copied when the WAL is emptied is this part of the target. */
    private static final int REST = 4;

    private final LiveDatabase database;
    private final WalAppender appender;
    private final ReplicaRecord record;
    private final WalBackfill backfill;
    private final long target;
    private final int frameSize;

    /** The size from which on the next attempt is due. */
    private long due;

    /** The size from which on readers are complained of. */
    private long alarming;

    /** @param target bytes of WAL from which on it is to be emptied */
    WalKeeper(LiveDatabase database, WalAppender appender, ReplicaRecord record, long target) {
        this.database = database;
        this.appender = appender;
        this.record = record;
        this.target = target;
        this.frameSize = FrameLayout.frameSize(record.pageSize());
        this.due = target;
        this.alarming = ALARMING * target;
        this.backfill = new WalBackfill(database.path());
    }

    /** Copies and empties the WAL if it is time and readers allow; {@code position} is all that is committed. */
    void afterPublish(CommitRecord position) throws IOException {
        if (size() < due) {
            return;
        }
        boolean limit = size() >= LIMIT * target;
        if (backfill.isStarted() && (backfill.isDone() || limit)) {
            backfill.collect();
            if (limit || bytesToCopy() <= target / REST) {
                empty(position);
            } else {
                postpone();
            }
        } else if (!backfill.isStarted()) {
            backfill.start();
        }
    }

    private long bytesToCopy() {
        return (long) (appender.place().frame() - appender.backfilled()) * frameSize;
    }

    /** Tries again what readers held up, and notes the database file's stamp once it is settled. */
    void whenIdle(CommitRecord position) throws IOException {
        backfill.collect();
        if (size() >= target) {
            empty(position);
        }
        if (record.stamp().equals(FileStamp.NONE) && record.base().isSameAs(position) && isAllBackfilled()) {
            stampBase();
        }
    }

    /** Copies all of the WAL into the database file, if readers allow, so that opening it again needs no more than its stamp. */
    void beforeClose(CommitRecord position) throws IOException {
        backfill.collect();
        if (appender.backfill() < appender.place().frame()) {
            return;
        }
        if (!record.base().isSameAs(position)) {
            moveBase(position);
        }
        for (int i = 0; i < 10 && record.stamp().equals(FileStamp.NONE); i++) {
            pause();
            stampBase();
        }
    }

    /**
     * Takes the WAL from beside a file that has replaced the database, since SQLite takes it for a part of that; where readers are in
     * the way, the record must not know it again.
     */
    void leave() throws IOException {
        backfill.collect();
        if (!appender.reset(LONGEST_WAIT_MILLIS)) {
            record.forgetAfter(Long.MIN_VALUE);
            record.moveBase(record.base().withWal(WalMark.NONE), FileStamp.NONE);
        }
    }

    private static void pause() throws IOException {
        try {
            Thread.sleep(10); // the file system's clock has to move on before a stamp means anything
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("closing a replica");
        }
    }

    private long size() {
        return (long) appender.place().frame() * frameSize;
    }

    private boolean isAllBackfilled() {
        return appender.place().frame() == 0
                || appender.backfilled() == appender.place().frame();
    }

    private void empty(CommitRecord position) throws IOException {
        try {
            tryToEmpty(position);
        } catch (UnavailableException e) {
            postpone();
        }
    }

    private void tryToEmpty(CommitRecord position) throws IOException {
        WalPlace end = appender.place();
        int backfilled = appender.backfill();
        CrashPoint.RESET_BACKFILLED.reached();
        if (backfilled < end.frame()) {
            moveBaseTo(end.salts(), backfilled);
            postpone();
            return;
        }
        moveBase(position);
        CrashPoint.RESET_BASE_RECORDED.reached();
        long wait = SHORTEST_WAIT_MILLIS * Math.max(1, size() / target);
        if (appender.reset((int) Math.min(LONGEST_WAIT_MILLIS, wait))) {
            CrashPoint.RESET_DONE.reached();
            due = target;
            alarming = ALARMING * target;
        } else {
            postpone();
        }
    }

    /** What readers hold up has not to be fetched again from the very beginning. */
    private void moveBaseTo(long salts, int frame) throws IOException {
        CommitRecord reached =
                record.find(c -> c.wal().frame() == frame && c.wal().salts() == salts);
        if (reached != null && reached.frameNo() > record.base().frameNo()) {
            moveBase(reached);
        }
    }

    /**
     * Makes {@code copied}, which is in the database file with all before it, the base. What another program copied there, it may not have
     * synced, and our own checkpoint finds nothing left to do then.
     */
    void moveBase(CommitRecord copied) throws IOException {
        database.sync();
        record.moveBase(copied, FileStamp.NONE);
    }

    private void postpone() {
        long size = size();
        due = size + target / 4;
        if (size < alarming) {
            log.debug("readers keep the WAL of {} from being emptied at {} bytes", database.path(), size);
            return;
        }
        alarming = 2 * size;
        log.warn(
                "{}: its WAL has grown to {} MiB and goes on growing, since some program keeps an old state of this copy in"
                        + " use, so that it cannot be emptied. Find the one that has left a transaction open here, a BEGIN"
                        + " without its COMMIT or a query whose rows were not all read, and end that",
                database.path(),
                size >> 20);
    }

    /** A stamp means the base only while nobody else has committed or replaced the file; the look before and after makes sure. */
    private void stampBase() throws IOException {
        if (appender.isAsLeft()) {
            FileStamp stamp = FileStamp.of(database.path());
            if (stamp.settled() && appender.isAsLeft() && database.isInPlace()) {
                record.moveBase(record.base(), stamp);
            }
        }
    }

    /** Waits for the copying that is under way. */
    @Override
    public void close() throws IOException {
        backfill.close();
    }
}
