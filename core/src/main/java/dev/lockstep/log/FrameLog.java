package dev.lockstep.log;

import dev.lockstep.CorruptException;
import dev.lockstep.NeedsSnapshotException;
import dev.lockstep.io.CrashPoint;
import dev.lockstep.io.Storage;
import dev.lockstep.io.Workers;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The log of one database: frames and commit records in segments, in one directory.
 *
 * <p>Threads: one appender calls {@link #append} and {@link #rollback}; everything else is for any thread. What the appender has
 * committed is the {@link #head}; what would survive a crash of the machine is {@link #durable}, moved by {@link #sync}.
 *
 * <p>Failures: an append that throws leaves the log at its last commit, as {@link #rollback} does, and may be tried again. After a
 * sync that throws nobody knows what is on the disk (the system may have dropped the pages it could not write), so the
 * log refuses everything but reading until it is opened again.
 */
public final class FrameLog implements Closeable {

    private static final Logger log = LoggerFactory.getLogger(FrameLog.class);

    /** When this much has been appended since the last sync, one begins beside, so that the end of a segment finds little to wait for. */
    private static final long SYNC_BESIDE_BYTES = 16 << 20;

    /** Who has waited for news within this time will do so again. */
    private static final long AWAITED_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private final Storage storage;
    private final Options options;
    private final LogAppender appender;

    /** The last sync that {@link #append} began, the appender's. */
    private CompletableFuture<Void> syncBeside = CompletableFuture.completedFuture(null);

    /** Held by the appender, and while the log is closed, so that neither cuts off what the other writes. Taken before {@link #syncing}. */
    private final Object appending = new Object();

    /** Held while syncing and while the active segment changes. Taken before {@link #published}, never after. */
    private final Object syncing = new Object();

    /** Guards retention and changes of {@link #segments}. */
    private final Object published = new Object();

    private final News headMoved = new News();
    private final News durableMoved = new News();

    /** See {@link #isSyncDue}. */
    private final News syncDue = new News();

    private final Retention retention;

    /** All segments, oldest first, contiguous, at least one. The list itself never changes. */
    private volatile List<Segment> segments;

    /** Where the appender writes. Changed under {@link #syncing} by the appender, so it may read without. */
    private SegmentWriter active;

    /** The newest transaction. Written by the appender, after everything of it can be read. */
    private volatile CommitRecord head;

    /** The newest transaction that a sync has covered; never beyond head. Written under {@link #syncing}. */
    private volatile CommitRecord durable;

    /** Threads in {@link #await}. */
    private final AtomicInteger awaiting = new AtomicInteger();

    /** When a thread was last in {@link #await}. */
    private volatile long awaitedNanos = System.nanoTime() - AWAITED_NANOS;

    /** Why nobody knows any more what is on the disk. Set once. */
    private volatile @Nullable IOException failure;

    /** Guarded by {@link #appending}. */
    private boolean closed;

    /**
     * @param segmentBytes a segment is closed at the first commit beyond this size
     * @param retainBytes the newest this many bytes of frames are kept at least, unless they are too old
     * @param retainAge segments whose last transaction is older than this are deleted
     */
    public record Options(long segmentBytes, long retainBytes, Duration retainAge) {

        /** 64 MiB segments, 1 GiB retained whatever its age. */
        public static Options defaults() {
            return new Options(64L << 20, 1L << 30, Duration.ofMillis(Long.MAX_VALUE));
        }

        /** The newest this many bytes retained whatever their age, in segments that are small beside that. */
        public static Options retaining(long bytes) {
            Options defaults = defaults();
            return new Options(Math.max(1, Math.min(defaults.segmentBytes, bytes / 16)), bytes, defaults.retainAge);
        }

        public Options {
            if (segmentBytes < 1 || retainBytes < 0 || retainAge.isNegative()) {
                throw new IllegalArgumentException(
                        "segment " + segmentBytes + " bytes, retain " + retainBytes + " bytes and " + retainAge);
            }
        }

        long retainMillis() {
            return retainAge.toMillis();
        }
    }

    /**
     * How much is kept.
     *
     * @param firstFrameNo the oldest frame kept, or the one to come
     * @param bytes of frames with their headers
     */
    public record Extent(long firstFrameNo, int segments, long bytes) {}

    /** Keeps the frames after a position from being deleted, until it is closed. */
    public final class Hold implements AutoCloseable {

        private volatile long frameNo;

        private Hold(long frameNo) {
            this.frameNo = frameNo;
        }

        long frameNo() {
            return frameNo;
        }

        /** From now on only the frames after this one are needed. */
        public void moveTo(long frameNo) {
            this.frameNo = frameNo;
        }

        @Override
        public void close() {
            synchronized (published) {
                retention.remove(this);
            }
        }
    }

    private FrameLog(Storage storage, Options options, List<Segment> segments, SegmentWriter active) {
        this.storage = storage;
        this.options = options;
        this.segments = List.copyOf(segments);
        this.active = active;
        this.retention = new Retention(options);
        this.head = active.segment().last();
        this.durable = head;
        this.appender = new LogAppender(active.segment().header.pageSize(), head);
    }

    /** Whether the storage has a log, be it a damaged one. */
    public static boolean exists(Storage storage) throws IOException {
        return !SegmentFiles.finished(storage).isEmpty();
    }

    /** Starts a new history in a storage that has none. */
    public static FrameLog create(Storage storage, LogStart start, Options options) throws IOException {
        if (exists(storage)) {
            throw new IllegalStateException(
                    "There is a log already: " + storage.path(storage.list().get(0)));
        }
        // A creation that was cut off may have been for another frame; beside a newer segment its files would count as
        // a damaged one.
        Recovery.deleteLeftovers(storage, List.of());
        SegmentHeader header =
                new SegmentHeader(start.logId(), start.pageSize(), start.startFrameNo(), start.startChecksum(), 0);
        SegmentWriter active =
                SegmentWriter.create(storage, header, CommitRecord.before(start), options.segmentBytes());
        return new FrameLog(storage, options, List.of(active.segment()), active);
    }

    /**
     * Opens a log after a shutdown or a crash. All that it then holds is durable.
     *
     * @throws CorruptException if something that was durable is damaged; nothing is changed then
     */
    public static FrameLog open(Storage storage, Options options) throws IOException {
        List<Segment> segments = new ArrayList<>(Recovery.recover(storage));
        if (segments.isEmpty()) {
            throw new CorruptException("There is no log at " + storage.path(""));
        }
        Segment newest = segments.get(segments.size() - 1);
        SegmentWriter active;
        if (newest.header.frameCount() == 0) {
            active = SegmentWriter.open(storage, newest, options.segmentBytes());
        } else {
            active = SegmentWriter.create(storage, following(newest), newest.last(), options.segmentBytes());
            segments.add(active.segment());
        }
        return new FrameLog(storage, options, segments, active);
    }

    private static SegmentHeader following(Segment segment) {
        CommitRecord last = segment.last();
        return new SegmentHeader(
                segment.header.logId(), segment.header.pageSize(), last.frameNo() + 1, last.checksum(), 0);
    }

    /** The state before the oldest frame that is kept, with the history's id and page size. */
    public LogStart start() {
        Segment oldest = segments.get(0);
        CommitRecord base = oldest.base;
        return new LogStart(
                oldest.header.logId(),
                oldest.header.pageSize(),
                oldest.startFrameNo(),
                base.checksum(),
                base.stateChecksum(),
                base.sizeAfter());
    }

    /** What is kept now. */
    public Extent extent() {
        List<Segment> kept = segments;
        long bytes = kept.stream().mapToLong(Segment::frameBytes).sum();
        return new Extent(kept.get(0).startFrameNo(), kept.size(), bytes);
    }

    /**
     * Appends frames, from the buffer's position to its limit, and moves the position. They are whole, with finished headers, and
     * continue the log. Bytes after the last commit's end belong to a transaction that continues with the next append.
     * When this returns, the commits can be read, and are not yet durable.
     *
     * @param frames little-endian; a direct buffer saves a copy
     * @param crcs of the frames' pages, computed since these last changed
     * @param commits in ascending order; {@code end} counts from the start of the buffer, as positions do
     * @throws IllegalArgumentException if a frame does not continue the log; nothing is written then
     */
    public void append(ByteBuffer frames, PageCrcs crcs, List<Commit> commits) throws IOException {
        synchronized (appending) {
            if (closed) {
                throw new IOException("the log is closed");
            }
            requireSound();
            appendAll(frames, crcs, commits);
        }
    }

    private void appendAll(ByteBuffer frames, PageCrcs crcs, List<Commit> commits) throws IOException {
        try {
            if (!appender.inTransaction()
                    && head.frameNo() >= active.segment().startFrameNo()
                    && active.segment().frameBytes() >= options.segmentBytes()) {
                rotate();
            }
            List<CommitRecord> records = appender.write(active, frames, crcs, commits);
            CrashPoint.LOG_FRAMES_WRITTEN.reached();
            if (!records.isEmpty()) {
                active.writeCommits(records, durable.frameNo());
                CrashPoint.LOG_COMMIT_WRITTEN.reached();
                publishHead(records.get(records.size() - 1));
                syncBesideIfDue();
            }
        } catch (Throwable e) {
            undo(e);
            throw e;
        }
    }

    private void syncBesideIfDue() {
        long frameSize = FrameLayout.frameSize(active.segment().header.pageSize());
        if ((head.frameNo() - durable.frameNo()) * frameSize >= SYNC_BESIDE_BYTES && syncBeside.isDone()) {
            syncBeside = Workers.run(() -> {
                try {
                    sync();
                } catch (IOException e) { // which the next append reports
                    log.warn("The log could not be made durable: {}", e.toString());
                }
            });
        }
    }

    private void publishHead(CommitRecord newest) {
        head = newest;
        headMoved.tell(); // first, because they hurry most
        tellIfSyncDue();
    }

    private void undo(Throwable cause) {
        try {
            rollback();
            active.trim();
        } catch (IOException e) {
            cause.addSuppressed(e);
            failure = e;
        }
    }

    /** Forgets the frames after the last commit. The next append continues at the head. */
    public void rollback() {
        appender.resetTo(head);
    }

    /** The newest transaction, or the start's state. */
    public CommitRecord head() {
        return head;
    }

    /** The newest transaction that would survive a crash of the machine. */
    public CommitRecord durable() {
        return durable;
    }

    /**
     * Makes durable at least what was the head when this was called. Callers that meet share one sync.
     *
     * @return the newest durable transaction
     */
    public CommitRecord sync() throws IOException {
        CommitRecord wanted = head;
        synchronized (syncing) {
            if (durable.frameNo() < wanted.frameNo()) {
                requireSound();
                syncActive();
                markDurable();
            }
            return durable;
        }
    }

    private void markDurable() {
        try {
            active.mark(durable.frameNo());
        } catch (IOException e) { // the sync has succeeded, and the next record says what the mark would have said
            log.warn("Could not mark frame {} as durable in the commit index: {}", durable.frameNo(), e.toString());
        }
    }

    /** With the sync lock held. */
    private void syncActive() throws IOException {
        CommitRecord covered = head;
        try {
            active.sync();
            CrashPoint.LOG_SYNCED.reached();
        } catch (IOException e) {
            failure = e;
            throw e;
        }
        durable = covered;
        durableMoved.tell();
    }

    /** Closes the active segment, all of it durable, and starts the next one. Only the appender, outside of a transaction. */
    private void rotate() throws IOException {
        synchronized (syncing) {
            active.trim();
            syncActive();
            active.finish();
            syncActive();
            CrashPoint.LOG_SEGMENT_CLOSED.reached();
            SegmentWriter next =
                    SegmentWriter.create(storage, following(active.segment()), head, options.segmentBytes());
            CrashPoint.LOG_SEGMENT_CREATED.reached();
            active.close();
            active = next;
            synchronized (published) {
                List<Segment> longer = new ArrayList<>(segments);
                longer.add(next.segment());
                segments = List.copyOf(longer);
            }
        }
        try {
            prune();
        } catch (IOException e) {
            log.warn("Could not delete old segments; the next opening finds them again: {}", e.toString());
        }
    }

    /**
     * Waits until the head, or what is durable, is beyond the frame.
     *
     * @return whether it is; false after the timeout
     */
    public boolean await(long beyondFrameNo, boolean durable, long timeoutNanos) throws InterruptedException {
        awaiting.incrementAndGet();
        try {
            tellIfSyncDue();
            return durable
                    ? durableMoved.await(() -> this.durable.frameNo() > beyondFrameNo, timeoutNanos)
                    : headMoved.await(() -> head.frameNo() > beyondFrameNo, timeoutNanos);
        } finally {
            awaitedNanos = System.nanoTime();
            awaiting.decrementAndGet();
        }
    }

    /** Whether somebody waits for news of this log, or did just now, so that there is reason to hurry. */
    public boolean isAwaited() {
        return awaiting.get() > 0 || System.nanoTime() - awaitedNanos < AWAITED_NANOS;
    }

    /**
     * Waits until {@link #sync} is due: as soon as not all is durable and somebody waits for news, else when the time has passed.
     *
     * @return whether there is anything to sync
     */
    public boolean awaitSyncDue(long nanos) throws InterruptedException {
        syncDue.await(this::isSyncDue, nanos);
        return !isAllDurable();
    }

    private boolean isSyncDue() {
        return awaiting.get() > 0 && !isAllDurable();
    }

    /** Whether a crash of the machine would take nothing from the log. */
    public boolean isAllDurable() {
        return durable.frameNo() == head.frameNo();
    }

    private void tellIfSyncDue() {
        if (isSyncDue()) {
            syncDue.tell();
        }
    }

    /**
     * A reader of the frames after the one given.
     *
     * @throws NeedsSnapshotException if they are no longer kept
     */
    public LogReader reader(long afterFrameNo) throws IOException {
        if (afterFrameNo > head.frameNo()) {
            throw new IllegalArgumentException("frame " + afterFrameNo + " is beyond the head, " + head.frameNo());
        }
        return new LogReader(this, afterFrameNo);
    }

    /** The record of the commit with exactly this last frame, or of the state before the oldest frame; else null. */
    public @Nullable CommitRecord commitAt(long frameNo) throws IOException {
        CommitRecord newest = head;
        if (frameNo >= newest.frameNo()) {
            return frameNo == newest.frameNo() ? newest : null;
        }
        List<Segment> kept = segments;
        if (frameNo < kept.get(0).startFrameNo()) {
            CommitRecord base = kept.get(0).base;
            return frameNo == base.frameNo() ? base : null;
        }
        Segment segment = segment(frameNo);
        try (SegmentReader reader = open(segment)) {
            CommitRecord found = reader.commit(reader.firstBeyond(frameNo, segment.commits()) - 1);
            return found.frameNo() == frameNo ? found : null;
        }
    }

    /**
     * The chain's checksum at a frame that is kept, or at the one before the oldest.
     *
     * @throws NeedsSnapshotException if it is no longer kept
     */
    public long checksumAt(long frameNo) throws IOException {
        if (frameNo > head.frameNo()) {
            throw new IllegalArgumentException("frame " + frameNo + " is beyond the head, " + head.frameNo());
        }
        CommitRecord base = segments.get(0).base;
        if (frameNo == base.frameNo()) {
            return base.checksum();
        }
        try (SegmentReader reader = open(segment(frameNo))) {
            return reader.frames().checksumAt(frameNo);
        }
    }

    /** The segment with the frame. Beyond the head this is the active one. */
    Segment segment(long frameNo) throws NeedsSnapshotException {
        List<Segment> kept = segments;
        for (int i = kept.size() - 1; i >= 0; i--) {
            if (kept.get(i).startFrameNo() <= frameNo) {
                return kept.get(i);
            }
        }
        throw noLongerKept(frameNo);
    }

    /** Opens a segment, which retention may delete at any moment. */
    SegmentReader open(Segment segment) throws IOException {
        try {
            return segment.openForReading(storage);
        } catch (NoSuchFileException e) {
            throw segments.contains(segment) ? e : noLongerKept(segment.startFrameNo());
        }
    }

    private NeedsSnapshotException noLongerKept(long frameNo) {
        return new NeedsSnapshotException("Frame " + frameNo + " is no longer kept; the log begins with frame "
                + segments.get(0).startFrameNo());
    }

    /** From now on {@link #prune} keeps the frames after the given one. */
    public Hold hold(long frameNo) {
        Hold hold = new Hold(frameNo);
        synchronized (published) {
            retention.add(hold);
        }
        return hold;
    }

    /** Deletes the segments that need no longer be kept. The log does this itself whenever it starts a segment. */
    public void prune() throws IOException {
        List<Segment> expired;
        synchronized (published) {
            expired = retention.expired(segments, System.currentTimeMillis());
            segments = List.copyOf(segments.subList(expired.size(), segments.size()));
        }
        for (Segment segment : expired) {
            // In this order, durably, so that a crash leaves a commit index without frames and never the reverse.
            storage.delete(Segment.framesName(segment.startFrameNo()));
            storage.syncDirectory();
            storage.delete(Segment.commitsName(segment.startFrameNo()));
        }
    }

    /** Why the log refuses everything but reading until it is opened again, or null. */
    public @Nullable IOException failure() {
        IOException cause = failure;
        return cause == null
                ? null
                : new IOException(
                        "the log could not be made durable, and must be opened again (by a restart), which finds out what is on"
                                + " the disk: " + cause.getMessage(),
                        cause);
    }

    private void requireSound() throws IOException {
        IOException cause = failure();
        if (cause != null) {
            throw cause;
        }
    }

    /** Makes everything committed durable and closes the files. An append after that fails. */
    @Override
    public void close() throws IOException {
        synchronized (appending) {
            if (!closed) {
                closed = true;
                closeActive();
            }
        }
    }

    private void closeActive() throws IOException {
        synchronized (syncing) {
            try (SegmentWriter closing = active) {
                if (failure == null) {
                    closing.trim();
                    syncActive();
                    closing.mark(durable.frameNo());
                    closing.sync();
                }
            }
        }
    }
}
