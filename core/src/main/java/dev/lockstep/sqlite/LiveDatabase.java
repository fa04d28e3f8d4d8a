package dev.lockstep.sqlite;

import dev.lockstep.io.Mapping;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/**
 * The only class that opens a database file or its {@code -shm} file while SQLite may have it open in this process. Handles
 * are never closed, but for that of a {@code -shm} file which SQLite has deleted.
 *
 * <p>Reason: SQLite's locks are POSIX record locks, which belong to the process and the inode. When a process closes
 * <em>any</em> descriptor of a file, the kernel drops all of the process's locks on it, SQLite's too; another program can then
 * take itself for the last user and delete a live WAL (reference: "How To Corrupt An SQLite Database File", section 2.2). So
 * every handle lives in a static registry keyed by inode, which also keeps it from garbage collection, and reads go through
 * {@link RandomAccessFile}, because an interrupted {@link java.nio.channels.FileChannel} closes itself. A held descriptor keeps its inode
 * from being reused, so a key never comes to mean another file.
 *
 * <p>Handles on the {@code -wal} file carry no locks and need no such care.
 *
 * <p>Thread-safe.
 */
public final class LiveDatabase {

    /** SQLite grows and maps the wal-index in blocks of this size. */
    static final int SHM_BLOCK = 32 * 1024;

    private static final Map<Object, RandomAccessFile> DATABASES = new HashMap<>();
    private static final Map<Object, SharedMemory> SHARED_MEMORIES = new HashMap<>();

    private final PlacedFile placed;
    private final RandomAccessFile file;

    private LiveDatabase(PlacedFile placed, RandomAccessFile file) {
        this.placed = placed;
        this.file = file;
    }

    /**
     * The database file at {@code path}, which must exist.
     *
     * @throws IOException if it cannot be opened for reading
     */
    public static LiveDatabase of(Path path) throws IOException {
        Path real = path.toRealPath();
        synchronized (DATABASES) {
            PlacedFile placed = PlacedFile.at(real);
            RandomAccessFile file = DATABASES.get(placed.inode());
            if (file == null) {
                file = new RandomAccessFile(real.toFile(), "r");
                DATABASES.put(placed.inode(), file);
            }
            return new LiveDatabase(placed, file);
        }
    }

    /** The database's path, symbolic links resolved, as SQLite resolves them. */
    public Path path() {
        return placed.path();
    }

    /** Whether the file that was opened still stands at its path; no, after it was deleted, renamed or replaced by another. */
    public boolean isInPlace() {
        return placed.isInPlace();
    }

    /** The path of the WAL beside the database. */
    public Path walPath() {
        return beside("-wal");
    }

    private Path shmPath() {
        return beside("-shm");
    }

    private Path beside(String suffix) {
        return path().resolveSibling(path().getFileName() + suffix);
    }

    /** Length of the database file in bytes. */
    public long size() throws IOException {
        synchronized (file) {
            return file.length();
        }
    }

    /**
     * Reads up to {@code length} bytes at {@code position}, fewer only at the end of the file.
     *
     * @return the number of bytes read, 0 at or past the end
     */
    public int read(long position, byte[] into, int offset, int length) throws IOException {
        synchronized (file) {
            file.seek(position);
            int done = 0;
            while (done < length) {
                int n = file.read(into, offset + done, length - done);
                if (n < 0) {
                    break;
                }
                done += n;
            }
            return done;
        }
    }

    /** When the file at the database's path was last written to. */
    public FileTime modified() throws IOException {
        return Files.getLastModifiedTime(path());
    }

    /** Makes what anybody wrote to the database file durable. */
    public void sync() throws IOException {
        file.getFD().sync();
    }

    /**
     * The wal-index that SQLite has open now. Call it only while an SQLite connection of this process has read from the database
     * and stays open: before that the {@code -shm} file may be about to be truncated or unlinked.
     */
    public WalIndex walIndex() throws IOException {
        Path shm = shmPath();
        synchronized (SHARED_MEMORIES) {
            PlacedFile placedShm = PlacedFile.at(shm);
            SharedMemory memory = SHARED_MEMORIES.get(placedShm.inode());
            if (memory == null) {
                memory = new SharedMemory(placedShm, new RandomAccessFile(shm.toFile(), "rw"));
                SHARED_MEMORIES.put(placedShm.inode(), memory);
            }
            return new WalIndex(memory);
        }
    }

    /**
     * To be called after connections were closed: if that was the last use of all, SQLite has deleted the {@code -shm} file, nobody has
     * a lock on it any more, and its handle is given back.
     */
    public void afterClose() throws IOException {
        Path shm = shmPath();
        synchronized (SHARED_MEMORIES) {
            if (isInPlace() && Files.notExists(shm)) {
                for (Iterator<SharedMemory> each = SHARED_MEMORIES.values().iterator(); each.hasNext(); ) {
                    SharedMemory memory = each.next();
                    if (memory.placed.path().equals(shm)) {
                        each.remove();
                        memory.file.close();
                    }
                }
            }
        }
    }

    /** The mapped blocks of one {@code -shm} file; they stay mapped while anybody holds one. Thread-safe. */
    static final class SharedMemory {

        private final PlacedFile placed;
        private final RandomAccessFile file;
        private final List<MappedByteBuffer> blocks = new ArrayList<>();

        private SharedMemory(PlacedFile placed, RandomAccessFile file) {
            this.placed = placed;
            this.file = file;
        }

        boolean isInPlace() {
            return placed.isInPlace();
        }

        /**
         * Block {@code n}, in native byte order as SQLite uses it. The file is extended when it is shorter, also when the block was
         * mapped before: the first opener after a crash cuts the file off, and a store past its end would end this process.
         * Blocks after the first are for the holder of SQLite's write lock, since nobody else extends the file meanwhile.
         */
        synchronized MappedByteBuffer block(int n) throws IOException {
            Mapping.extend(file, (n + 1L) * SHM_BLOCK);
            while (blocks.size() <= n) {
                long start = (long) blocks.size() * SHM_BLOCK;
                MappedByteBuffer block = Mapping.map(file, start, SHM_BLOCK);
                block.order(ByteOrder.nativeOrder());
                blocks.add(block);
            }
            return blocks.get(n);
        }
    }
}
