package dev.lockstep.server.libsql;

import com.google.protobuf.UnsafeByteOperations;
import dev.lockstep.log.CommitRecord;
import dev.lockstep.log.FrameLayout;
import dev.lockstep.log.LogReader;
import dev.lockstep.server.libsql.v1.WalLog.Frame;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.Consumer;

/** Frames of the log as libSQL's messages. */
final class FrameBatch {

    /** As sqld's: 4 MiB. */
    static final int FRAMES = 1024;

    private static final int FRAME_SIZE = FrameLayout.frameSize(LibsqlDatabase.PAGE_SIZE);

    private final ByteBuffer frames;
    private final List<CommitRecord> commits = new ArrayList<>();

    private FrameBatch(int capacity) {
        frames = ByteBuffer.allocate(capacity * FRAME_SIZE).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Reads the frames that come next, as many as {@code most} and those up to {@code last}. */
    static FrameBatch read(LogReader reader, int most, long last) throws IOException {
        FrameBatch batch = new FrameBatch((int) Math.min(most, last - reader.frameNo()));
        while (batch.frames.hasRemaining() && reader.read(batch.frames, batch.commits, last) > 0) {
            // a read ends with its segment
        }
        batch.frames.flip();
        return batch;
    }

    /**
     * Without the frames after the last commit frame. If there is none, a transaction is longer than the batch, and all are kept:
     * clients hold them back until they have the rest.
     */
    FrameBatch endingWithCommit() {
        if (!commits.isEmpty()) {
            long end = commits.get(commits.size() - 1).frameNo();
            frames.limit((int) (end - FrameLayout.frameNo(frames, 0) + 1) * FRAME_SIZE);
        }
        return this;
    }

    void forEach(Consumer<Frame> consumer) {
        Iterator<CommitRecord> next = commits.iterator();
        for (int at = 0; at < frames.limit(); at += FRAME_SIZE) {
            boolean commit = FrameLayout.sizeAfter(frames, at) != 0;
            consumer.accept(
                    message(frames.slice(at, FRAME_SIZE), commit ? next.next().timeMillis() : 0));
        }
    }

    /**
     * @param frame header and page; must not change any more
     * @param timeMillis when it was committed, 0 if that is not to be said
     */
    static Frame message(ByteBuffer frame, long timeMillis) {
        Frame.Builder message = Frame.newBuilder().setData(UnsafeByteOperations.unsafeWrap(frame));
        return timeMillis == 0
                ? message.build()
                : message.setTimestamp(timeMillis).build();
    }
}
