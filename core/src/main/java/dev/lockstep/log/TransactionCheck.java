package dev.lockstep.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * Checks a stored transaction against its commit record: its frames ({@link FrameCheck}) and its seal.
 *
 * <p>Not thread-safe.
 */
final class TransactionCheck {

    private static final int BUFFER = 1 << 20;

    private final FrameCheck check;
    private final SealHasher hasher = new SealHasher();
    private final ByteBuffer buf;
    private final int frameSize;

    TransactionCheck(int pageSize) {
        this.check = new FrameCheck(pageSize);
        this.frameSize = FrameLayout.frameSize(pageSize);
        this.buf = ByteBuffer.allocateDirect(BUFFER / frameSize * frameSize).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** A fault and the frame it was found in. */
    record Located(long frameNo, FrameFault fault) {}

    /** The first fault of the transaction that ends with {@code commit} and follows {@code previous}, or null. */
    @Nullable
    Located check(SegmentReader segment, CommitRecord previous, CommitRecord commit) throws IOException {
        long checksum = previous.checksum();
        hasher.begin(previous.seal());
        for (long frameNo = previous.frameNo() + 1; frameNo <= commit.frameNo(); ) {
            int count = (int) Math.min(buf.capacity() / frameSize, commit.frameNo() + 1 - frameNo);
            segment.readFrames(buf.clear(), frameNo, count);
            for (int at = 0; at < count * frameSize; at += frameSize, frameNo++) {
                FrameFault fault = check.check(buf, at, frameNo, checksum);
                if (fault == null) {
                    fault = FrameCheck.checkEnd(buf, at, frameNo == commit.frameNo() ? commit : null);
                }
                if (fault != null) {
                    return new Located(frameNo, fault);
                }
                checksum = FrameLayout.checksum(buf, at);
            }
            hasher.update(buf.flip());
        }
        Seal seal = hasher.finish(commit.timeMillis(), commit.stateChecksum());
        if (!seal.equals(commit.seal())) {
            return new Located(
                    commit.frameNo(), new FrameFault("seal", commit.seal().toString(), seal.toString()));
        }
        return null;
    }
}
