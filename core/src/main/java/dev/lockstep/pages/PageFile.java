package dev.lockstep.pages;

import dev.lockstep.log.FrameLayout;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;

/**
 * A file of pages that is being built: the pages of a fuzzy copy first, then frames over them, which mend those that were torn or too
 * new. Not thread-safe.
 */
public final class PageFile {

    /** Larger writes make large page-cache folios, in which later writes of single pages are slow. */
    private static final int CHUNK = 64 * 1024;

    private final FileChannel channel;
    private final int pageSize;
    private final int frameSize;

    /** Consecutive pages that are not written yet, and where they belong. */
    private final ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK);

    private long chunkOffset;

    /** @param channel of an empty file; its owner closes it */
    public PageFile(FileChannel channel, int pageSize) {
        this.channel = channel;
        this.pageSize = pageSize;
        this.frameSize = FrameLayout.frameSize(pageSize);
    }

    /** Adds pages in the layout of frames, from position to limit; leaves the position alone. {@link #flush} has to follow. */
    public void add(ByteBuffer entries) throws IOException {
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

    /** Writes what {@link #add} has collected. */
    public void flush() throws IOException {
        chunk.flip();
        write(chunk, chunkOffset);
        chunk.clear();
    }

    /** Writes the pages of frames over those that are there, from position 0 to the limit. */
    public void overlay(ByteBuffer frames) throws IOException {
        for (int at = 0; at < frames.limit(); at += frameSize) {
            write(frames.slice(at + FrameLayout.HEADER, pageSize), offsetOf(FrameLayout.pageNo(frames, at)));
        }
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
    public void resize(int pages) throws IOException {
        long size = (long) pages * pageSize;
        if (channel.size() > size) {
            channel.truncate(size);
        } else if (channel.size() < size) {
            write(ByteBuffer.allocate(1), size - 1);
        }
    }

    /** The state checksum of the first {@code pages} pages. */
    public long state(int pages) throws IOException {
        return StateChecksum.of(this::read, pageSize, pages, new PageChanges());
    }

    private int read(long position, byte[] into, int offset, int length) throws IOException {
        ByteBuffer rest = ByteBuffer.wrap(into, offset, length);
        while (rest.hasRemaining() && channel.read(rest, position + rest.position() - offset) >= 0) {
            // until it is full, or the file ends
        }
        return rest.position() - offset;
    }
}
