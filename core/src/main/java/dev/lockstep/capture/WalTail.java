package dev.lockstep.capture;

import dev.lockstep.log.WalMark;
import dev.lockstep.sqlite.LiveDatabase;
import dev.lockstep.sqlite.WalFile;
import dev.lockstep.sqlite.WalFormat;
import dev.lockstep.sqlite.WalIndexHeader;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * How far the live WAL has been captured, and the way from there to its committed end.
 *
 * <p>The committed end is what a {@link WalIndexHeader} says, never what the file holds: frames past it may still be rolled back,
 * and frames up to it never change while a pin stands.
 *
 * <p>Not thread-safe.
 */
final class WalTail implements Closeable {

    /** Frames are read in chunks of about this many bytes. */
    private static final int CHUNK = 1 << 20;

    /** One for each thread, because most captures of a process are at rest. */
    private static final ThreadLocal<ByteBuffer> BUFFER =
            ThreadLocal.withInitial(() -> ByteBuffer.allocateDirect(CHUNK).order(ByteOrder.LITTLE_ENDIAN));

    private final WalFile wal;
    private final int pageSize;
    private final int frameSize;

    private WalMark at = WalMark.NONE;

    /** Where the generation before {@link #at}'s ended. A recovery falls back to it when a writer died on its first frame after a reset. */
    private WalMark previous = WalMark.NONE;

    WalTail(LiveDatabase database, int pageSize) throws IOException {
        this.wal = new WalFile(database);
        this.pageSize = pageSize;
        this.frameSize = WalFormat.FRAME_HEADER_SIZE + pageSize;
    }

    /** Whether other programs find this WAL at its path, too. */
    boolean isInPlace() {
        return wal.isInPlace();
    }

    /** Declares that everything up to {@code mark} was captured. */
    void startAt(WalMark mark) {
        at = mark;
    }

    /** The end of the last transaction captured. */
    WalMark at() {
        return at;
    }

    /** Whether everything that {@code end} names was captured. */
    boolean reached(WalIndexHeader end) {
        return end.salts() == at.salts() && end.maxFrame() == at.frame();
    }

    /**
     * Transcribes all frames up to {@code end}.
     *
     * @return whether it could; false means the WAL does not continue what was captured before, and frames may have been missed
     */
    boolean follow(WalIndexHeader end, Transcriber transcriber) throws IOException {
        if (end.salts() == previous.salts() && end.salts() != at.salts() && end.maxFrame() >= previous.frame()) {
            at = previous;
        }
        if (end.salts() != at.salts() || at.frame() == 0) {
            enterGeneration(end);
        }
        if (end.maxFrame() < at.frame()) {
            return false;
        }
        ByteBuffer buffer = BUFFER.get();
        long checksum = at.checksum();
        int frame = at.frame();
        while (frame < end.maxFrame()) {
            int count = Math.min(end.maxFrame() - frame, buffer.capacity() / frameSize);
            wal.readFrames(frame + 1, count, pageSize, buffer);
            checksum = transcriber.transcribe(buffer, frame + 1, end.salts(), checksum, end.bigEndian());
            frame += count;
        }
        if (frame > at.frame() && transcriber.endedWithoutChecksum()) {
            checksum = end.frameChecksum();
        }
        at = new WalMark(end.salts(), frame, checksum);
        return frame == 0 || checksum == end.frameChecksum();
    }

    /** Stands before the first frame of the generation that {@code end} names. */
    private void enterGeneration(WalIndexHeader end) throws IOException {
        if (end.salts() != at.salts()) {
            previous = at;
        }
        // While the WAL is empty its header may not be written yet; the seed is read once there are frames.
        long seed = end.maxFrame() == 0 ? 0 : wal.header().checksum();
        at = new WalMark(end.salts(), 0, seed);
    }

    /** Whether the WAL, whose committed end is {@code end}, still holds what ended at {@code mark}, so that capture can go on there. */
    boolean holds(WalMark mark, WalIndexHeader end) throws IOException {
        if (mark.frame() == 0 || end.salts() != mark.salts() || end.maxFrame() < mark.frame()) {
            return false;
        }
        ByteBuffer buffer = BUFFER.get();
        wal.readFrames(mark.frame(), 1, pageSize, buffer);
        return buffer.getLong(8) == mark.salts() && Transcriber.storedChecksum(buffer, 0) == mark.checksum();
    }

    @Override
    public void close() throws IOException {
        wal.close();
    }
}
