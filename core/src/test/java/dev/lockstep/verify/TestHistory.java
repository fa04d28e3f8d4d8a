package dev.lockstep.verify;

import dev.lockstep.log.CommitRecord;
import dev.lockstep.log.Crc64;
import dev.lockstep.log.FrameLayout;
import dev.lockstep.log.LogStart;
import dev.lockstep.log.PageChain;
import dev.lockstep.log.SealHasher;
import dev.lockstep.log.WalMark;
import dev.lockstep.pages.StateChecksum;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
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

    private static final int MOST_PAGES = 300;

    private final LogStart start;
    private final Random random;
    private final PageChain chain;
    private final SealHasher hasher = new SealHasher();
    private final TreeMap<Integer, byte[]> pages = new TreeMap<>();
    private CommitRecord head;

    /** The history begins with an empty database. */
    public TestHistory(LogStart start, long seed) {
        this.start = start;
        this.random = new Random(seed);
        this.chain = PageChain.of(start.pageSize());
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

    /** The database after the last transaction: page number to page, without gaps from 1. */
    public SortedMap<Integer, byte[]> pages() {
        return Collections.unmodifiableSortedMap(pages);
    }

    /** The next transaction, of that many frames on random pages; now and then the database shrinks. */
    public Transaction next(int frameCount) {
        ByteBuffer frames = ByteBuffer.allocate(frameCount * frameSize()).order(ByteOrder.LITTLE_ENDIAN);
        long checksum = head.checksum();
        for (int i = 0; i < frameCount; i++) {
            int at = i * frameSize();
            boolean grows = pages.size() < MOST_PAGES && random.nextInt(4) == 0;
            int pageNo = grows || pages.isEmpty() ? pages.size() + 1 : 1 + random.nextInt(pages.size());
            byte[] page = new byte[start.pageSize()];
            random.nextBytes(page);
            pages.put(pageNo, page);
            frames.put(at + FrameLayout.HEADER, page);
            checksum = chain.next(checksum, frames, at + FrameLayout.HEADER);
            FrameLayout.putHeader(frames, at, head.frameNo() + 1 + i, checksum, pageNo, 0);
        }
        int sizeAfter = random.nextInt(30) == 0 ? 1 + random.nextInt(pages.size()) : pages.size();
        pages.tailMap(sizeAfter + 1).clear();
        return end(frames, checksum, sizeAfter);
    }

    /** A transaction of one frame, with a page number and a size that leave pages out, as no program makes it. */
    public Transaction jump(int pageNo, int sizeAfter) {
        ByteBuffer frame = ByteBuffer.allocate(frameSize()).order(ByteOrder.LITTLE_ENDIAN);
        long checksum = chain.next(head.checksum(), frame, FrameLayout.HEADER);
        FrameLayout.putHeader(frame, 0, head.frameNo() + 1, checksum, pageNo, 0);
        return end(frame, checksum, sizeAfter);
    }

    private Transaction end(ByteBuffer frames, long checksum, int sizeAfter) {
        int frameCount = frames.limit() / frameSize();
        FrameLayout.putSizeAfter(frames, (frameCount - 1) * frameSize(), sizeAfter);
        long time = Math.max(head.timeMillis() + 1, System.currentTimeMillis());
        long state = state(pages);
        hasher.begin(head.seal());
        hasher.update(frames.duplicate());
        WalMark mark = new WalMark(random.nextLong(), 1 + random.nextInt(1000), random.nextLong());
        head = new CommitRecord(
                head.frameNo() + frameCount, checksum, sizeAfter, time, state, mark, hasher.finish(time, state));
        return new Transaction(frames, head);
    }

    /** The state checksum of a database. */
    public static long state(Map<Integer, byte[]> pages) {
        long state = 0;
        for (Map.Entry<Integer, byte[]> page : pages.entrySet()) {
            byte[] bytes = page.getValue();
            state ^= StateChecksum.mix(page.getKey(), Crc64.of(ByteBuffer.wrap(bytes), 0, bytes.length));
        }
        return state;
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

    public static ByteBuffer copyOf(ByteBuffer source, int from, int length) {
        ByteBuffer copy = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        copy.put(source.slice(from, length));
        return copy.flip();
    }
}
