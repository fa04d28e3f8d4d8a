package dev.lockstep.verify;

import dev.lockstep.log.CommitRecord;
import dev.lockstep.log.FrameLayout;
import dev.lockstep.log.LogStart;
import dev.lockstep.log.PageChain;
import dev.lockstep.log.SealHasher;
import dev.lockstep.log.WalMark;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;

/** Makes a history of random transactions, written out here independently of the code under test. Seeded; not thread-safe. */
public final class TestHistory {

    /** @param frames little-endian, from 0 to its limit; each call of {@link #copy} gives fresh bytes */
    public record Transaction(ByteBuffer frames, CommitRecord commit) {

        public ByteBuffer copy() {
            return copyOf(frames, 0, frames.limit());
        }
    }

    /** Frames and commit records as one message of a sender holds them. */
    public record Delivery(ByteBuffer frames, List<CommitRecord> commits) {}

    private final LogStart start;
    private final Random random;
    private final PageChain chain;
    private final SealHasher hasher = new SealHasher();
    private CommitRecord head;

    public TestHistory(LogStart start, long seed) {
        this.start = start;
        this.random = new Random(seed);
        this.chain = new PageChain(start.pageSize());
        this.head = CommitRecord.before(start);
    }

    public static TestHistory empty(int pageSize, long seed) {
        Random ids = new Random(seed);
        return new TestHistory(
                new LogStart(new UUID(ids.nextLong(), ids.nextLong()), pageSize, 0, 0, 0, 0), ids.nextLong());
    }

    public LogStart start() {
        return start;
    }

    public int pageSize() {
        return start.pageSize();
    }

    public int frameSize() {
        return FrameLayout.frameSize(start.pageSize());
    }

    public CommitRecord head() {
        return head;
    }

    /** The next transaction, of that many frames on random pages. */
    public Transaction next(int frameCount) {
        ByteBuffer frames = ByteBuffer.allocate(frameCount * frameSize()).order(ByteOrder.LITTLE_ENDIAN);
        byte[] page = new byte[start.pageSize()];
        long checksum = head.checksum();
        int sizeAfter = 1 + random.nextInt(1000);
        for (int i = 0; i < frameCount; i++) {
            int at = i * frameSize();
            random.nextBytes(page);
            frames.put(at + FrameLayout.HEADER, page);
            checksum = chain.next(checksum, frames, at + FrameLayout.HEADER);
            int size = i == frameCount - 1 ? sizeAfter : 0;
            FrameLayout.putHeader(frames, at, head.frameNo() + 1 + i, checksum, 1 + random.nextInt(1000), size);
        }
        long time = head.timeMillis() + 1 + random.nextInt(1000);
        long state = random.nextLong();
        hasher.begin(head.seal());
        hasher.update(frames.duplicate());
        WalMark mark = new WalMark(random.nextLong(), 1 + random.nextInt(1000), random.nextLong());
        head = new CommitRecord(
                head.frameNo() + frameCount, checksum, sizeAfter, time, state, mark, hasher.finish(time, state));
        return new Transaction(frames, head);
    }

    /** Transactions of 1 to {@code maxFrames} frames. */
    public List<Transaction> next(int count, int maxFrames) {
        List<Transaction> made = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            made.add(next(1 + random.nextInt(maxFrames)));
        }
        return made;
    }

    /** All of the transactions in one message. */
    public static Delivery together(List<Transaction> transactions) {
        int size = transactions.stream().mapToInt(t -> t.frames().limit()).sum();
        ByteBuffer all = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
        transactions.forEach(t -> all.put(t.copy()));
        return new Delivery(
                all.flip(), transactions.stream().map(Transaction::commit).toList());
    }

    /** The same bytes cut into messages of at most that many frames. */
    public static List<Delivery> cut(Delivery whole, int frameSize, int framesPerMessage) {
        List<Delivery> parts = new ArrayList<>();
        int step = frameSize * framesPerMessage;
        for (int at = 0; at < whole.frames().limit(); at += step) {
            ByteBuffer part =
                    copyOf(whole.frames(), at, Math.min(step, whole.frames().limit() - at));
            long first = FrameLayout.frameNo(part, 0);
            long end = first + part.limit() / frameSize;
            parts.add(new Delivery(
                    part,
                    whole.commits().stream()
                            .filter(c -> c.frameNo() >= first && c.frameNo() < end)
                            .toList()));
        }
        return parts;
    }

    /** The record as a replica knows it. */
    public static CommitRecord withoutMark(CommitRecord c) {
        return new CommitRecord(
                c.frameNo(), c.checksum(), c.sizeAfter(), c.timeMillis(), c.stateChecksum(), WalMark.NONE, c.seal());
    }

    static ByteBuffer copyOf(ByteBuffer source, int from, int length) {
        ByteBuffer copy = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        copy.put(source.slice(from, length));
        return copy.flip();
    }
}
