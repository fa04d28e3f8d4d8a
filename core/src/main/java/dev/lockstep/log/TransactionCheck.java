package dev.lockstep.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Checks stored transactions against their commit records: each frame ({@link FrameCheck}), that transactions end where their records
 * say, and their seals.
 *
 * <p>Not thread-safe.
 */
final class TransactionCheck implements FrameWalk.Visitor {

    private final FrameWalk walk;
    private final int frameSize;
    private final boolean seals;
    private final SealHasher hasher = new SealHasher();

    private List<CommitRecord> commits = List.of();

    /** How many of the commits were found right. */
    private int sound;

    /** The offset in the walk's buffer up to which the transaction was hashed. */
    private int hashed;

    /** @param read told how many bytes were read each time */
    TransactionCheck(int pageSize, boolean seals, LongConsumer read) {
        this.walk = new FrameWalk(pageSize, read);
        this.frameSize = FrameLayout.frameSize(pageSize);
        this.seals = seals;
    }

    /** The first fault of the transactions with these records, which follow the previous one, or null. */
    FrameWalk.@Nullable Located check(FrameFile file, CommitRecord previous, List<CommitRecord> following)
            throws IOException {
        commits = following;
        sound = 0;
        hashed = 0;
        hasher.begin(previous.seal());
        long last = following.get(following.size() - 1).frameNo();
        return walk.check(file, previous.frameNo() + 1, last, previous.checksum(), this);
    }

    /** How many transactions were found right before the fault. */
    int sound() {
        return sound;
    }

    @Override
    public @Nullable FrameFault frame(ByteBuffer buf, int frame, long frameNo) {
        CommitRecord commit = commits.get(sound);
        if (frameNo < commit.frameNo()) {
            return FrameCheck.checkEnd(buf, frame, null);
        }
        FrameFault fault = FrameCheck.checkEnd(buf, frame, commit);
        if (fault == null && seals) {
            hash(buf, frame + frameSize);
            fault = checkSeal(commit);
        }
        if (fault == null) {
            sound++;
        }
        return fault;
    }

    @Override
    public void bufferDone(ByteBuffer buf) {
        if (seals) {
            hash(buf, buf.limit());
            hashed = 0;
        }
    }

    private void hash(ByteBuffer buf, int end) {
        hasher.update(buf.slice(hashed, end - hashed));
        hashed = end;
    }

    private @Nullable FrameFault checkSeal(CommitRecord commit) {
        Seal seal = hasher.finish(commit.timeMillis(), commit.stateChecksum());
        hasher.begin(seal);
        return seal.equals(commit.seal())
                ? null
                : new FrameFault("seal", commit.seal().toString(), seal.toString());
    }
}
