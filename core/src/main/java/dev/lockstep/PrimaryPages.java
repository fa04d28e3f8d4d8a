package dev.lockstep;

import dev.lockstep.capture.Capture;
import dev.lockstep.log.CommitRecord;
import dev.lockstep.log.Crc64;
import dev.lockstep.log.FrameLayout;
import dev.lockstep.log.FrameLog;
import dev.lockstep.sqlite.LiveDatabase;
import dev.lockstep.stream.PageSource;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.function.Supplier;

/**
 * Reads a primary's database file from end to end without any lock or pin, so that no writer and no checkpoint ever waits for a first
 * copy, however slow its receiver.
 *
 * <p>Why the log mends what that reads: all transactions up to {@link #start} were in the file before the first page was read, so a page that is
 * read newer, or half written, was written by a checkpoint of a later transaction. And a checkpoint copies no frame that capture's pin
 * does not let it, which are those captured already; so all such transactions are in the log when the last page was read.
 */
final class PrimaryPages implements PageSource {

    /** As much as fits the processor's cache: what is read is copied twice before it is in its message. */
    private static final int CHUNK = 64 << 10;

    private final LiveDatabase database;
    private final Supplier<Capture> captures;
    private final Capture capture;
    private final FrameLog.Hold hold;
    private final CommitRecord start;
    private final int pageSize;
    private final int frameSize;
    private final int lockBytePage;

    /** Pages read ahead of {@link #nextPage}: those from firstInChunk on. */
    private final byte[] chunk;

    private int firstInChunk = 1;
    private int pagesInChunk;
    private int nextPage = 1;

    /** Holds the log after {@code start}, which must still be kept. */
    PrimaryPages(LiveDatabase database, Supplier<Capture> captures, Capture capture, CommitRecord start) {
        this.database = database;
        this.captures = captures;
        this.capture = capture;
        this.hold = capture.log().hold(start.frameNo());
        this.start = start;
        this.pageSize = capture.log().start().pageSize();
        this.frameSize = FrameLayout.frameSize(pageSize);
        this.lockBytePage = FrameLayout.lockBytePage(pageSize);
        this.chunk = new byte[CHUNK];
    }

    @Override
    public CommitRecord start() {
        return start;
    }

    @Override
    public int pages() {
        return start.sizeAfter();
    }

    @Override
    public int read(ByteBuffer dst) throws IOException {
        int entries = 0;
        while (nextPage <= pages() && dst.remaining() >= frameSize) {
            if (nextPage >= firstInChunk + pagesInChunk) {
                readChunk();
            }
            if (nextPage != lockBytePage) {
                put(dst, (nextPage - firstInChunk) * pageSize);
                entries++;
            }
            nextPage++;
        }
        return entries;
    }

    private void readChunk() throws IOException {
        firstInChunk = nextPage;
        pagesInChunk = Math.min(CHUNK / pageSize, pages() - nextPage + 1);
        int length = pagesInChunk * pageSize;
        int read = database.read((nextPage - 1L) * pageSize, chunk, 0, length);
        // A checkpoint may have cut the file short meanwhile; what is missing is gone after a later transaction too.
        Arrays.fill(chunk, read, length, (byte) 0);
    }

    private void put(ByteBuffer dst, int from) {
        int at = dst.position();
        dst.position(at + FrameLayout.HEADER).put(chunk, from, pageSize);
        long crc = Crc64.of(dst, at + FrameLayout.HEADER, pageSize);
        FrameLayout.putHeader(dst, at, start.frameNo(), crc, nextPage, 0);
    }

    /** @throws UnavailableException if capture failed meanwhile, so that the file may hold what the log does not */
    @Override
    public long consistentAt() throws UnavailableException {
        if (captures.get() != capture) {
            throw new UnavailableException(
                    database.path() + ": capture was interrupted during a first copy; try again");
        }
        return capture.log().head().frameNo();
    }

    @Override
    public void close() {
        hold.close();
    }
}
