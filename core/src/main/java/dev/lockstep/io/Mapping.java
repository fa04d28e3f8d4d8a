package dev.lockstep.io;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;

/** Files that are written through memory. A file is extended first: a store into a hole, or past the end, fails where nobody can catch it. */
public final class Mapping {

    private static final int ZEROS = 32 * 1024;

    private Mapping() {}

    /** Makes the file this long at least, with zeros that are written, so that a full disk shows here and not at a store. */
    public static void extend(RandomAccessFile file, long length) throws IOException {
        long missing = length - file.length();
        if (missing > 0) {
            byte[] zeros = new byte[ZEROS];
            file.seek(file.length());
            for (; missing > 0; missing -= zeros.length) {
                file.write(zeros, 0, (int) Math.min(missing, zeros.length));
            }
        }
    }

    /**
     * Maps a part of the file for reading and writing. That is done by a thread which nobody can interrupt: an interrupt would
     * close the file, and a {@code -shm} file takes all of SQLite's locks on it with it.
     */
    public static MappedByteBuffer map(RandomAccessFile file, long start, int size) throws IOException {
        FileChannel channel = file.getChannel();
        MappedByteBuffer[] mapped = new MappedByteBuffer[1];
        Workers.join(Workers.run(() -> mapped[0] = channel.map(MapMode.READ_WRITE, start, size)));
        return mapped[0];
    }
}
