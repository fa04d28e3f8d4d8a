package dev.lockstep.apply;

import dev.lockstep.DivergedException;
import dev.lockstep.io.CrashPoint;
import dev.lockstep.log.CommitRecord;
import dev.lockstep.log.WalMark;
import dev.lockstep.sqlite.ForeignCommitException;
import dev.lockstep.sqlite.LiveDatabase;
import dev.lockstep.sqlite.WalAppender;
import dev.lockstep.sqlite.WalPlace;
import dev.lockstep.verify.VerifiedTransaction;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Applies verified transactions to a replica: they become frames in the WAL of its database, which any SQLite program may read
 * meanwhile. Readers see whole transactions, in order, and never wait.
 *
 * <pre>
 * open --- the place of the WAL's end is in the record ------------------------------> IN STEP
 *   |----- no WAL, and the file is as it was left (its stamp) ----------------------> IN STEP
 *   |----- else the file is read as a whole; its state checksum is in the record ---> IN STEP
 *   '----- else -------------------------------------------------------------------> IN DOUBT
 * IN DOUBT: transactions from {@link #position} on, which is what is known to be in the file, are gathered unseen until they go
 *           past all that readers may have seen and the whole of the file has the state checksum of the last one;
 *           then they show as one --> IN STEP. If it never has, the file was changed by somebody else: DivergedException
 * IN STEP:  a commit by another program --> the file is read as a whole --> IN STEP, or DivergedException
 * </pre>
 *
 * After a DivergedException or a failure of the machine an applier is of no more use; opening it anew decides afresh. An
 * UnavailableException changes nothing: try again.
 *
 * <p>One thread applies; {@link #position}, {@link #visible} and {@link #durable} may be read by any.
 */
public final class Applier implements Closeable {

    /**
     * @param durable whether each transaction is made durable before readers see it; otherwise what a loss of power takes from the
     *     WAL is fetched again
     * @param walBytes the size of WAL from which on it is emptied as soon as readers allow
     */
    public record Options(boolean durable, long walBytes) {
        public static Options defaults() {
            return new Options(false, 16 << 20);
        }
    }

    private static final Logger log = LoggerFactory.getLogger(Applier.class);

    /** Transactions shown together at most; the record must not overwrite a commit that readers may have seen last. */
    private static final int BATCH = ReplicaRecord.RING / 2;

    /** Bytes shown together at most, unless one transaction is larger, so that the WAL is looked after in between. */
    private static final long BATCH_BYTES = 4 << 20;

    private final LiveDatabase database;
    private final ReplicaRecord record;
    private final WalAppender appender;
    private final WalKeeper keeper;
    private final Options options;

    /** What the next transaction has to follow. Written by the applying thread. */
    private volatile CommitRecord position;

    /** What readers see; in doubt, the base. Written by the applying thread. */
    private volatile CommitRecord visible;

    /** What survives a loss of power. Written by the applying thread. */
    private volatile CommitRecord durable;

    /**
     * In doubt: where the redo ends. At or after all that readers may have seen, for which the primary's head is the sure bound, and what
     * the record and the WAL hint at a guess.
     */
    private long target;

    private boolean targetTold;

    private boolean inDoubt;
    private @Nullable Redo redo;
    private boolean usable = true;

    private Applier(LiveDatabase database, ReplicaRecord record, WalAppender appender, Options options) {
        this.database = database;
        this.record = record;
        this.appender = appender;
        this.options = options;
        this.keeper = new WalKeeper(database, appender, record, options.walBytes());
        this.position = record.base();
        this.visible = record.base();
        this.durable = record.base();
    }

    /**
     * Opens the replica at {@code path}.
     *
     * @return null if nothing is there: {@link FirstCopy} makes a replica
     * @throws dev.lockstep.NotAReplicaException if the database there is no replica; it is untouched
     * @throws dev.lockstep.CorruptException if its record is damaged
     * @throws dev.lockstep.UnavailableException if another process follows with it, or keeps it locked
     */
    public static @Nullable Applier open(Path path, Options options) throws IOException {
        ReplicaFiles files = new ReplicaFiles(path);
        ReplicaRecord record = files.openRecord();
        if (record == null) {
            return null;
        }
        boolean opened = false;
        WalAppender appender = null;
        try {
            appender = WalAppender.open(files.database());
            if (options.durable()) {
                files.syncDirectory(); // for the name of the WAL
            }
            Applier applier = new Applier(LiveDatabase.of(files.database()), record, appender, options);
            applier.locate();
            opened = true;
            return applier;
        } finally {
            if (!opened) {
                try (record;
                        WalAppender ignored = appender) {
                    log.debug("{} could not be opened", path);
                }
            }
        }
    }

    /** The history that this replica follows. */
    public UUID logId() {
        return record.logId();
    }

    /** Stays the same for the life of the replica. */
    public UUID replicaId() {
        return record.replicaId();
    }

    public int pageSize() {
        return record.pageSize();
    }

    /** The commit that the next transaction has to follow. */
    public CommitRecord position() {
        return position;
    }

    /** The commit that readers see; in doubt, one that is not newer. */
    public CommitRecord visible() {
        return visible;
    }

    /** The newest commit known to survive a loss of power. */
    public CommitRecord durable() {
        return durable;
    }

    /** Whether the database holds some unknown part of what follows {@link #visible}. */
    public boolean isInDoubt() {
        return inDoubt;
    }

    /** In doubt, the commits after {@link #position} that readers may have seen, for {@code Verifier.passThrough}. */
    public List<CommitRecord> seen() {
        CommitRecord newest = record.newest();
        return inDoubt && newest.frameNo() > position.frameNo() ? List.of(newest) : List.of();
    }

    /**
     * Tells how far the primary's history reaches, at the start of each session. In doubt, nothing shows before that, because the
     * database may hold any of it and readers must not go back.
     */
    public void primaryReaches(long frameNo) {
        target = Math.max(record.newest().frameNo(), frameNo);
        targetTold = true;
    }

    /** Finds out where the database is, see the class comment. */
    private void locate() throws IOException {
        WalPlace place = appender.begin();
        boolean located = false;
        try {
            CommitRecord at = find(place);
            if (at != null) {
                settle(at, place);
            } else {
                doubt(place);
            }
            located = true;
        } finally {
            if (located) {
                appender.publish(false);
            } else {
                appender.abort();
            }
        }
    }

    /** The commit that the database is at, or null if that cannot be told. */
    private @Nullable CommitRecord find(WalPlace place) throws IOException {
        CommitRecord at = commitAt(place);
        return at != null ? at : commitOfState();
    }

    private @Nullable CommitRecord commitAt(WalPlace place) throws IOException {
        if (place.frame() == 0) {
            boolean untouched =
                    !record.stamp().equals(FileStamp.NONE) && record.stamp().equals(FileStamp.of(database.path()));
            return untouched ? record.base() : null;
        }
        WalMark mark = mark(place);
        return record.find(commit -> commit.wal().equals(mark));
    }

    private @Nullable CommitRecord commitOfState() throws IOException {
        log.info(
                "{}: {} is not in its record; reading the whole database to find its position",
                database.path(),
                appender.place());
        VisibleState state = new VisibleState(database, appender);
        long checksum = state.checksum(state.pages());
        return record.find(commit -> commit.stateChecksum() == checksum && commit.sizeAfter() == state.pages());
    }

    private void settle(CommitRecord at, WalPlace place) throws IOException {
        record.forgetAfter(at.frameNo());
        CommitRecord here = at.withWal(mark(place));
        if (place.frame() == 0 && !record.base().isSameAs(at)) {
            keeper.moveBase(here);
        }
        inDoubt = false;
        position = here;
        visible = here;
        durable = record.base();
        if (options.durable()) {
            sync(); // a recovery may have found frames that were not forced yet
        }
    }

    /** Frames in the WAL count on from the base, if nobody else reset the WAL; and if somebody did, the record tells. */
    private void doubt(WalPlace place) {
        CommitRecord base = record.base();
        boolean sameWal = base.wal().salts() == place.salts();
        target = Math.max(
                record.newest().frameNo(),
                base.frameNo() + place.frame() - (sameWal ? base.wal().frame() : 0));
        inDoubt = true;
        position = base;
        visible = base;
        durable = base;
        log.warn(
                "{}: its position is in doubt between frames {} and {}; they are fetched again",
                database.path(),
                base.frameNo(),
                target);
    }

    /**
     * Applies transactions, the first of which follows {@link #position}.
     *
     * @throws DivergedException if another program changed the replica
     * @throws dev.lockstep.UnavailableException if another program holds the write lock for too long; nothing happened
     */
    public void apply(List<VerifiedTransaction> transactions) throws IOException {
        requireUsable();
        CommitRecord last = position;
        for (VerifiedTransaction transaction : transactions) {
            requireFollows(transaction, last);
            last = transaction.after();
        }
        int from = 0;
        while (from < transactions.size()) {
            if (inDoubt) {
                redo(transactions.get(from++));
            } else {
                int to = batchEnd(transactions, from);
                publish(transactions.subList(from, to));
                keeper.afterPublish(position);
                durableUpTo(record.base());
                from = to;
            }
        }
    }

    static void requireFollows(VerifiedTransaction transaction, CommitRecord position) {
        if (!transaction.before().isSameAs(position)) {
            throw new IllegalArgumentException(
                    transaction + " does not follow " + position + " but " + transaction.before());
        }
    }

    private static int batchEnd(List<VerifiedTransaction> transactions, int from) {
        int to = from;
        long bytes = 0;
        while (to < transactions.size() && to - from < BATCH && bytes < BATCH_BYTES) {
            bytes += transactions.get(to++).size();
        }
        return to;
    }

    private void publish(List<VerifiedTransaction> batch) throws IOException {
        begin();
        usable = false;
        CommitRecord last = position;
        try {
            for (VerifiedTransaction transaction : batch) {
                last = append(transaction);
            }
            appender.publish(options.durable());
            usable = true;
        } finally {
            if (!usable) {
                takeBack();
            }
        }
        CrashPoint.APPLY_RELEASED.reached();
        moveTo(last);
    }

    private CommitRecord append(VerifiedTransaction transaction) throws IOException {
        CommitRecord[] noted = new CommitRecord[1];
        transaction.read(frames -> appender.append(frames, place -> {
            if (noted[0] != null) {
                throw new IllegalStateException(transaction + " holds several transactions, but nothing is in doubt");
            }
            noted[0] = note(transaction.after(), place);
        }));
        return noted[0];
    }

    private CommitRecord note(CommitRecord commit, WalPlace place) {
        CommitRecord noted = commit.withWal(mark(place));
        record.add(noted);
        CrashPoint.APPLY_RECORDED.reached();
        return noted;
    }

    private void takeBack() throws IOException {
        appender.abort();
        record.forgetAfter(position.frameNo());
    }

    private void moveTo(CommitRecord commit) {
        position = commit;
        visible = commit;
        durableUpTo(options.durable() ? commit : record.base());
    }

    private void durableUpTo(CommitRecord commit) {
        if (commit.frameNo() > durable.frameNo()) {
            durable = commit;
        }
    }

    /** Takes the write lock with the database at {@link #position}. */
    private void begin() throws IOException {
        try {
            appender.begin();
        } catch (ForeignCommitException e) {
            CommitRecord at = find(appender.place());
            if (at == null || !at.isSameAs(position)) {
                usable = false;
                appender.abort();
                throw diverged(String.valueOf(e.getMessage()));
            }
        }
    }

    private void redo(VerifiedTransaction transaction) throws IOException {
        if (redo == null) {
            try {
                appender.begin();
            } catch (ForeignCommitException e) {
                log.debug("the proof of the redo includes it", e);
            }
            redo = new Redo(database, appender);
        }
        usable = false;
        redo.add(transaction);
        position = transaction.after();
        if (position.frameNo() >= target) {
            show(redo);
        }
        usable = true;
    }

    private void show(Redo complete) throws IOException {
        CommitRecord end = position;
        requireProven(complete, end);
        CommitRecord[] noted = new CommitRecord[1];
        complete.publish(end, options.durable(), place -> noted[0] = note(end, place));
        redo = null;
        inDoubt = false;
        moveTo(noted[0]);
        log.info("{}: in step again at frame {}", database.path(), end.frameNo());
    }

    private void requireProven(Redo candidate, CommitRecord end) throws IOException {
        long state = candidate.stateAt(end);
        if (state != end.stateChecksum()) {
            throw diverged(String.format(
                    "%s is no state of the primary: expected state checksum %016x at frame %d, found %016x with all frames"
                            + " since %d applied again",
                    database.path(),
                    end.stateChecksum(),
                    end.frameNo(),
                    state,
                    record.base().frameNo()));
        }
    }

    private static DivergedException diverged(String what) {
        return new DivergedException(
                what + ". Somebody else wrote to the replica, or the disk changed it; nothing more is applied,"
                        + " and readers keep what they see. Copy the database anew with --force");
    }

    /** Makes what readers see durable. */
    public CommitRecord sync() throws IOException {
        CommitRecord covered = visible;
        if (!inDoubt && covered.frameNo() > durable.frameNo()) {
            appender.sync();
            if (durable.wal().salts() != appender.place().salts()) {
                database.sync(); // another program may have emptied the WAL between, and not synced what it copied
            }
            durable = covered;
        }
        return durable;
    }

    /**
     * To be called about once a second while nothing arrives: empties a WAL that readers have held up, and makes durable what is not.
     *
     * @throws DivergedException if another program changed the replica
     * @throws IOException also if its files are no longer those at its path; to be opened anew
     */
    public void tend() throws IOException {
        requireUsable();
        requireInPlace();
        if (!inDoubt) {
            begin();
            appender.publish(false);
            keeper.whenIdle(position);
            sync();
            record.force();
        } else if (position.frameNo() >= target && targetTold) {
            finishRedo();
        }
    }

    /** What was added reaches as far as the primary, which may have claimed more in the session before. */
    private void finishRedo() throws IOException {
        if (redo == null) {
            throw diverged(String.format(
                    "%s is at no state of the primary, whose history ends at frame %d", database.path(), target));
        }
        usable = false;
        show(redo);
        usable = true;
    }

    /** What SQLite has open may have been deleted or replaced: readers that come now see something else, or nothing. */
    private void requireInPlace() throws IOException {
        boolean inPlace = database.isInPlace();
        if (inPlace && appender.isInPlace()) {
            return;
        }
        usable = false;
        if (!inPlace) {
            appender.abort();
            keeper.leave();
        }
        throw new IOException(
                database.path() + ", or the -wal or -shm beside it, was deleted, moved, or replaced by another file"
                        + " while it was followed; it is opened anew");
    }

    private void requireUsable() {
        if (!usable) {
            throw new IllegalStateException("this applier has failed; open the replica anew");
        }
    }

    private static WalMark mark(WalPlace place) {
        return new WalMark(place.salts(), place.frame(), place.checksum());
    }

    /** Closes the replica. If nobody else has it open, all of it is in the database file then, without a WAL. */
    @Override
    public void close() throws IOException {
        try (record;
                appender;
                keeper) {
            if (usable) {
                requireInPlace();
            }
            if (usable && !inDoubt) {
                begin();
                appender.publish(false);
                keeper.beforeClose(position);
            }
            usable = false;
        }
    }
}
