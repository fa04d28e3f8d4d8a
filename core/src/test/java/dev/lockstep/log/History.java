package dev.lockstep.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;

/**
 * Random transactions that continue one another, and the memory of them: what a log must give back. The seals are computed
 * here from the definition, not by the code under test.
 */
final class History {

    final LogStart start;
    final int frameSize;
    private final Random random;
    private final PageChain chain;

    /** The frames of all transactions, committed or not, in order; the last ones may be of an unfinished transaction. */
    private final List<byte[]> frames = new ArrayList<>();

    /** The base, then one per transaction. */
    private final List<CommitRecord> commits = new ArrayList<>();

    History(Random random, int pageSize) {
        this.random = random;
        this.start = new LogStart(
                new UUID(random.nextLong(), random.nextLong()),
                pageSize,
                random.nextInt(3) * 17L,
                random.nextLong(),
                random.nextLong(),
                random.nextInt(100));
        this.frameSize = FrameLayout.frameSize(pageSize);
        this.chain = PageChain.of(pageSize);
        commits.add(CommitRecord.before(start));
    }

    /** Frames and commits for one append. */
    record Batch(ByteBuffer frames, List<Commit> commits) {

        void appendTo(FrameLog log) throws IOException {
            appendTo(log, frames, commits);
        }

        static void appendTo(FrameLog log, ByteBuffer frames, List<Commit> commits) throws IOException {
            PageCrcs crcs = new PageCrcs(log.start().pageSize());
            int frameSize = FrameLayout.frameSize(log.start().pageSize());
            for (int at = frames.position(); at + frameSize <= frames.limit(); at += frameSize) {
                crcs.add(frames, at);
            }
            log.append(frames, crcs, commits);
        }
    }

    CommitRecord head() {
        return commits.get(commits.size() - 1);
    }

    int transactions() {
        return commits.size() - 1;
    }

    List<CommitRecord> commits() {
        return commits;
    }

    boolean inTransaction() {
        return nextFrameNo() - 1 > head().frameNo();
    }

    private long nextFrameNo() {
        return start.startFrameNo() + frames.size();
    }

    /** Continues with some whole transactions. */
    Batch transactions(int count, int maxFrames) {
        return batch(count, maxFrames, 0);
    }

    /** Continues with some whole transactions and frames of an unfinished one. */
    Batch batch(int count, int maxFrames, int unfinished) {
        List<Commit> ends = new ArrayList<>();
        int from = frames.size();
        int margin = random.nextInt(20); // so that a buffer's position is not always 0
        for (int i = 0; i < count; i++) {
            int length = 1 + random.nextInt(maxFrames);
            for (int k = 0; k < length; k++) {
                addFrame(k == length - 1 ? 1 + random.nextInt(1000) : 0);
            }
            ends.add(commit(margin + (frames.size() - from) * frameSize));
        }
        for (int i = 0; i < unfinished; i++) {
            addFrame(0);
        }
        int size = (frames.size() - from) * frameSize;
        ByteBuffer buf =
                random.nextBoolean() ? ByteBuffer.allocateDirect(margin + size) : ByteBuffer.allocate(margin + size);
        buf.order(ByteOrder.LITTLE_ENDIAN).position(margin);
        frames.subList(from, frames.size()).forEach(buf::put);
        return new Batch(buf.flip().position(margin), ends);
    }

    private void addFrame(int sizeAfter) {
        ByteBuffer frame = ByteBuffer.allocate(frameSize).order(ByteOrder.LITTLE_ENDIAN);
        byte[] page = new byte[start.pageSize()];
        if (random.nextInt(8) > 0) { // some pages are all zeros, as torn sectors are
            random.nextBytes(page);
        }
        long previous =
                frames.isEmpty() ? start.startChecksum() : FrameLayout.checksum(wrap(frames.get(frames.size() - 1)), 0);
        frame.put(FrameLayout.HEADER, page);
        long checksum = chain.next(previous, frame, FrameLayout.HEADER);
        FrameLayout.putHeader(frame, 0, nextFrameNo(), checksum, 1 + random.nextInt(1000), sizeAfter);
        frames.add(frame.array());
    }

    private static ByteBuffer wrap(byte[] frame) {
        return ByteBuffer.wrap(frame).order(ByteOrder.LITTLE_ENDIAN);
    }

    private Commit commit(int end) {
        WalMark wal = new WalMark(random.nextLong(), random.nextInt(1 << 20), random.nextLong());
        Commit commit = new Commit(end, 1_700_000_000_000L + random.nextInt(), random.nextLong(), wal);
        var digest = Seal.sha256();
        digest.update(head().seal().toBytes());
        int from = (int) (head().frameNo() + 1 - start.startFrameNo());
        frames.subList(from, frames.size()).forEach(digest::update);
        digest.update(ByteBuffer.allocate(16)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(commit.timeMillis())
                .putLong(commit.stateChecksum())
                .flip());
        ByteBuffer last = wrap(frames.get(frames.size() - 1));
        commits.add(new CommitRecord(
                FrameLayout.frameNo(last, 0),
                FrameLayout.checksum(last, 0),
                FrameLayout.sizeAfter(last, 0),
                commit.timeMillis(),
                commit.stateChecksum(),
                wal,
                Seal.of(digest.digest())));
        return commit;
    }

    /** Forgets everything after the transaction that ends with the frame, one that must exist. */
    void cutAfter(long frameNo) {
        assertThat(commits).extracting(CommitRecord::frameNo).contains(frameNo);
        commits.removeIf(commit -> commit.frameNo() > frameNo);
        frames.subList((int) (frameNo + 1 - start.startFrameNo()), frames.size())
                .clear();
    }

    /** Reads from a random commit that the log still has. */
    void assertReadable(FrameLog log) throws IOException {
        List<CommitRecord> kept = commits.stream()
                .filter(commit -> commit.frameNo() >= log.start().startFrameNo() - 1)
                .toList();
        assertSameAs(log, kept.get(random.nextInt(kept.size())).frameNo(), "in life");
    }

    /** Reads the log from the frame on to its head and compares everything; both must have the same head. */
    void assertSameAs(FrameLog log, long afterFrameNo, String description) throws IOException {
        assertThat(log.head()).as(description).isEqualTo(head());
        List<CommitRecord> found = new ArrayList<>();
        long frameNo = afterFrameNo;
        try (LogReader reader = log.reader(afterFrameNo)) {
            int capacity = frameSize * (1 + random.nextInt(10)) + random.nextInt(frameSize);
            ByteBuffer buf = ByteBuffer.allocate(capacity).order(ByteOrder.LITTLE_ENDIAN);
            for (int count; (count = reader.read(buf.clear(), found, Long.MAX_VALUE)) > 0; ) {
                assertThat(buf.flip().remaining()).as(description).isEqualTo(count * frameSize);
                for (int i = 0; i < count; i++) {
                    frameNo++;
                    byte[] expected = frames.get((int) (frameNo - start.startFrameNo()));
                    assertThat(buf.slice(i * frameSize, frameSize))
                            .as("%s, frame %d", description, frameNo)
                            .isEqualTo(ByteBuffer.wrap(expected));
                }
            }
        }
        assertThat(frameNo).as(description).isEqualTo(head().frameNo());
        assertThat(found)
                .as(description)
                .isEqualTo(commits.stream()
                        .filter(commit -> commit.frameNo() > afterFrameNo)
                        .toList());
    }
}
