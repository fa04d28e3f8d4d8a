package dev.lockstep.io;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * One open file of a {@link Storage}. Reads and writes name their place and may run on several threads at once.
 *
 * <p>Duty: after a crash of the machine, what was written or truncated before a {@link #sync} that returned is there; what was not
 * may be there wholly, partly or not at all, in any order.
 */
public interface StoredFile extends Closeable {

    /** The full path or address, for messages. */
    String path();

    /** Reads until the buffer is full or the file ends. Returns the number of bytes read, 0 at the end of the file. */
    int read(ByteBuffer dst, long position) throws IOException;

    /** Writes all that remains in the buffer, beyond the end of the file too. */
    void write(ByteBuffer src, long position) throws IOException;

    long size() throws IOException;

    /** Cuts the file off, if it is longer. */
    void truncate(long size) throws IOException;

    /** Makes content and size durable, though not the file's name: that is {@link Storage#syncDirectory}'s duty. */
    void sync() throws IOException;
}
