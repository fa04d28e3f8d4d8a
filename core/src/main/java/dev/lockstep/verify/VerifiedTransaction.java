package dev.lockstep.verify;

import dev.lockstep.log.CommitRecord;
import dev.lockstep.log.FrameLayout;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * A whole transaction, or a run of them that only makes sense as one ({@link Verifier#passThrough}), that continues, frame by
 * frame and with its seal, the history from {@link #before} to {@link #after}. In a run there are commit frames before the last frame. Only
 * {@link Verifier} makes one, so that whatever takes nothing else cannot apply an unverified byte.
 *
 * <p>The frames stand in memory or, for a large transaction, in a temporary file. {@link #close} frees them; nobody needs to
 * close one that is in memory. Not thread-safe.
 */
public final class VerifiedTransaction implements AutoCloseable {

    /** Takes whole frames in {@link FrameLayout}, in order. */
    public interface Chunks {
        /** @param frames little-endian, from position 0 to its limit; valid until this call returns */
        void accept(ByteBuffer frames) throws IOException;
    }

    private final int pageSize;
    private final CommitRecord before;
    private final CommitRecord after;

    /** Exactly one of memory and spool is there. */
    private final @Nullable ByteBuffer memory;

    private final @Nullable Spool spool;

    private boolean closed;

    VerifiedTransaction(
            int pageSize, CommitRecord before, CommitRecord after, @Nullable ByteBuffer memory, @Nullable Spool spool) {
        this.pageSize = pageSize;
        this.before = before;
        this.after = after;
        this.memory = memory;
        this.spool = spool;
    }

    public int pageSize() {
        return pageSize;
    }

    /** The commit that this transaction follows. Its WAL mark is always NONE. */
    public CommitRecord before() {
        return before;
    }

    /** The commit that this transaction is. Its WAL mark is always NONE, because a mark cannot be verified. */
    public CommitRecord after() {
        return after;
    }

    public long frameCount() {
        return after.frameNo() - before.frameNo();
    }

    /** Bytes of all frames with their headers. */
    public long size() {
        return frameCount() * FrameLayout.frameSize(pageSize);
    }

    /** Whether the frames stand in memory; then they come as one chunk. */
    public boolean isInMemory() {
        return memory != null;
    }

    /**
     * Reads all frames. The buffers must not be changed.
     *
     * @throws IOException if a temporary file cannot be read, or what the consumer throws
     */
    public void read(Chunks consumer) throws IOException {
        requireThere();
        if (spool != null) {
            spool.read(consumer);
        } else if (memory != null) {
            consumer.accept(memory.slice().asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN));
        }
    }

    private void requireThere() {
        if (closed) {
            throw new IllegalStateException("the frames up to " + after.frameNo() + " were given back");
        }
    }

    @Override
    public void close() {
        closed = true;
        if (spool != null) {
            spool.close();
        }
    }

    @Override
    public String toString() {
        return "transaction of frames " + (before.frameNo() + 1) + " to " + after.frameNo();
    }
}
