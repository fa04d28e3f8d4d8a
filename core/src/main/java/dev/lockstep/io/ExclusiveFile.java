package dev.lockstep.io;

import dev.lockstep.UnavailableException;
import java.io.Closeable;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A file of ours that one process at a time, and one part of it, has open for writing. Paths are kept in a set besides the lock,
 * because opening a file a second time in one process and closing it would drop the process's lock.
 */
public final class ExclusiveFile implements Closeable {

    private static final Set<Path> OPEN = ConcurrentHashMap.newKeySet();

    private final Path path;
    private final RandomAccessFile file;
    private boolean closed;

    private ExclusiveFile(Path path, RandomAccessFile file) {
        this.path = path;
        this.file = file;
    }

    /**
     * Opens or creates the file.
     *
     * @throws UnavailableException if it is open elsewhere; {@code meaning} says what that means
     */
    public static ExclusiveFile open(Path path, String meaning) throws IOException {
        Path key = RealPath.of(path);
        if (!OPEN.add(key)) {
            throw new UnavailableException(path + " is in use: another part of this process " + meaning);
        }
        RandomAccessFile file = null;
        boolean opened = false;
        try {
            file = new RandomAccessFile(path.toFile(), "rw");
            if (file.getChannel().tryLock() == null) {
                throw new UnavailableException(path + " is in use: another process " + meaning);
            }
            opened = true;
            return new ExclusiveFile(key, file);
        } finally {
            if (!opened) {
                OPEN.remove(key);
                if (file != null) {
                    file.close();
                }
            }
        }
    }

    public RandomAccessFile file() {
        return file;
    }

    @Override
    public void close() throws IOException {
        if (!closed) {
            closed = true;
            OPEN.remove(path);
            file.close();
        }
    }
}
