package dev.lockstep.bench;

import dev.lockstep.log.Commit;
import dev.lockstep.log.FrameLayout;
import dev.lockstep.log.FrameLog;
import dev.lockstep.log.LogStart;
import dev.lockstep.log.PageChain;
import dev.lockstep.log.PageCrcs;
import dev.lockstep.log.WalMark;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;

/** One buffer of frames with 4096-byte pages, given new headers again and again. */
final class LogFrames {

    private static final int PAGE = 4096;
    private static final int FRAME = FrameLayout.frameSize(PAGE);

    static final LogStart START = new LogStart(new UUID(1, 2), PAGE, 0, 0, 0, 0);

    private final PageChain chain = PageChain.of(PAGE);
    private final PageCrcs crcs = new PageCrcs(PAGE);
    private final ByteBuffer buffer;
    private final int framesPerTransaction;
    private List<Commit> commits = new ArrayList<>();
    private long frameNo;
    private long checksum;

    LogFrames(int bytes, int framesPerTransaction) {
        this.framesPerTransaction = framesPerTransaction;
        this.buffer = randomBytes(bytes / FRAME / framesPerTransaction * framesPerTransaction * FRAME);
    }

    static ByteBuffer randomBytes(int size) {
        ByteBuffer buf = ByteBuffer.allocateDirect(size).order(ByteOrder.LITTLE_ENDIAN);
        Random random = new Random(1);
        for (int i = 0; i + 8 <= size; i += 8) {
            buf.putLong(i, random.nextLong());
        }
        return buf;
    }

    /** Numbers and chains the frames as continuations of the former ones. */
    void next() {
        commits = new ArrayList<>();
        buffer.clear();
        crcs.clear();
        for (int at = 0; at < buffer.capacity(); at += FRAME) {
            checksum = chain.next(checksum, crcs.add(buffer, at));
            boolean last = at / FRAME % framesPerTransaction == framesPerTransaction - 1;
            FrameLayout.putHeader(buffer, at, frameNo++, checksum, 1 + at / FRAME, last ? 100_000 : 0);
            if (last) {
                commits.add(new Commit(at + FRAME, 1_700_000_000_000L, frameNo, WalMark.NONE));
            }
        }
    }

    /** Bytes of the frames. */
    int bytes() {
        return buffer.capacity();
    }

    void appendTo(FrameLog log) throws IOException {
        log.append(buffer, crcs, commits);
    }
}
