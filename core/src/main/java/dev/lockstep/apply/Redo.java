package dev.lockstep.apply;

import dev.lockstep.log.CommitRecord;
import dev.lockstep.log.FrameLayout;
import dev.lockstep.sqlite.LiveDatabase;
import dev.lockstep.sqlite.WalAppender;
import dev.lockstep.verify.VerifiedTransaction;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Appends transactions that the database may already hold in part, as one transaction of SQLite's: readers see nothing of it before
 * it is proven that the pages in the file, in the WAL and in the redo together are a state of the primary.
 *
 * <pre>
 * add..    all frames but the last, with no commit frame among them
 * stateAt  scans the database with everything added laid over it
 * publish  if the state is right; otherwise close: the WAL is cut off where it was
 * </pre>
 *
 * The last frame is held back until then, because a recovery by another program would take it for a commit.
 *
 * <p>Holds SQLite's write lock from the first transaction on. Not thread-safe.
 */
final class Redo implements Closeable {

    private final WalAppender appender;
    private final VisibleState state;
    private final int pageSize;
    private final ByteBuffer heldBack;
    private boolean holds;

    /** @param appender holds the write lock, and has appended nothing */
    Redo(LiveDatabase database, WalAppender appender) throws IOException {
        this.appender = appender;
        this.pageSize = appender.pageSize();
        this.state = new VisibleState(database, appender);
        this.heldBack = ByteBuffer.allocate(FrameLayout.frameSize(pageSize)).order(ByteOrder.LITTLE_ENDIAN);
    }

    void add(VerifiedTransaction transaction) throws IOException {
        transaction.read(frames -> {
            state.add(frames);
            if (holds) {
                appender.appendWithoutCommits(heldBack);
            }
            int last = frames.limit() - FrameLayout.frameSize(pageSize);
            appender.appendWithoutCommits(frames.slice(0, last));
            heldBack.put(0, frames, last, FrameLayout.frameSize(pageSize));
            holds = true;
        });
    }

    /** The state checksum that readers would see at {@code end}. Reads the whole database. */
    long stateAt(CommitRecord end) throws IOException {
        return state.checksum(end.sizeAfter());
    }

    /** Makes it visible as {@code end}. */
    void publish(CommitRecord end, boolean force, WalAppender.CommitListener listener) throws IOException {
        FrameLayout.putSizeAfter(heldBack, 0, end.sizeAfter());
        appender.append(heldBack, listener);
        appender.publish(force);
    }

    /** Takes it back, if it was not published. */
    @Override
    public void close() throws IOException {
        appender.abort();
    }
}
