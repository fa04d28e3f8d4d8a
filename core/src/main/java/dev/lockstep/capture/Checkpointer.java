package dev.lockstep.capture;

import static dev.lockstep.sqlite.SqliteConnections.text;

import dev.lockstep.io.CrashPoint;
import dev.lockstep.io.Workers;
import dev.lockstep.sqlite.WalFormat;
import dev.lockstep.sqlite.WalIndex;
import dev.lockstep.sqlite.WalIndexHeader;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the primary's WAL small, in place of SQLite's automatic checkpoints.
 *
 * <p>A cycle has two parts. (1) In the background, without a lock, most of the WAL is copied into the database file. (2) On the
 * capture's thread, under the write lock: capture the rest, copy the rest, renew the pin so that the next writer may start the WAL anew.
 * Writers wait for part 2 only: two fsyncs and the few frames that were committed during part 1; unless they outrun the disk by far, when
 * the {@link Brake} slows them down during part 1, too. Part 2 does not queue up with writers, see {@link WriteLock}. When other
 * programs' read transactions keep frames from being copied, the cycle is postponed, and the WAL grows meanwhile.
 *
 * <p>Not thread-safe: belongs to the capture's thread.
 */
final class Checkpointer implements Closeable {

    private static final Logger logger = LoggerFactory.getLogger(Checkpointer.class);

    /** Below SQLite's own 1000, so that writers seldom have to checkpoint themselves. */
    private static final int DUE_FRAMES = 800;

    /** After this long without getting the lock, a cycle counts as postponed. */
    private static final long LOCKING_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** So long the write lock is held while another program's checkpoint is in the way, which then meets no new frames. */
    private static final long OTHERS_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

    private static final long FIRST_DELAY = TimeUnit.MILLISECONDS.toNanos(10);
    private static final int MAX_DOUBLINGS = 7;
    private static final long CLOSE_SECONDS = 60;

    private final Attachment attachment;
    private final Path path;
    private final WalIndex walIndex;
    private final Capture capture;
    private final int frameSize;
    private final WriteLock lock;
    private final Brake brake;

    /** What the cycle is at. RESTING -> COPYING (part 1) -> LOCKING (part 2) -> RESTING; back to COPYING when too much is left to copy. */
    private enum Phase {
        RESTING,
        COPYING,
        LOCKING
    }

    private Phase phase = Phase.RESTING;

    /** The checkpoint of COPYING. */
    private CompletableFuture<Void> passive = CompletableFuture.completedFuture(null);

    /** How often this cycle was in COPYING. */
    private int rounds;

    /** How many frames were in the database file before the last COPYING. */
    private int copiedBefore;

    private long lockingSince;
    private long notBefore;
    private int postponed;

    Checkpointer(Attachment attachment, Capture capture, long brakeBytes) throws IOException {
        this.attachment = attachment;
        this.path = attachment.database().path();
        this.walIndex = attachment.walIndex();
        this.capture = capture;
        this.frameSize = WalFormat.FRAME_HEADER_SIZE + attachment.pageSize();
        this.lock = new WriteLock(path, attachment.writer());
        this.brake = new Brake(lock, brakeBytes, System.nanoTime());
    }

    /** Whether no cycle is under way. */
    boolean isResting() {
        return phase == Phase.RESTING;
    }

    /** Whether it holds the write lock now. */
    boolean holdsLock() {
        return lock.isHeld();
    }

    /** Consecutive cycles that could not finish. */
    int postponed() {
        return postponed;
    }

    /**
     * Takes the next step of a cycle if one is due.
     *
     * @param end the committed end of the WAL as captured
     * @param idle whether nothing was committed for a while, so that a few frames are worth a checkpoint too
     */
    void step(WalIndexHeader end, boolean idle) throws IOException {
        switch (phase) {
            case RESTING -> {
                if (System.nanoTime() - notBefore >= 0 && due(end, idle)) {
                    rounds = 0;
                    copy();
                }
            }
            case COPYING -> {
                if (passive.isDone()) {
                    copied(end);
                } else {
                    brake.step((long) uncopied(end) * frameSize, System.nanoTime());
                }
            }
            case LOCKING -> lock(end);
        }
    }

    private boolean due(WalIndexHeader end, boolean idle) {
        return uncopied(end) > 0 && (idle || end.maxFrame() >= DUE_FRAMES);
    }

    private int uncopied(WalIndexHeader end) {
        return end.maxFrame() - walIndex.backfilled();
    }

    private void copy() throws IOException {
        capture.requireInPlace();
        rounds++;
        copiedBefore = walIndex.backfilled();
        phase = Phase.COPYING;
        capture.movePin(); // no checkpoint copies what was committed after the pin began
        passive = Workers.run(() -> {
            try {
                checkpoint();
            } catch (SQLException e) {
                throw new CompletionException(e);
            }
        });
    }

    /** @return whether somebody else's was in the way */
    private boolean checkpoint() throws SQLException {
        return text(attachment.checkpoint(), "PRAGMA wal_checkpoint(PASSIVE)").equals("1");
    }

    private void copied(WalIndexHeader end) throws IOException {
        if (!succeeded()) {
            postpone();
        } else if (end.maxFrame() < DUE_FRAMES) {
            finish();
        } else {
            phase = Phase.LOCKING;
            lockingSince = System.nanoTime();
        }
    }

    private void lock(WalIndexHeader end) throws IOException {
        // More each time, so that a cycle ends also where others write faster than this copies.
        int bearable = DUE_FRAMES << Math.min(rounds, MAX_DOUBLINGS);
        if (uncopied(end) > bearable) {
            boolean readerOfAnOldState = walIndex.backfilled() == copiedBefore;
            if (readerOfAnOldState) {
                postpone();
            } else {
                copy();
            }
        } else if (lock.tryToHold()) {
            if (renew()) {
                finish();
            } else {
                postpone();
            }
        } else if (System.nanoTime() - lockingSince >= LOCKING_NANOS) {
            postpone();
        }
    }

    private void finish() throws IOException {
        lock.release();
        phase = Phase.RESTING;
        postponed = 0;
        notBefore = System.nanoTime();
    }

    private void postpone() throws IOException {
        lock.release();
        phase = Phase.RESTING;
        notBefore = System.nanoTime() + (FIRST_DELAY << Math.min(postponed, MAX_DOUBLINGS));
        postponed++;
    }

    private boolean succeeded() {
        try {
            passive.join();
            return true;
        } catch (CompletionException e) {
            return failed(e);
        }
    }

    /** On a full disk for instance; no reason to stop capturing. */
    private boolean failed(Exception e) {
        logger.warn("{}: a checkpoint failed, so the WAL goes on growing: {}", path, e.getMessage());
        return false;
    }

    /** Part 2, with the write lock; false when a reader or another checkpoint is in the way. */
    private boolean renew() throws IOException {
        CrashPoint.CHECKPOINT_LOCKED.reached();
        if (!capture.movePin() || !copyRest()) {
            return false;
        }
        CrashPoint.CHECKPOINT_BACKFILLED.reached();
        if (!capture.everythingCopied()) {
            return false;
        }
        capture.renewPin();
        CrashPoint.CHECKPOINT_PIN_RENEWED.reached();
        return true;
    }

    private boolean copyRest() {
        long start = System.nanoTime();
        try {
            boolean anotherIsAtIt;
            do {
                anotherIsAtIt = checkpoint();
            } while (anotherIsAtIt && System.nanoTime() - start < OTHERS_NANOS);
            return true;
        } catch (SQLException e) {
            return failed(e);
        }
    }

    /** Waits for a checkpoint under way; its connection must not be closed beneath it. */
    @Override
    public void close() throws IOException {
        lock.release();
        try {
            passive.get(CLOSE_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            logger.warn("{}: a checkpoint is still running after {} s", path, CLOSE_SECONDS);
        } catch (ExecutionException e) {
            logger.debug("{}: the last checkpoint failed", path, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
