package dev.lockstep.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Reads frames in bulk and checks each one where it stands ({@link FrameCheck}).
 *
 * <p>Not thread-safe: it owns the buffer that visitors see.
 */
final class FrameWalk {

    /** Small enough to stay in a second-level cache between the copy from the page cache and the checks. */
    private static final int BUFFER = 256 * 1024;

    private final FrameCheck check;
    private final ByteBuffer buf;
    private final int frameSize;
    private final LongConsumer read;

    /** @param read told how many bytes were read each time */
    FrameWalk(int pageSize, LongConsumer read) {
        this.read = read;
        this.check = new FrameCheck(pageSize);
        this.frameSize = FrameLayout.frameSize(pageSize);
        this.buf = ByteBuffer.allocateDirect(BUFFER / frameSize * frameSize).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** A fault and the frame it was found in. */
    record Located(long frameNo, FrameFault fault) {}

    /** Sees each frame after it was found right by itself. */
    interface Visitor {

        /** The frame at the offset. Returns a fault or null. */
        @Nullable
        FrameFault frame(ByteBuffer buf, int frame, long frameNo);

        /** The buffer, from 0 to its limit, is about to be filled with what follows. */
        default void bufferDone(ByteBuffer buf) {}
    }

    /** The first fault among the frames [from, to], given the checksum before them, or null. */
    @Nullable
    Located check(FrameFile file, long from, long to, long previousChecksum, Visitor visitor) throws IOException {
        long checksum = previousChecksum;
        for (long frameNo = from; frameNo <= to; ) {
            int count = (int) Math.min(buf.capacity() / frameSize, to + 1 - frameNo);
            file.read(buf.clear(), frameNo, count);
            buf.flip();
            read.accept(buf.limit());
            for (int at = 0; at < buf.limit(); at += frameSize, frameNo++) {
                FrameFault fault = check.check(buf, at, frameNo, checksum);
                if (fault == null) {
                    fault = visitor.frame(buf, at, frameNo);
                }
                if (fault != null) {
                    return new Located(frameNo, fault);
                }
                checksum = FrameLayout.checksum(buf, at);
            }
            visitor.bufferDone(buf);
        }
        return null;
    }
}
