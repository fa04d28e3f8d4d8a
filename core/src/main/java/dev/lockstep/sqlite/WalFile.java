package dev.lockstep.sqlite;

import dev.lockstep.CorruptException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;

/**
 * The WAL beside a database that SQLite has open, for reading. The handle carries no locks and may be closed. Not thread-safe.
 */
public final class WalFile implements Closeable {

    private final PlacedFile placed;
    private final FileChannel channel;

    /** Opens the WAL of a database of which this process holds an open SQLite connection, so that it stays the live one. */
    public WalFile(LiveDatabase database) throws IOException {
        this.placed = PlacedFile.at(database.walPath());
        this.channel = FileChannel.open(placed.path(), StandardOpenOption.READ);
    }

    /** Whether this file still stands at its path; no, after it was deleted or replaced by another. */
    public boolean isInPlace() {
        return placed.isInPlace();
    }

    /** The header as it stands in the file now. */
    public WalFormat.Header header() throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(WalFormat.HEADER_SIZE);
        readFully(bytes, 0);
        return WalFormat.Header.decode(bytes);
    }

    /**
     * Reads {@code count} whole frames from {@code frame} on to the start of {@code into}, and sets its position to 0 and its limit past
     * them.
     */
    public void readFrames(int frame, int count, int pageSize, ByteBuffer into) throws IOException {
        into.clear().limit(count * (WalFormat.FRAME_HEADER_SIZE + pageSize));
        readFully(into, WalFormat.frameOffset(frame, pageSize));
        into.flip();
    }

    /** Reads only the header of {@code frame} to the start of {@code into}. */
    public void readFrameHeader(int frame, int pageSize, ByteBuffer into) throws IOException {
        readFully(into.clear().limit(WalFormat.FRAME_HEADER_SIZE), WalFormat.frameOffset(frame, pageSize));
        into.flip();
    }

    private void readFully(ByteBuffer into, long offset) throws IOException {
        while (into.hasRemaining()) {
            if (channel.read(into, offset + into.position()) < 0) {
                throw new CorruptException(placed.path() + " ends at " + channel.size() + " bytes, before the "
                        + into.limit() + " bytes at " + offset + " that the wal-index names as committed");
            }
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
