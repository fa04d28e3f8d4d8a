package dev.lockstep.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A file of frames without a commit index. */
final class FramePieces implements Pieces {

    private final PlainLog source;
    private final FrameFile frames;
    private long next;

    /** The last commit frame found by any piece. Guarded by this object's lock. */
    private long lastCommit;

    FramePieces(PlainLog source) {
        this.source = source;
        this.frames = source.frames();
        this.next = frames.firstFrameNo();
        this.lastCommit = next - 1;
    }

    @Override
    public @Nullable Piece next() {
        if (next == source.end()) {
            return null;
        }
        long from = next;
        next = Math.min(source.end(), from + Math.max(1, Piece.BYTES / frames.frameSize()));
        long to = next - 1;
        return worker -> verify(worker, from, to);
    }

    private Piece.Tally verify(VerifyWorker worker, long from, long to) throws IOException {
        CommitFrames commits = new CommitFrames();
        FrameWalk.Located located = worker.walk.check(frames, from, to, frames.checksumAt(from - 1), commits);
        long sound = (located == null ? to + 1 : located.frameNo()) - from;
        synchronized (this) {
            lastCommit = Math.max(lastCommit, commits.last);
        }
        return new Piece.Tally(
                sound * frames.frameSize(),
                sound,
                commits.count,
                commits.last,
                -1,
                -1,
                located == null ? null : LogVerifier.Fault.of(located, frames));
    }

    private static final class CommitFrames implements FrameWalk.Visitor {
        int count;
        long last = -1;

        @Override
        public @Nullable FrameFault frame(ByteBuffer buf, int frame, long frameNo) {
            if (FrameLayout.sizeAfter(buf, frame) != 0) {
                count++;
                last = frameNo;
            }
            return null;
        }
    }

    @Override
    public long bytes() {
        return (source.end() - frames.firstFrameNo()) * frames.frameSize();
    }

    @Override
    public synchronized Facts facts() {
        List<String> notes = new ArrayList<>(source.notes());
        notes.add("no commit index: frame headers, times and seals are not covered");
        if (lastCommit < source.end() - 1) {
            notes.add((source.end() - 1 - lastCommit) + " frames follow the last commit frame");
        }
        return new Facts(source.logId(), frames.pageSize(), 1, frames.firstFrameNo() - 1, false, Long.MAX_VALUE, notes);
    }

    @Override
    public void close() throws IOException {
        source.close();
    }
}
