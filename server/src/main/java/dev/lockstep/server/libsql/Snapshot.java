package dev.lockstep.server.libsql;

import dev.lockstep.CorruptException;
import dev.lockstep.UnavailableException;
import dev.lockstep.log.CommitRecord;
import dev.lockstep.log.FrameLayout;
import dev.lockstep.log.FrameLog;
import dev.lockstep.log.LogReader;
import dev.lockstep.pages.PageFile;
import dev.lockstep.stream.Origin;
import dev.lockstep.stream.PageSource;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.concurrent.TimeUnit;

/**
 * A copy of a database's pages as they were at one durable commit, in a file without a name. libSQL's clients cannot mend a fuzzy copy,
 * so it is mended here, and proven by its state checksum before anything of it is sent.
 *
 * <p>As long as it is open the log keeps the frames after it. Thread-safe but for {@link #users}.
 */
final class Snapshot implements AutoCloseable {

    private static final int CHUNK = 256 << 10;
    private static final long DURABLE_NANOS = TimeUnit.SECONDS.toNanos(30);

    private final FileChannel file;
    private final int pageSize;
    private final CommitRecord at;
    private final FrameLog.Hold hold;

    /** How many clients are reading it. Guarded by the database that it belongs to. */
    int users;

    private Snapshot(FileChannel file, int pageSize, CommitRecord at, FrameLog.Hold hold) {
        this.file = file;
        this.pageSize = pageSize;
        this.at = at;
        this.hold = hold;
    }

    static Snapshot take(Origin origin, Path directory) throws IOException {
        Path path = Files.createTempFile(directory, "lockstep-snapshot-", ".tmp");
        FileChannel file = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE);
        try (PageSource pages = origin.openPages()) {
            Files.delete(path);
            return take(origin.log(), pages, file);
        } catch (IOException | RuntimeException e) {
            file.close();
            throw e;
        }
    }

    private static Snapshot take(FrameLog log, PageSource pages, FileChannel channel) throws IOException {
        int pageSize = log.start().pageSize();
        FrameLog.Hold hold = log.hold(pages.start().frameNo());
        try {
            PageFile file = new PageFile(channel, pageSize);
            ByteBuffer buffer = ByteBuffer.allocate(CHUNK).order(ByteOrder.LITTLE_ENDIAN);
            while (pages.read(buffer.clear()) > 0) {
                file.add(buffer.flip());
            }
            file.flush();
            CommitRecord at = mend(log, file, pages.start().frameNo(), pages.consistentAt());
            file.resize(at.sizeAfter());
            prove(file, at);
            hold.moveTo(at.frameNo());
            return new Snapshot(channel, pageSize, at, hold);
        } catch (IOException | RuntimeException e) {
            hold.close();
            throw e;
        }
    }

    /** Lays the frames after {@code start} over the pages, once those up to the end are durable. */
    private static CommitRecord mend(FrameLog log, PageFile file, long start, long end) throws IOException {
        awaitDurable(log, end);
        ByteBuffer buffer = ByteBuffer.allocate(CHUNK).order(ByteOrder.LITTLE_ENDIAN);
        try (LogReader reader = log.reader(start)) {
            while (reader.read(buffer.clear(), new ArrayList<>(), end) > 0) {
                file.overlay(buffer.flip());
            }
        }
        CommitRecord at = log.commitAt(end);
        if (at == null) {
            throw new IllegalStateException("frame " + end + " is no commit frame");
        }
        return at;
    }

    private static void awaitDurable(FrameLog log, long frameNo) throws UnavailableException {
        try {
            if (!log.await(frameNo - 1, true, DURABLE_NANOS)) {
                throw new UnavailableException("the log did not become durable up to frame " + frameNo
                        + " in time; look at the primary's disk");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UnavailableException("interrupted while a snapshot was taken");
        }
    }

    private static void prove(PageFile file, CommitRecord at) throws IOException {
        long state = file.state();
        if (state != at.stateChecksum()) {
            throw new CorruptException(String.format(
                    "a snapshot at frame %d: expected state checksum %016x, found %016x; the database file is not what was"
                            + " captured, so check it and its disk",
                    at.frameNo(), at.stateChecksum(), state));
        }
    }

    /** The commit of which this is the state. */
    CommitRecord at() {
        return at;
    }

    /** Pages without the lock-byte page. */
    int pages() {
        return at.sizeAfter() - (at.sizeAfter() >= FrameLayout.lockBytePage(pageSize) ? 1 : 0);
    }

    /** Reads the page into the buffer's next bytes. */
    void read(int pageNo, ByteBuffer dst) throws IOException {
        ByteBuffer page = dst.slice(dst.position(), pageSize);
        long offset = (pageNo - 1L) * pageSize;
        while (page.hasRemaining()) {
            if (file.read(page, offset + page.position()) < 0) {
                throw new CorruptException(
                        "a snapshot's temporary file ends before page " + pageNo + "; check the disk");
            }
        }
        dst.position(dst.position() + pageSize);
    }

    @Override
    public void close() {
        hold.close();
        try {
            file.close();
        } catch (IOException e) {
            // it has no name any more, and nobody needs its bytes
        }
    }
}
