package dev.lockstep.apply;

import dev.lockstep.RefusedException;
import dev.lockstep.io.CrashPoint;
import dev.lockstep.io.ExclusiveFile;
import dev.lockstep.log.CommitRecord;
import dev.lockstep.log.FrameLayout;
import dev.lockstep.log.WalMark;
import dev.lockstep.pages.PageFile;
import dev.lockstep.verify.VerifiedPages;
import dev.lockstep.verify.VerifiedTransaction;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;

/**
 * Builds a replica's database from nothing: pages of a fuzzy copy, then the transactions since it began, which mend every page that
 * was torn or too new. Nobody sees any of it before the state checksum of all that was written proved that it is the primary's.
 *
 * <pre>
 * pages* endOfPages apply* finish
 * </pre>
 *
 * The database grows under a temporary name; a leftover of an earlier attempt is overwritten. {@link #finish} makes it
 * durable and gives it its name.
 *
 * <p>Not thread-safe.
 */
public final class FirstCopy implements Closeable {

    private final ReplicaFiles files;
    private final UUID logId;
    private final int pageSize;
    private final String source;
    private final boolean force;
    private final ExclusiveFile exclusive;
    private final FileChannel channel;
    private final PageFile file;
    private final Writeback writeback;
    private CommitRecord position;

    /** Entries of pages that came. */
    private long pages;

    private boolean pagesEnded;
    private boolean complete;

    private FirstCopy(ReplicaFiles files, UUID logId, int pageSize, CommitRecord start, String source, boolean force)
            throws IOException {
        this.files = files;
        this.logId = logId;
        this.pageSize = pageSize;
        this.source = source;
        this.force = force;
        this.position = start;
        this.exclusive = ExclusiveFile.open(files.temporary(), "is making this copy");
        this.channel = exclusive.file().getChannel();
        this.file = new PageFile(channel, pageSize);
        this.writeback = new Writeback(channel);
    }

    /**
     * Begins a copy.
     *
     * @param database where it is to stand
     * @param start the commit that the transactions to come continue
     * @param source names the sender in messages
     * @param force whether an existing file may be replaced
     * @throws dev.lockstep.NotAReplicaException if there is a file that {@code force} does not allow to replace; it is untouched
     * @throws dev.lockstep.UnavailableException if the file to be replaced, or the temporary file, is in use
     */
    public static FirstCopy begin(
            Path database, UUID logId, int pageSize, CommitRecord start, String source, boolean force)
            throws IOException {
        ReplicaFiles files = new ReplicaFiles(database);
        files.requireReplaceable(force);
        FirstCopy copy = new FirstCopy(files, logId, pageSize, start, source, force);
        boolean begun = false;
        try {
            files.forgetUnfinished();
            copy.channel.truncate(0);
            begun = true;
            return copy;
        } finally {
            if (!begun) {
                copy.exclusive.close();
            }
        }
    }

    /**
     * Says early whether {@link #begin} will be able to replace what is at the path.
     *
     * @throws dev.lockstep.NotAReplicaException if it is a primary's database
     * @throws dev.lockstep.UnavailableException if it is in use
     */
    public static void requireReplaceable(Path database) throws IOException {
        new ReplicaFiles(database).requireReplaceable(true);
    }

    /** The commit that the next transaction has to follow. */
    public CommitRecord position() {
        return position;
    }

    /**
     * Takes pages. What is wrong with them although they arrived undamaged, {@link #finish} finds.
     */
    public void pages(VerifiedPages verified) throws IOException {
        ByteBuffer entries = verified.entries();
        pages += entries.remaining() / FrameLayout.frameSize(pageSize);
        file.add(entries);
        writeback.wrote(entries.remaining());
    }

    /**
     * Says that all pages were handed over.
     *
     * @throws RefusedException if the database was said to have more
     */
    public void endOfPages() throws IOException {
        requireSent(position.sizeAfter(), pages, -1);
        file.flush();
        file.resize(position.sizeAfter());
        pagesEnded = true;
    }

    /**
     * Writes the pages of a transaction over those that are there.
     *
     * @throws RefusedException if it makes the database larger than its frames can
     */
    public void apply(VerifiedTransaction transaction) throws IOException {
        if (!pagesEnded) {
            throw new IllegalStateException("transactions come after the last page");
        }
        Applier.requireFollows(transaction, position);
        CommitRecord after = transaction.after();
        requireSent(
                after.sizeAfter(),
                Integer.toUnsignedLong(position.sizeAfter()) + transaction.frameCount(),
                after.frameNo());
        transaction.read(frames -> file.overlay(frames, after.sizeAfter()));
        position = after;
    }

    /**
     * SQLite writes each page that it adds, but for the lock-byte page. A size from nowhere would let one frame cost the time of billions
     * of pages, when they appear and again when they are cut off.
     */
    private void requireSent(int size, long sent, long frameNo) throws RefusedException {
        if (Integer.toUnsignedLong(size) > sent + 1) {
            throw new RefusedException(
                    RefusedException.Kind.GROWTH,
                    frameNo,
                    "at most " + (sent + 1) + " pages",
                    Integer.toUnsignedString(size) + " pages",
                    source);
        }
    }

    /**
     * Proves, syncs and names the database. After this it is a replica at {@link #position}, to be opened with
     * {@link Applier#open}.
     *
     * @throws RefusedException if the state checksum of what was written is not that of the position's commit
     * @throws dev.lockstep.NotAReplicaException if a database that may not be replaced has appeared; it is untouched
     * @throws dev.lockstep.UnavailableException if the database to be replaced is in use
     */
    public void finish() throws IOException {
        if (!pagesEnded) {
            throw new IllegalStateException("the pages are not complete");
        }
        CrashPoint.COPY_WRITTEN.reached();
        long state = file.state();
        if (state != position.stateChecksum()) {
            throw new RefusedException(
                    RefusedException.Kind.STATE,
                    position.frameNo(),
                    String.format("state checksum %016x", position.stateChecksum()),
                    String.format("%016x", state),
                    source);
        }
        writeback.finish();
        FileStamp stamp = FileStamp.of(files.temporary());
        CommitRecord base = position.withWal(WalMark.NONE);
        try (ReplicaRecord record = ReplicaRecord.create(files.record(), logId, pageSize, base, stamp, force)) {
            files.syncDirectory();
            complete = true;
            CrashPoint.COPY_SYNCED.reached();
            exclusive.close(); // before SQLite can open the file, because closing drops locks
            files.install(record);
        }
    }

    /** Whether at most its name is missing, which {@link Applier#open} gives it as soon as that can be. */
    public boolean isComplete() {
        return complete;
    }

    /** Gives the copy up, unless it is finished. */
    @Override
    public void close() throws IOException {
        if (channel.isOpen()) {
            writeback.close();
            exclusive.close();
            Files.deleteIfExists(files.temporary());
        }
    }
}
