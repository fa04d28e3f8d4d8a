package dev.lockstep.pages;

import dev.lockstep.log.Crc64;
import dev.lockstep.log.FrameLayout;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;

/**
 * A file of pages that is being built: the pages of a fuzzy copy first, then frames over them, which mend those that were torn or too
 * new. Its {@link StateChecksum} is kept along, so that the file need not be read again; its owner sees to it that nobody else can write
 * there. Not thread-safe.
 */
public final class PageFile {

    /** Larger writes make large page-cache folios, in which later writes of single pages are slow. */
    private static final int CHUNK = 64 * 1024;

    private final FileChannel channel;
    private final int pageSize;
    private final int frameSize;
    private final int lockBytePage;
    private final long zeroPageCrc;
    private final ByteBuffer page;

    /** Consecutive pages that are not written yet, and where they belong. */
    private final ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK);

    private long chunkOffset;

    /** The pages that take part in the state: all up to the last one written, but for the lock-byte page. */
    private int pages;

    private long state;

    /** @param channel of an empty file; its owner closes it */
    public PageFile(FileChannel channel, int pageSize) {
        this.channel = channel;
        this.pageSize = pageSize;
        this.frameSize = FrameLayout.frameSize(pageSize);
        this.lockBytePage = FrameLayout.lockBytePage(pageSize);
        this.page = ByteBuffer.allocate(pageSize);
        this.zeroPageCrc = Crc64.of(page, 0, pageSize);
    }

    /**
     * Adds pages in the layout of frames, from position to limit, in ascending order and with their own content CRC as checksum;
     * leaves the position alone. {@link #flush} has to follow.
     */
    public void add(ByteBuffer entries) throws IOException {
        ByteBuffer buf = entries.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        for (int at = buf.position(); at < buf.limit(); at += frameSize) {
            pages = FrameLayout.pageNo(buf, at);
            state ^= StateChecksum.mix(pages, FrameLayout.checksum(buf, at));
            long offset = offsetOf(pages);
            if (!chunk.hasRemaining() || offset != chunkOffset + chunk.position()) {
                flush();
                chunkOffset = offset;
            }
            chunk.put(chunk.position(), buf, at + FrameLayout.HEADER, pageSize);
            chunk.position(chunk.position() + pageSize);
        }
    }

    /** Writes what {@link #add} has collected. */
    public void flush() throws IOException {
        chunk.flip();
        write(chunk, chunkOffset);
        chunk.clear();
    }

    /** Writes the pages of frames over those that are there, from position 0 to the limit. */
    public void overlay(ByteBuffer frames) throws IOException {
        overlay(frames, -1);
    }

    /**
     * The same for frames of one transaction.
     *
     * @param sizeAfter pages that the transaction ends with, unsigned; those beyond, which SQLite wrote before it rolled back to a
     *     savepoint, say, are left out
     */
    public void overlay(ByteBuffer frames, int sizeAfter) throws IOException {
        for (int at = 0; at < frames.limit(); at += frameSize) {
            int pageNo = FrameLayout.pageNo(frames, at);
            if (Integer.compareUnsigned(pageNo, sizeAfter) <= 0) {
                put(frames, at, pageNo);
            }
            if (FrameLayout.sizeAfter(frames, at) != 0) {
                resize(FrameLayout.sizeAfter(frames, at));
            }
        }
    }

    private void put(ByteBuffer frames, int at, int pageNo) throws IOException {
        if (Integer.compareUnsigned(pageNo, pages) > 0) {
            growTo(pageNo);
        }
        long crc = Crc64.of(frames, at + FrameLayout.HEADER, pageSize);
        state ^= StateChecksum.mix(pageNo, writtenCrc(pageNo)) ^ StateChecksum.mix(pageNo, crc);
        write(frames.slice(at + FrameLayout.HEADER, pageSize), offsetOf(pageNo));
    }

    /** Pages that nobody writes hold zeros, as the file system gives them. */
    private void growTo(int size) {
        while (pages != size) {
            pages++;
            state ^= part(pages, zeroPageCrc);
        }
    }

    private long part(int pageNo, long crc) {
        return pageNo == lockBytePage ? 0 : StateChecksum.mix(pageNo, crc);
    }

    private long writtenCrc(int pageNo) throws IOException {
        page.clear();
        while (page.hasRemaining() && channel.read(page, offsetOf(pageNo) + page.position()) >= 0) {
            // until it is full, or the file ends
        }
        if (page.position() == 0) {
            return zeroPageCrc;
        }
        return Crc64.of(page, 0, pageSize);
    }

    private long offsetOf(int pageNo) {
        return (Integer.toUnsignedLong(pageNo) - 1) * pageSize;
    }

    private void write(ByteBuffer bytes, long offset) throws IOException {
        long at = offset;
        while (bytes.hasRemaining()) {
            at += channel.write(bytes, at);
        }
    }

    /** Makes the file hold this many pages. */
    public void resize(int size) throws IOException {
        if (Integer.compareUnsigned(size, pages) > 0) {
            growTo(size);
        }
        while (pages != size) {
            state ^= part(pages, writtenCrc(pages));
            pages--;
        }
        long length = Integer.toUnsignedLong(size) * pageSize;
        if (channel.size() > length) {
            channel.truncate(length);
        } else if (channel.size() < length) {
            write(ByteBuffer.allocate(1), length - 1);
        }
    }

    /** The state checksum of what was written. */
    public long state() {
        return state;
    }
}
