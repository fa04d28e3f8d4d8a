package dev.lockstep.apply;

import dev.lockstep.RefusedException;
import dev.lockstep.io.CrashPoint;
import dev.lockstep.log.CommitRecord;
import dev.lockstep.log.FrameLayout;
import dev.lockstep.log.WalMark;
import dev.lockstep.pages.PageChanges;
import dev.lockstep.verify.VerifiedTransaction;
import java.io.Closeable;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * Builds a replica's database from nothing: pages of a fuzzy copy, then the transactions since it began, which mend every page that
 * was torn or too new. Nobody sees any of it before the state checksum of the whole file proved that it is the primary's.
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

    /** Larger writes make large page-cache folios, in which later writes of single pages are slow. */
    private static final int CHUNK = 64 * 1024;

    private final ReplicaFiles files;
    private final UUID logId;
    private final int pageSize;
    private final int frameSize;
    private final String source;
    private final ExclusiveFile exclusive;
    private final RandomAccessFile file;
    private final FileChannel channel;

    /** Consecutive pages that are not written yet, and where they belong. */
    private final ByteBuffer chunk;

    private long chunkOffset;
    private CommitRecord position;
    private boolean pagesEnded;

    private FirstCopy(ReplicaFiles files, UUID logId, int pageSize, CommitRecord start, String source)
            throws IOException {
        this.files = files;
        this.logId = logId;
        this.pageSize = pageSize;
        this.frameSize = FrameLayout.frameSize(pageSize);
        this.source = source;
        this.position = start;
        this.chunk = ByteBuffer.allocateDirect(CHUNK);
        this.exclusive = ExclusiveFile.open(files.temporary(), "is making this copy");
        this.file = exclusive.file();
        this.channel = file.getChannel();
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
        FirstCopy copy = new FirstCopy(files, logId, pageSize, start, source);
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

    /** The commit that the next transaction has to follow. */
    public CommitRecord position() {
        return position;
    }

    /**
     * Takes pages in the layout of frames that a {@code PageVerifier} let through, from position to limit; the buffer is left
     * alone. What was wrong with them nevertheless, {@link #finish} finds.
     */
    public void pages(ByteBuffer entries) throws IOException {
        ByteBuffer buf = entries.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        for (int at = buf.position(); at < buf.limit(); at += frameSize) {
            long offset = offsetOf(FrameLayout.pageNo(buf, at));
            if (!chunk.hasRemaining() || offset != chunkOffset + chunk.position()) {
                flush();
                chunkOffset = offset;
            }
            chunk.put(chunk.position(), buf, at + FrameLayout.HEADER, pageSize);
            chunk.position(chunk.position() + pageSize);
        }
    }

    private long offsetOf(int pageNo) {
        return (Integer.toUnsignedLong(pageNo) - 1) * pageSize;
    }

    private void flush() throws IOException {
        chunk.flip();
        write(chunk, chunkOffset);
        chunk.clear();
    }

    private void write(ByteBuffer bytes, long offset) throws IOException {
        long at = offset;
        while (bytes.hasRemaining()) {
            at += channel.write(bytes, at);
        }
    }

    /** Says that all pages were handed over. */
    public void endOfPages() throws IOException {
        flush();
        pagesEnded = true;
    }

    /** Writes the pages of a transaction over those that are there. */
    public void apply(VerifiedTransaction transaction) throws IOException {
        if (!pagesEnded) {
            throw new IllegalStateException("transactions come after the last page");
        }
        Applier.requireFollows(transaction, position);
        transaction.read(frames -> {
            for (int at = 0; at < frames.limit(); at += frameSize) {
                write(frames.slice(at + FrameLayout.HEADER, pageSize), offsetOf(FrameLayout.pageNo(frames, at)));
            }
        });
        position = transaction.after();
    }

    /**
     * Proves, syncs and names the database. After this it is a replica at {@link #position}, to be opened with
     * {@link Applier#open}.
     *
     * @throws RefusedException if the file's state checksum is not that of the position's commit
     */
    public void finish() throws IOException {
        if (!pagesEnded) {
            throw new IllegalStateException("the pages are not complete");
        }
        int pages = position.sizeAfter();
        resize((long) pages * pageSize);
        CrashPoint.COPY_WRITTEN.reached();
        CompletableFuture<Void> synced = CompletableFuture.runAsync(this::sync);
        long state = VisibleState.checksum(this::read, pageSize, pages, new PageChanges());
        join(synced);
        if (state != position.stateChecksum()) {
            throw new RefusedException(
                    RefusedException.Kind.STATE,
                    position.frameNo(),
                    String.format("state checksum %016x", position.stateChecksum()),
                    String.format("%016x", state),
                    source);
        }
        FileStamp stamp = FileStamp.of(files.temporary());
        CommitRecord base = position.withWal(WalMark.NONE);
        try (ReplicaRecord record = ReplicaRecord.create(files.record(), logId, pageSize, base, stamp)) {
            files.syncDirectory();
            CrashPoint.COPY_SYNCED.reached();
            exclusive.close(); // before SQLite can open the file, because closing drops locks
            files.install(record);
        }
    }

    private void resize(long size) throws IOException {
        if (channel.size() > size) {
            channel.truncate(size);
        } else if (channel.size() < size) {
            write(ByteBuffer.allocate(1), size - 1);
        }
    }

    private void sync() {
        try {
            channel.force(true);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void join(CompletableFuture<Void> synced) throws IOException {
        try {
            synced.join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof UncheckedIOException io ? io.getCause() : new IOException(e.getCause());
        }
    }

    private int read(long position, byte[] into, int offset, int length) throws IOException {
        file.seek(position);
        int done = 0;
        while (done < length) {
            int n = file.read(into, offset + done, length - done);
            if (n < 0) {
                break;
            }
            done += n;
        }
        return done;
    }

    /** Gives the copy up, unless it is finished. */
    @Override
    public void close() throws IOException {
        if (channel.isOpen()) {
            exclusive.close();
            Files.deleteIfExists(files.temporary());
        }
    }
}
