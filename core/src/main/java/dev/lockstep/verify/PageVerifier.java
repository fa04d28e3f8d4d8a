package dev.lockstep.verify;

import dev.lockstep.RefusedException;
import dev.lockstep.RefusedException.Kind;
import dev.lockstep.log.Crc64;
import dev.lockstep.log.FrameLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Checks the pages of a first copy on arrival. Each entry has the layout of a frame whose checksum is the content CRC of the
 * page alone. The rules:
 *
 * <pre>
 * 1 the buffer holds whole entries only                                                      [MALFORMED]
 * 2 page numbers run from 1 to the number told, without the lock-byte page, each exactly once [PAGE_NUMBER]
 * 3 the checksum is the page's                                                                [CHECKSUM]
 * 4 at the end all pages were there                                                           [UNFINISHED]
 * </pre>
 *
 * This finds what was damaged on the way. It proves nothing about the history: pages of a first copy may be torn at their
 * source, until the frames that follow have mended them and the state checksum of the whole proves it.
 *
 * <p>Not thread-safe.
 */
public final class PageVerifier {

    private final int frameSize;
    private final int pageSize;
    private final long pages;
    private final long lockBytePage;
    private final String source;

    /** The page that is to come next. */
    private long next = 1;

    /** @param pages the number of pages told, unsigned */
    public PageVerifier(int pageSize, int pages, String source) {
        this.pageSize = pageSize;
        this.frameSize = FrameLayout.frameSize(pageSize);
        this.pages = Integer.toUnsignedLong(pages);
        this.lockBytePage = FrameLayout.lockBytePage(pageSize);
        this.source = source;
    }

    /** Checks the entries from the buffer's position to its limit; leaves the position alone. */
    public VerifiedPages accept(ByteBuffer entries) throws RefusedException {
        ByteBuffer buf = entries.slice().order(ByteOrder.LITTLE_ENDIAN);
        if (buf.limit() % frameSize != 0) {
            throw refused(Kind.MALFORMED, "whole entries of " + frameSize + " bytes", buf.limit() + " bytes in all");
        }
        for (int at = 0; at < buf.limit(); at += frameSize) {
            acceptPage(buf, at);
        }
        return new VerifiedPages(buf);
    }

    private void acceptPage(ByteBuffer buf, int at) throws RefusedException {
        long page = Integer.toUnsignedLong(FrameLayout.pageNo(buf, at));
        if (page != next || page > pages) {
            String expected = next > pages ? "no page after " + pages : "page " + next;
            throw refused(Kind.PAGE_NUMBER, expected, "page " + page);
        }
        long crc = Crc64.of(buf, at + FrameLayout.HEADER, pageSize);
        long claimed = FrameLayout.checksum(buf, at);
        if (crc != claimed) {
            throw refused(
                    Kind.CHECKSUM,
                    String.format("content CRC %016x of page %d", crc, page),
                    String.format("%016x", claimed));
        }
        next += page + 1 == lockBytePage ? 2 : 1;
    }

    /** Says that no more pages follow. */
    public void end() throws RefusedException {
        if (next <= pages) {
            throw refused(Kind.UNFINISHED, "pages up to " + pages, "the end after page " + (next - 1));
        }
    }

    private RefusedException refused(Kind kind, String expected, String found) {
        return new RefusedException(kind, -1, expected, found, source);
    }
}
