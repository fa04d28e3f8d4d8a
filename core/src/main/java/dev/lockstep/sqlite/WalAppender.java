package dev.lockstep.sqlite;

import dev.lockstep.io.CrashPoint;
import dev.lockstep.io.Storage;
import dev.lockstep.io.StoredFile;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.jspecify.annotations.Nullable;

/**
 * Commits ready-made pages to a live database, as SQLite's own writer does: under SQLite's write lock it appends frames to the WAL,
 * enters them into the wal-index and publishes the new header. Readers of any program go on undisturbed and see all of
 * what was appended since {@link #begin}, or nothing.
 *
 * <pre>
 * begin: BEGIN IMMEDIATE on the anchor connection (SQLite's write lock), read the header
 *   append..: WAL header if the WAL is empty, frames with salts and running checksums, wal-index entries
 *   force:  fdatasync of the WAL, if wanted, before anybody can see the commit
 * publish:  both copies of the header, then ROLLBACK and PRAGMA shrink_memory
 * </pre>
 *
 * The anchor ends with ROLLBACK, because a COMMIT can write a frame of its own over the last one; and it drops its page cache,
 * because ROLLBACK keeps a page 1 that is older than what was published (both were seen).
 *
 * <p>Frames come with a header of the same size as SQLite's, of which page number (u32 at 16) and database size (u32 at 20, 0 but in
 * the last frame of a transaction) are read, little-endian. Knows nothing of replication.
 *
 * <p>Not thread-safe.
 */
public final class WalAppender implements Closeable {

    /** Called for each commit frame after its checksum is known and before anything of it is written. */
    public interface CommitListener {
        void commit(WalPlace place) throws IOException;
    }

    private static final int STAGE = 1 << 20;
    private static final int AHEAD = 512 << 10;

    /** Larger appends take long enough without. */
    private static final int ALLOCATED_FOR = 64 << 10;

    private static final int PAGE_NO = 16;
    private static final int SIZE_AFTER = 20;
    private static final SecureRandom RANDOM = new SecureRandom();

    private final Path path;
    private final Connection anchor;
    private final Statement statement;
    private final WalIndex index;
    private final WalIndexWriter indexWriter;
    private final StoredFile wal;
    private final PlacedFile placedWal;
    private final int pageSize;
    private final int frameSize;

    /** Frames in SQLite's form that are not written yet: filled from 0, big-endian as every new buffer. */
    private final ByteBuffer stage;

    /** The header as this appender left or first found it; commits of others show as a difference. */
    private final WalIndexHeader expected = new WalIndexHeader();

    private final WalIndexHeader found = new WalIndexHeader();
    private boolean known;
    private final boolean newBigEndian;

    /** Between {@link #begin} and {@link #publish} or {@link #abort}, while the anchor holds the write lock. */
    private boolean begun;

    // State of the appending that begin() started:
    private long salts;
    private boolean bigEndian;
    private int writtenFrame;
    private int lastFrame;
    private long checksum;
    private int commits;
    private int pagesAfter;
    private boolean endsInCommit;
    private boolean resumes;

    /** To here there are zeros beyond the last frame. */
    private long allocated;

    private WalAppender(Path path, Connection anchor, boolean bigEndian) throws IOException, SQLException {
        this.path = path;
        this.anchor = anchor;
        this.newBigEndian = bigEndian;
        this.statement = anchor.createStatement();
        LiveDatabase database = LiveDatabase.of(path);
        this.pageSize = Integer.parseInt(SqliteConnections.text(anchor, "PRAGMA page_size"));
        this.frameSize = WalFormat.FRAME_HEADER_SIZE + pageSize;
        this.stage = ByteBuffer.allocateDirect(Math.max(1, STAGE / frameSize) * frameSize);
        this.index = database.walIndex();
        this.indexWriter = new WalIndexWriter(index);
        Path walPath = database.walPath();
        this.wal = Storage.directory(walPath.resolveSibling(""))
                .open(walPath.getFileName().toString());
        this.placedWal = PlacedFile.at(walPath);
    }

    /**
     * Opens {@code database}, which must exist, and switches it to WAL mode if need be.
     *
     * @throws dev.lockstep.UnsupportedException for what SQLite's WAL does not work with
     * @throws dev.lockstep.UnavailableException when another program keeps it locked
     */
    public static WalAppender open(Path database) throws IOException {
        return open(database, ByteOrder.nativeOrder() == ByteOrder.BIG_ENDIAN);
    }

    /** @param bigEndian the word order of checksums in WAL headers that this appender writes */
    static WalAppender open(Path database, boolean bigEndian) throws IOException {
        Connection anchor = SqliteConnections.openWal(database);
        boolean opened = false;
        try {
            WalAppender appender = new WalAppender(database, anchor, bigEndian);
            opened = true;
            return appender;
        } catch (SQLException e) {
            throw SqliteConnections.translate(database, e);
        } finally {
            if (!opened) {
                SqliteConnections.closeQuietly(anchor);
            }
        }
    }

    public int pageSize() {
        return pageSize;
    }

    /** The committed end as of the last {@link #begin} or {@link #publish}. */
    public WalPlace place() {
        return WalPlace.of(expected);
    }

    /** The database's size in pages as of the last {@link #begin} or {@link #publish}; 0 when only its file's size tells. */
    public int pages() {
        return expected.pages();
    }

    /**
     * Takes SQLite's write lock.
     *
     * @return the committed end
     * @throws ForeignCommitException if another program committed since this appender last held the lock. The lock is held all the same,
     *     and what is there is accepted as the committed end: else another commit could come unseen before the next call
     * @throws dev.lockstep.UnavailableException if another program holds the lock for too long
     */
    public WalPlace begin() throws IOException {
        sql("BEGIN IMMEDIATE");
        begun = true;
        WalPlace left;
        boolean accepted = false;
        try {
            left = acceptHeader();
            accepted = true;
        } finally {
            if (!accepted) {
                release();
            }
        }
        salts = expected.salts();
        bigEndian = expected.bigEndian();
        lastFrame = expected.maxFrame();
        writtenFrame = lastFrame;
        checksum = expected.frameChecksum();
        commits = 0;
        endsInCommit = true;
        resumes = false;
        stage.clear();
        if (left != null) {
            throw new ForeignCommitException(
                    path + " was changed by another program: expected " + left + ", found " + place());
        }
        return place();
    }

    /** Returns where this appender had left the WAL, if another program has committed since; else null. */
    private @Nullable WalPlace acceptHeader() throws IOException {
        if (!index.read(found)) {
            throw new IOException(path + ": the wal-index has no valid header although the write lock is held");
        }
        boolean ours = known && isAsLeft(found);
        if (!ours) {
            discardTail(found.maxFrame());
        }
        WalPlace left = known && !ours ? place() : null;
        expected.set(found);
        known = true;
        return left;
    }

    /**
     * A recovery resets the change counter and nothing else; a reset of the WAL, once all of it is in the database file, sets the frame
     * to 0 and leaves the counter alone.
     */
    private boolean isAsLeft(WalIndexHeader now) {
        if (now.maxFrame() == 0) {
            return now.change() == expected.change();
        }
        return WalPlace.of(now).equals(WalPlace.of(expected)) && now.pages() == expected.pages();
    }

    /**
     * Cuts off what a writer left behind that died before it published. Otherwise, when the next append repeats the first of those
     * frames bit for bit, the rest would continue it, and a recovery would take them for committed.
     */
    private void discardTail(int maxFrame) throws IOException {
        if (maxFrame > 0) {
            wal.truncate(WalFormat.frameOffset(maxFrame + 1, pageSize));
            allocated = 0;
        }
    }

    /**
     * Appends whole frames, from position to limit; the buffer is left alone. What is in memory is bounded, so a transaction may
     * come in any number of calls.
     */
    public void append(ByteBuffer frames, CommitListener listener) throws IOException {
        append(frames, true, listener);
    }

    /** The same as frames in the middle of a transaction, whatever their headers say. */
    public void appendWithoutCommits(ByteBuffer frames) throws IOException {
        append(frames, false, place -> {});
    }

    private void append(ByteBuffer frames, boolean withCommits, CommitListener listener) throws IOException {
        requireBegun();
        ByteBuffer source = frames.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        if (source.remaining() % frameSize != 0) {
            throw new IllegalArgumentException(source.remaining() + " bytes are not whole frames of " + frameSize);
        }
        if (lastFrame == 0 && !resumes) {
            beginGeneration();
        }
        for (int at = source.position(); at < source.limit(); at += frameSize) {
            if (!stage.hasRemaining()) {
                flush();
            }
            stage(source, at, withCommits ? source.getInt(at + SIZE_AFTER) : 0);
            if (endsInCommit) {
                listener.commit(new WalPlace(salts, lastFrame, checksum));
            }
        }
    }

    /**
     * Makes frames that an empty WAL has lost the same again, bit for bit: they go under the header that still stands there. Then
     * whatever part of them a crash leaves is a part of what was lost. What stands behind the header is cut off, so that nothing can
     * continue them.
     *
     * @return false if the header is not there
     */
    public boolean resumeGeneration() throws IOException {
        requireBegun();
        ByteBuffer bytes = ByteBuffer.allocate(WalFormat.HEADER_SIZE);
        if (lastFrame > 0 || wal.read(bytes, 0) < WalFormat.HEADER_SIZE) {
            return false;
        }
        WalFormat.Header header = WalFormat.Header.decode(bytes);
        if (header.salts() != salts || header.pageSize() != pageSize) {
            return false;
        }
        wal.truncate(WalFormat.HEADER_SIZE);
        allocated = 0;
        bigEndian = header.bigEndian();
        checksum = header.checksum();
        resumes = true;
        return true;
    }

    /** New salts each time: no frame that stands in the file from before can fit them. */
    private void beginGeneration() throws IOException {
        salts = RANDOM.nextLong();
        bigEndian = newBigEndian;
        WalFormat.Header header = WalFormat.Header.of(bigEndian, pageSize, 0, salts);
        ByteBuffer bytes = ByteBuffer.allocate(WalFormat.HEADER_SIZE);
        header.encode(bytes);
        wal.write(bytes, 0);
        checksum = header.checksum();
        allocated = 0; // what emptied the WAL may have cut it off
    }

    private void stage(ByteBuffer source, int from, int sizeAfter) {
        int at = stage.position();
        stage.putInt(at, source.getInt(from + PAGE_NO));
        stage.putInt(at + 4, sizeAfter);
        stage.putLong(at + 8, Long.reverseBytes(salts));
        int page = at + WalFormat.FRAME_HEADER_SIZE;
        stage.put(page, source, from + WalFormat.FRAME_HEADER_SIZE, pageSize);
        checksum = WalChecksum.over(checksum, stage, at, 8, bigEndian);
        checksum = WalChecksum.over(checksum, stage, page, pageSize, bigEndian);
        stage.putInt(at + 16, (int) checksum);
        stage.putInt(at + 20, (int) (checksum >>> 32));
        stage.position(page + pageSize);
        lastFrame++;
        endsInCommit = sizeAfter != 0;
        if (endsInCommit) {
            pagesAfter = sizeAfter;
            commits++;
        }
    }

    /**
     * Puts zeros ahead, so that the syncs of the next small appends find the file's size settled and need not write it. Zeros are
     * no frames: their salts do not fit.
     */
    private void allocate() throws IOException {
        long end = WalFormat.frameOffset(lastFrame + 1, pageSize);
        if (end > allocated && stage.position() <= ALLOCATED_FOR) {
            wal.write(ByteBuffer.allocate(AHEAD), end);
            allocated = end + AHEAD;
        }
    }

    private void flush() throws IOException {
        stage.flip();
        long offset = WalFormat.frameOffset(writtenFrame + 1, pageSize);
        if (CrashPoint.APPLY_FRAMES_HALF_WRITTEN.isArmed()) {
            int half = stage.limit() / 2;
            wal.write(stage.slice(0, half), offset);
            CrashPoint.APPLY_FRAMES_HALF_WRITTEN.reached();
        }
        wal.write(stage, offset);
        CrashPoint.APPLY_FRAMES_WRITTEN.reached();
        for (int at = 0; at < stage.limit(); at += frameSize) {
            indexWriter.append(++writtenFrame, stage.getInt(at));
        }
        stage.clear();
    }

    /**
     * Makes what was appended visible, all at once, and releases the write lock.
     *
     * @param force whether to make it durable first
     * @return the new committed end
     * @throws IllegalStateException if the last frame is not a commit frame
     */
    public WalPlace publish(boolean force) throws IOException {
        requireBegun();
        if (!endsInCommit) {
            throw new IllegalStateException("the last frame appended is in the middle of a transaction");
        }
        if (commits > 0) {
            if (force) {
                allocate();
            }
            flush();
            if (force) {
                wal.sync();
            }
            CrashPoint.APPLY_INDEXED.reached();
            expected.enter(bigEndian, pageSize, salts);
            expected.moveTo(lastFrame, pagesAfter, checksum, commits);
            expected.seal();
            indexWriter.publish(expected);
            CrashPoint.APPLY_PUBLISHED.reached();
        }
        release();
        return place();
    }

    /** Whether nobody else has committed up to now, as far as can be told without the lock. */
    public boolean isAsLeft() {
        return index.read(found) && isAsLeft(found);
    }

    /** Whether the WAL and the wal-index that this appender writes still stand at their paths. */
    public boolean isInPlace() {
        return placedWal.isInPlace() && index.isInPlace();
    }

    /** Makes everything that is published durable. */
    public void sync() throws IOException {
        wal.sync();
    }

    /** Takes back what was appended since {@link #begin}, and releases the write lock. Nothing happens without it. */
    public void abort() throws IOException {
        if (begun) {
            try {
                discardTail(expected.maxFrame());
            } finally {
                release();
            }
        }
    }

    private void release() throws IOException {
        begun = false;
        sql("ROLLBACK; PRAGMA shrink_memory");
    }

    /**
     * Copies frames from the WAL into the database file, as far as readers allow, and makes them durable there. Waits for nobody.
     *
     * @return how many frames of the WAL are in the database file now
     */
    public int backfill() throws IOException {
        checkpoint("PASSIVE", 0);
        return backfilled();
    }

    /** How many frames of the WAL are in the database file. */
    public int backfilled() {
        return index.backfilled();
    }

    /**
     * Empties the WAL, if all of it can be copied into the database file and no reader uses it any more within the time given.
     * Readers never wait for this; other writers and checkpointers do.
     */
    public boolean reset(int timeoutMillis) throws IOException {
        boolean emptied = checkpoint("TRUNCATE", timeoutMillis);
        if (emptied && isAsLeft()) {
            expected.set(found);
        }
        return emptied;
    }

    private boolean checkpoint(String mode, int timeoutMillis) throws IOException {
        if (begun) {
            throw new IllegalStateException("no checkpoint is possible between begin and publish");
        }
        sql("PRAGMA busy_timeout=" + timeoutMillis);
        try (ResultSet row = statement.executeQuery("PRAGMA wal_checkpoint(" + mode + ")")) {
            return row.next() && row.getInt(1) == 0;
        } catch (SQLException e) {
            throw SqliteConnections.translate(path, e);
        } finally {
            sql("PRAGMA busy_timeout=" + SqliteConnections.OPEN_TIMEOUT_MILLIS);
        }
    }

    private void requireBegun() {
        if (!begun) {
            throw new IllegalStateException("begin() comes first");
        }
    }

    /** Runs commands without results; executeUpdate, because it hands them over to SQLite as they are. */
    private void sql(String commands) throws IOException {
        try {
            statement.executeUpdate(commands);
        } catch (SQLException e) {
            throw SqliteConnections.translate(path, e);
        }
    }

    /** Closes the anchor. If it is the last connection of all, SQLite copies the WAL into the database file and deletes it. */
    @Override
    public void close() throws IOException {
        try (wal;
                Closeable anchorCloser = this::closeAnchor) {
            abort();
        }
    }

    private void closeAnchor() throws IOException {
        try {
            anchor.close();
            LiveDatabase.of(path).afterClose();
        } catch (SQLException e) {
            throw SqliteConnections.translate(path, e);
        }
    }
}
