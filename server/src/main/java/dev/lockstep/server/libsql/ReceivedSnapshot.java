package dev.lockstep.server.libsql;

import dev.lockstep.RefusedException;
import dev.lockstep.RefusedException.Kind;
import dev.lockstep.log.FrameLayout;
import dev.lockstep.pages.FileScan;
import dev.lockstep.pages.PageIndex;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.BitSet;

/**
 * A snapshot as it comes from a libSQL primary, newest page first, going into a file. The rules:
 *
 * <pre>
 * 1 a frame has header and page                                   [MALFORMED]
 * 2 frame numbers do not rise                                     [GAP]
 * 3 each page comes once, and none beyond the size                [PAGE_NUMBER]
 * 4 the last frame alone says a size, and all pages are there     [UNFINISHED]
 * </pre>
 *
 * Nothing in it proves the pages: a frame's checksum needs the frame before it, which is not part of a snapshot. The first frame's
 * is where the chain goes on, so the frames that follow prove that one. Not thread-safe.
 */
final class ReceivedSnapshot implements Closeable {

    private static final int PAGE_SIZE = LibsqlHistory.PAGE_SIZE;

    private final String source;
    private final FileChannel channel;
    private final BitSet seen = new BitSet();

    /** Of the first frame; -1 before it came. */
    private long newest = -1;

    private long checksum;
    private long lowest = Long.MAX_VALUE;
    private int pages;

    ReceivedSnapshot(Path path, String source) throws IOException {
        this.source = source;
        this.channel = FileChannel.open(
                path,
                StandardOpenOption.CREATE,
                StandardOpenOption.TRUNCATE_EXISTING,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE);
    }

    void take(ByteBuffer frame) throws IOException {
        if (frame.limit() != LibsqlHistory.FRAME_SIZE) {
            throw refused(Kind.MALFORMED, LibsqlHistory.FRAME_SIZE + " bytes", frame.limit() + " bytes");
        }
        long frameNo = FrameLayout.frameNo(frame, 0);
        if (frameNo < 0 || frameNo > lowest) {
            throw refused(
                    Kind.GAP, "a frame number of " + lowest + " or less", "frame " + Long.toUnsignedString(frameNo));
        }
        if (pages != 0) {
            throw refused(Kind.UNFINISHED, "the end, after a frame that says the size", "another frame");
        }
        if (newest < 0) {
            newest = frameNo;
            checksum = FrameLayout.checksum(frame, 0);
        }
        lowest = frameNo;
        int pageNo = FrameLayout.pageNo(frame, 0);
        if (pageNo < 1 || pageNo == FrameLayout.lockBytePage(PAGE_SIZE) || seen.get(pageNo)) {
            throw refused(
                    Kind.PAGE_NUMBER, "a page that did not come before", "page " + Integer.toUnsignedString(pageNo));
        }
        seen.set(pageNo);
        write(frame.slice(FrameLayout.HEADER, PAGE_SIZE), (pageNo - 1L) * PAGE_SIZE);
        pages = FrameLayout.sizeAfter(frame, 0);
    }

    /** Says that all frames came; makes the file durable. */
    void end() throws IOException {
        int expected = pages - (pages >= FrameLayout.lockBytePage(PAGE_SIZE) ? 1 : 0);
        if (pages < 1 || seen.cardinality() != expected || seen.length() - 1 > pages) {
            throw refused(
                    Kind.UNFINISHED,
                    "all of " + Integer.toUnsignedString(pages) + " pages",
                    seen.cardinality() + " pages, up to page " + (seen.length() - 1));
        }
        channel.force(true);
    }

    private void write(ByteBuffer page, long offset) throws IOException {
        while (page.hasRemaining()) {
            channel.write(page, offset + page.position());
        }
    }

    private int read(long position, byte[] into, int offset, int length) throws IOException {
        ByteBuffer rest = ByteBuffer.wrap(into, offset, length);
        while (rest.hasRemaining() && channel.read(rest, position + rest.position() - offset) >= 0) {
            // until it is full, or the file ends
        }
        return rest.position() - offset;
    }

    private RefusedException refused(Kind kind, String expected, String found) {
        return new RefusedException(kind, newest, expected, found, source + " (a snapshot)");
    }

    /** Notes all pages in an empty index. */
    void index(PageIndex index) throws IOException {
        FileScan.scan(this::read, PAGE_SIZE, pages, (pageNo, contentCrc, bytes, offset) -> {
            if (pageNo != FrameLayout.lockBytePage(PAGE_SIZE)) {
                index.set(pageNo, newest, contentCrc);
            }
        });
        index.commit(newest, pages);
        index.flush(newest);
    }

    /** The frame of which this is the state. */
    long frameNo() {
        return newest;
    }

    /** The chain's checksum there. */
    long checksum() {
        return checksum;
    }

    int pages() {
        return pages;
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
