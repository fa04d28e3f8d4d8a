package dev.lockstep;

import dev.lockstep.apply.ReplicaSummary;
import dev.lockstep.capture.Capture;
import dev.lockstep.capture.CaptureOpener;
import dev.lockstep.capture.Watcher;
import dev.lockstep.io.ExclusiveFile;
import dev.lockstep.io.RealPath;
import dev.lockstep.io.Storage;
import dev.lockstep.io.Workers;
import dev.lockstep.log.CommitRecord;
import dev.lockstep.log.FrameLog;
import dev.lockstep.sqlite.LiveDatabase;
import dev.lockstep.sqlite.SqliteConnections;
import dev.lockstep.stream.Acknowledgements;
import dev.lockstep.stream.Origin;
import dev.lockstep.stream.PageSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Captures one live database into its log, in this process, while any program writes to it.
 *
 * <pre>{@code
 * try (Primary primary = Primary.of(Path.of("app.db")).open()) {
 *     ...
 * }
 * }</pre>
 *
 * <p>Two threads belong to it: one follows the WAL, the other makes the log durable. Writers of the database wait for neither.
 *
 * <p>Thread-safe.
 */
public final class Primary implements Origin, AutoCloseable {

    private static final Logger logger = LoggerFactory.getLogger(Primary.class);

    /** The log is synced this often when nobody waits for that. What a crash of the machine takes from it before, SQLite has. */
    private static final long SYNC_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    /** For capture to catch up when a replica arrives. */
    private static final Duration ARRIVAL = Duration.ofSeconds(1);

    private static final long COPIED_NANOS = TimeUnit.SECONDS.toNanos(30);
    private static final long COPIED_POLL_MILLIS = 5;
    private static final long CLOSE_MILLIS = TimeUnit.SECONDS.toMillis(60);
    private static final long FIRST_RETRY_MILLIS = 500;
    private static final long LAST_RETRY_MILLIS = 30_000;

    /** What the capture is doing. */
    public enum State {
        /** Following the WAL. */
        CAPTURING,
        /** An error stopped it; see {@link Status#failure}. Writers go on unhindered; capture is tried again from time to time. */
        FAILED,
        CLOSED
    }

    /**
     * A snapshot of this primary's condition.
     *
     * @param head the last transaction captured
     * @param durable the last transaction on disk in the log
     * @param failure why it is {@link State#FAILED}, else null
     */
    public record Status(
            String name,
            Path database,
            State state,
            Position head,
            Position durable,
            Capture.Status wal,
            @Nullable String failure) {}

    /**
     * What is known of a position's safety.
     *
     * @param durable whether it is on disk in the log
     * @param replicas how many replicas have applied it
     */
    public record Acknowledged(boolean durable, int replicas) {

        /** Whether it is durable, and on so many replicas. */
        public boolean reaches(int wanted) {
            return durable && replicas >= wanted;
        }
    }

    /** Is told what happens, by threads that do the work: it must return soon. What it throws is logged. */
    public interface Listener {

        /**
         * Everything up to {@code position} is on disk in the log; called for groups of transactions. While nobody follows, the log is
         * synced only every 50 ms.
         */
        default void durable(Position position) {}

        /** Capture stopped; it is tried again from time to time. */
        default void failed(IOException failure) {}
    }

    private final Path database;
    private final Path dataDirectory;
    private final String name;
    private final Listener listener;
    private final Acknowledgements acknowledgements = new Acknowledgements();
    private final CaptureOpener opener;
    private final FrameLog log;
    private final ExclusiveFile lock;

    /** Keeps what a restart needs to bring the page index to the head. */
    private final FrameLog.Hold replayable;

    private final CountDownLatch closing = new CountDownLatch(1);

    /** Complete when capture has ended for good. */
    private final CompletableFuture<Void> ended = new CompletableFuture<>();

    private volatile Capture capture;

    /** Makes the log durable, while that is needed. The capture's own. */
    private CompletableFuture<Void> syncing = CompletableFuture.completedFuture(null);

    private volatile @Nullable IOException failure;

    private Primary(Builder builder, ExclusiveFile lock) throws IOException {
        this.database = builder.database;
        this.dataDirectory = builder.dataDirectory;
        this.name = builder.name;
        this.listener = builder.listener;
        this.lock = lock;
        CaptureOpener.Home home = CaptureOpener.Home.in(dataDirectory, builder.options);
        this.opener = new CaptureOpener(database, home, InstantSource.system());
        this.capture = attach(
                FrameLog.exists(home.storage()) ? FrameLog.open(home.storage(), home.options()) : null,
                builder.progress);
        this.log = capture.log();
        this.replayable = log.hold(capture.index().neededAfter());
    }

    private Capture attach(@Nullable FrameLog found, Progress progress) throws IOException {
        try {
            return opener.open(found, progress);
        } catch (Throwable e) {
            if (found != null) {
                found.close();
            }
            throw e;
        }
    }

    /** Begins to describe the primary of {@code database}, which is created if absent. */
    public static Builder of(Path database) {
        return new Builder(database);
    }

    /** The name under which replicas ask for this database. */
    @Override
    public String name() {
        return name;
    }

    /** Path of the database. */
    public Path database() {
        return database;
    }

    /** Where log and page index are. */
    public Path dataDirectory() {
        return dataDirectory;
    }

    /** The log that transactions are captured into. */
    @Override
    public FrameLog log() {
        return log;
    }

    /**
     * Starts to read all pages of the database, without any lock, for a first copy.
     *
     * @throws UnavailableException if capture has failed, or if transactions of other programs keep the database file from being brought
     *     up to date for too long
     */
    @Override
    public PageSource openPages() throws IOException {
        long deadline = System.nanoTime() + COPIED_NANOS;
        while (true) {
            requireRunning();
            Capture current = capture;
            CommitRecord copied = current.copied();
            if (copied != null) {
                log.sync(); // no replica may begin with what a crash could take from the log
                return new PrimaryPages(LiveDatabase.of(database), () -> capture, current, copied);
            }
            if (System.nanoTime() - deadline >= 0) {
                throw new UnavailableException(database + ": the WAL could not be copied into the database file within "
                        + COPIED_NANOS / 1_000_000_000
                        + " s, because another program keeps a read transaction open; end it, then"
                        + " try again");
            }
            pause(COPIED_POLL_MILLIS);
        }
    }

    @Override
    public void applied(UUID replica, long frameNo) {
        acknowledgements.applied(replica, frameNo);
    }

    /**
     * Waits until a position is durable here, and applied by {@code replicas} replicas (0 for none). What a replica has applied is in
     * its files, and on disk there if it was opened as durable.
     *
     * @return what is known at the end: less than was asked for if the time passed
     */
    public Acknowledged awaitAcknowledged(Position position, int replicas, Duration timeout)
            throws InterruptedException {
        long deadline = System.nanoTime() + timeout.toNanos();
        boolean durable = log.await(position.frameNo() - 1, true, timeout.toNanos());
        int have = acknowledgements.await(position.frameNo(), replicas, deadline - System.nanoTime());
        return new Acknowledged(durable, have);
    }

    /** The last transaction captured, which may not be durable yet. */
    public Position position() {
        return position(log.head());
    }

    /**
     * Waits until everything that was committed to the database before this call is captured, and returns a position that includes it.
     * Capture is woken for it, so this takes well under a millisecond when it keeps up, or one more when nothing happened for a while.
     *
     * @throws UnavailableException if capture has failed or was closed, or did not get there within {@code timeout}
     */
    public Position awaitCaptured(Duration timeout) throws UnavailableException {
        Capture current = capture;
        boolean captured = false;
        try {
            captured = current.awaitCaptured(timeout.toNanos());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (!captured) {
            requireRunning();
            throw new UnavailableException(database + ": capture ended, or did not reach what was committed within "
                    + timeout.toMillis() + " ms; capture stands at " + position()
                    + ". Look for a full or slow disk, then try again");
        }
        return position();
    }

    @Override
    public void catchUp() throws IOException {
        try {
            awaitCaptured(ARRIVAL);
        } catch (UnavailableException e) {
            logger.debug("a replica gets what is in the log", e);
        }
        if (log.failure() == null) {
            log.sync();
        }
    }

    private @Nullable IOException failure() {
        IOException error = failure;
        return error != null ? error : log.failure();
    }

    private void requireRunning() throws UnavailableException {
        IOException error = failure();
        if (isClosed() || error != null) {
            throw new UnavailableException(
                    database + ": capture does not run" + (error == null ? "" : ": " + error.getMessage()));
        }
    }

    /** This primary's condition now. */
    public Status status() {
        IOException error = failure();
        return new Status(
                name,
                database,
                isClosed() ? State.CLOSED : error != null ? State.FAILED : State.CAPTURING,
                position(),
                position(log.durable()),
                capture.status(),
                error == null ? null : error.getMessage());
    }

    private Position position(CommitRecord commit) {
        return new Position(log.start().logId(), commit.frameNo(), commit.checksum());
    }

    private boolean isClosed() {
        return closing.getCount() == 0;
    }

    /** Captures until nothing happens any more, then lets go of its thread; it goes on as soon as something does. */
    private void follow() {
        boolean rests = false;
        try {
            boolean goesOn = true;
            while (!rests && goesOn) {
                Capture current = capture;
                try {
                    rests = !current.run(this::syncSoon);
                } catch (Throwable e) { // lack of memory, too: the pin must not stay
                    failed(e);
                } finally {
                    if (!rests) {
                        close(current);
                    }
                }
                goesOn = rests || reopen();
            }
        } finally {
            if (rests) {
                Watcher.watch(capture, this::follow);
            } else {
                ended.complete(null);
            }
        }
    }

    private void close(Capture current) {
        try {
            current.close();
        } catch (Throwable e) {
            logger.warn("{}: capture could not be ended in order: {}", database, e.getMessage(), e);
        }
    }

    /**
     * Attaches again, until that succeeds. While it does not, no pin stands, so writers and their checkpoints go on unhindered.
     *
     * @return false if this was closed before, or the log has failed
     */
    private boolean reopen() {
        for (long delay = FIRST_RETRY_MILLIS;
                !isClosed() && log.failure() == null;
                delay = Math.min(2 * delay, LAST_RETRY_MILLIS)) {
            pause(delay);
            try {
                Capture next = opener.open(log, Progress.NONE);
                capture = next;
                if (isClosed()) {
                    next.stop();
                }
                failure = null;
                logger.warn("{}: capture goes on", database);
                return true;
            } catch (Throwable e) {
                failed(e);
            }
        }
        return false;
    }

    private void failed(Throwable e) {
        IOException before = failure;
        failure = e instanceof IOException io ? io : new IOException(e);
        IOException told = failure;
        if (before == null || !Objects.equals(before.getMessage(), told.getMessage())) {
            logger.error(
                    "{}: capture stopped{}: {}",
                    database,
                    log.failure() == null ? ", and is tried again from time to time" : "",
                    told.getMessage(),
                    e instanceof LockstepException ? null : e);
            tell(() -> listener.failed(told));
        }
    }

    private void syncSoon() {
        if (syncing.isDone() && log.failure() == null) {
            syncing = Workers.run(this::sync);
        }
    }

    /** Until there is nothing to sync for a while. */
    private void sync() {
        try {
            do {
                log.sync();
                tell(() -> listener.durable(position(log.durable())));
                capture.index().force();
                replayable.moveTo(capture.index().neededAfter());
            } while (log.awaitSyncDue(SYNC_NANOS));
        } catch (IOException | RuntimeException e) {
            logger.error("{}: the log cannot be made durable: {}", database, e.getMessage(), e);
            IOException lost = log.failure();
            if (lost != null) {
                tell(() -> listener.failed(lost));
            }
            pause(FIRST_RETRY_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // nobody does
        }
    }

    private void tell(Runnable what) {
        try {
            what.run();
        } catch (RuntimeException e) {
            logger.warn("{}: the listener failed", database, e);
        }
    }

    /** Shorter when this is closed meanwhile. */
    private void pause(long millis) {
        try {
            closing.await(millis, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Captures what is committed now, makes it durable, and lets go of the database. */
    @Override
    public void close() throws IOException {
        if (isClosed()) {
            return;
        }
        closing.countDown();
        capture.stop();
        try (lock;
                log) {
            // Not to be interrupted: what is appended now is appended by another thread.
            ended.thenCompose(done -> syncing)
                    .orTimeout(CLOSE_MILLIS, TimeUnit.MILLISECONDS)
                    .join();
        } catch (CompletionException e) {
            logger.warn("{}: capture did not end within {} ms", database, CLOSE_MILLIS, e);
        }
    }

    /** Options of a primary, with defaults. Not thread-safe. */
    public static final class Builder {

        private final Path database;
        private String name;
        private Path dataDirectory;
        private FrameLog.Options options = FrameLog.Options.defaults();
        private Listener listener = new Listener() {};
        private Progress progress = Progress.NONE;

        private Builder(Path database) {
            this.database = RealPath.of(database);
            String file = String.valueOf(this.database.getFileName());
            int dot = file.lastIndexOf('.');
            this.name = dot > 0 ? file.substring(0, dot) : file;
            this.dataDirectory = this.database.resolveSibling(file + "-lockstep");
        }

        /** The name under which replicas ask for it; by default the file's name without its extension. */
        public Builder name(String value) {
            name = value;
            return this;
        }

        /** Where log and page index go; by default {@code <database>-lockstep} beside the database. */
        public Builder dataDirectory(Path value) {
            dataDirectory = RealPath.of(value);
            return this;
        }

        /** Who is told what happens. */
        public Builder listener(Listener value) {
            listener = value;
            return this;
        }

        /**
         * Who is told how far {@link #open} is where it has to read the whole database: at the start of a history, and when others wrote
         * while no primary ran.
         */
        public Builder progress(Progress value) {
            progress = value;
            return this;
        }

        /** Size and retention of the log. */
        public Builder log(FrameLog.Options value) {
            options = value;
            return this;
        }

        /**
         * Attaches to the database and starts following it.
         *
         * @throws UnavailableException if another process has this primary open, or holds the database locked
         * @throws UnsupportedException if the database is one that cannot be replicated
         * @throws CorruptException if the log is damaged
         */
        public Primary open() throws IOException {
            if (ReplicaSummary.exists(database)) {
                throw new UnsupportedException(database + " is a replica (" + database.getFileName()
                        + "-lockstep beside it says so); a primary needs a database of its own");
            }
            if (Files.exists(database) && Files.size(database) > 0) {
                SqliteConnections.header(
                        LiveDatabase.of(database)); // refuses what is no database before any file is made
            }
            Storage.makeDirectory(dataDirectory);
            ExclusiveFile lock = ExclusiveFile.open(
                    dataDirectory.resolve("LOCK"),
                    "is the primary of " + database
                            + "; end that first, or give this one its own --data directory and database");
            try {
                Primary primary = new Primary(this, lock);
                Workers.start(primary::follow);
                return primary;
            } catch (Throwable e) {
                lock.close();
                throw e;
            }
        }
    }
}
