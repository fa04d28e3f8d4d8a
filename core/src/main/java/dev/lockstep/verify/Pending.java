package dev.lockstep.verify;

import dev.lockstep.log.CommitRecord;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The frames so far of a transaction that did not end in the buffer it began in: copied into memory up to a limit, then moved
 * to a {@link Spool}. Not thread-safe.
 */
final class Pending {

    private static final int INITIAL = 1 << 20;

    /** Reading back takes a buffer of a chunk's size, so a chunk is at most this, or one frame. */
    private static final int SPOOL_CHUNK = 1 << 20;

    private final int frameSize;
    private final Path spoolDirectory;
    private final int limit;

    private @Nullable ByteBuffer memory;
    private @Nullable Spool spool;

    /** @param limit bytes to keep in memory */
    Pending(int frameSize, Path spoolDirectory, int limit) {
        this.frameSize = frameSize;
        this.spoolDirectory = spoolDirectory;
        this.limit = limit;
    }

    boolean isEmpty() {
        return memory == null && spool == null;
    }

    /** Adds whole frames, from position to limit; the position stays. */
    void add(ByteBuffer frames) throws IOException {
        if (!frames.hasRemaining()) {
            return;
        }
        int held = memory == null ? 0 : memory.position();
        if (spool == null && held + (long) frames.remaining() <= limit) {
            reserve(held + frames.remaining()).put(frames.duplicate());
            return;
        }
        if (spool == null) {
            spool = new Spool(spoolDirectory);
        }
        if (memory != null) {
            spoolInChunks(spool, memory.flip());
            memory = null;
        }
        spoolInChunks(spool, frames);
    }

    private ByteBuffer reserve(int needed) {
        ByteBuffer old = memory;
        if (old != null && old.capacity() >= needed) {
            return old;
        }
        long doubled = old == null ? INITIAL : 2L * old.capacity();
        ByteBuffer grown = ByteBuffer.allocate((int) Math.min(limit, Math.max(doubled, needed)));
        if (old != null) {
            grown.put(old.flip());
        }
        memory = grown;
        return grown;
    }

    private void spoolInChunks(Spool target, ByteBuffer frames) throws IOException {
        int chunk = Math.max(1, SPOOL_CHUNK / frameSize) * frameSize;
        for (int at = frames.position(); at < frames.limit(); at += chunk) {
            target.append(frames.duplicate().position(at).limit(Math.min(frames.limit(), at + chunk)));
        }
    }

    /** Hands the frames over as a transaction and is empty again. */
    VerifiedTransaction take(int pageSize, CommitRecord before, CommitRecord after) {
        ByteBuffer frames = memory == null ? null : memory.flip();
        VerifiedTransaction transaction = new VerifiedTransaction(pageSize, before, after, frames, spool);
        memory = null;
        spool = null;
        return transaction;
    }

    void clear() {
        memory = null;
        if (spool != null) {
            spool.close();
            spool = null;
        }
    }
}
