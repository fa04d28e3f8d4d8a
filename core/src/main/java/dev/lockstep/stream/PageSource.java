package dev.lockstep.stream;

import dev.lockstep.log.CommitRecord;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Reads all pages of a primary's database while it changes. Each page may be torn, or newer than {@link #start}; what is then
 * wrong with it stands in the log's frames after the start, up to {@link #consistentAt}. Not thread-safe.
 */
public interface PageSource extends AutoCloseable {

    /** The commit whose successors mend the copy. Until this source is closed, the log keeps the frames after it. */
    CommitRecord start();

    /** How many pages the database has; entries come for 1 to this number, without the lock-byte page. */
    int pages();

    /**
     * Puts the next entries into the buffer, as many as there are and fit, in the layout of
     * {@link ToReplica.SnapshotPages}; moves the position.
     *
     * @param dst little-endian, with space for at least one entry
     * @return the number of entries; 0 after the last page
     */
    int read(ByteBuffer dst) throws IOException;

    /**
     * To be called after the last page was read. It may wait for the capture, for a bounded time.
     *
     * @return a commit's frame at or after the start: no page that was read is newer than it
     */
    long consistentAt() throws IOException;

    @Override
    void close() throws IOException;
}
