package dev.lockstep.stream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lockstep.DivergedException;
import dev.lockstep.RefusedException;
import dev.lockstep.log.CommitRecord;
import dev.lockstep.log.FrameLog;
import dev.lockstep.log.Seal;
import dev.lockstep.stream.ToReplica.Frames;
import dev.lockstep.stream.ToReplica.SnapshotPages;
import dev.lockstep.verify.TestHistory;
import java.io.IOException;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Sessions over a way that flips, drops, repeats, reorders and replays messages and cuts connections, by seed. The target itself
 * fails the test when readers would see anything but committed states in order (G1, G2).
 */
class FaultTest {

    private static final int PAGE = 512;
    private static final int FRAME = PAGE + 24;
    private static final SenderOptions SMALL = SenderOptions.defaults().withWindow(10 * FRAME, 60 * FRAME);
    private static final int SEEDS = 60;

    @TempDir
    Path directory;

    /** The connection is gone. */
    private static final class Cut extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    @Test
    void whateverTheWayDoesReadersSeeCommittedStatesInOrderAndInTheEndTheNewest() throws IOException {
        int refused = 0;
        for (int seed = 0; seed < SEEDS; seed++) {
            refused += run(seed);
        }
        assertThat(refused).as("faults that were refused, over all seeds").isGreaterThan(SEEDS);
    }

    private int run(int seed) throws IOException {
        Random random = new Random(seed);
        int refused = 0;
        MemoryTarget target = new MemoryTarget(directory);
        try (HistoryOrigin origin = new HistoryOrigin("app", directory.resolve("log" + seed), PAGE, seed)) {
            BadWay way = new BadWay(random);
            for (int round = 0; round < 8; round++) {
                origin.commit(random.nextInt(12), 12);
                refused += session(origin, target, way) ? 1 : 0;
                if (random.nextInt(3) == 0 && target.visible() != null) {
                    target.makeDurable();
                }
            }
            try (Pair pair = new Pair(origin, target, SMALL)) {
                pair.run();
            }
            assertThat(target.visible())
                    .as("seed %d", seed)
                    .isEqualTo(TestHistory.withoutMark(origin.log().head()));
            assertThat(TestHistory.state(target.pages()))
                    .as("seed %d", seed)
                    .isEqualTo(TestHistory.state(origin.history().pages()));
        } catch (IOException | RuntimeException | AssertionError e) {
            throw new AssertionError("seed " + seed, e);
        }
        return refused;
    }

    /** Whether it was refused. */
    private static boolean session(HistoryOrigin origin, MemoryTarget target, Pair.Way way) throws IOException {
        try (Pair pair = new Pair(origin, target, SMALL)) {
            pair.through(way).run();
            pair.pass(SMALL.heartbeat().plusMillis(1));
            pair.run();
            return false;
        } catch (RefusedException | DivergedException e) {
            return true;
        } catch (Cut | ProtocolException e) { // the latter: more acknowledged than sent, because of a replay
            return false;
        }
    }

    /** Lets most messages pass. */
    private static final class BadWay implements Pair.Way {

        private final Random random;
        private final ArrayDeque<ToReplica> past = new ArrayDeque<>();
        private final ArrayDeque<ToReplica> late = new ArrayDeque<>();

        BadWay(Random random) {
            this.random = random;
        }

        @Override
        public List<ToReplica> travel(ToReplica message) {
            past.addLast(copy(message));
            if (past.size() > 50) {
                past.removeFirst();
            }
            List<ToReplica> arriving = new ArrayList<>();
            switch (random.nextInt(40)) {
                case 0 -> arriving.add(flipped(message));
                case 1 -> {} // dropped
                case 2 -> {
                    arriving.add(copy(message));
                    arriving.add(message);
                }
                case 3 -> late.add(message); // overtaken by the next one
                case 4 -> {
                    arriving.add(copy(past.stream()
                            .skip(random.nextInt(past.size()))
                            .findFirst()
                            .orElseThrow()));
                    arriving.add(message);
                }
                case 5 -> throw new Cut();
                default -> arriving.add(message);
            }
            if (!arriving.isEmpty() && !late.isEmpty()) {
                arriving.addAll(late);
                late.clear();
            }
            return arriving;
        }

        private static ToReplica copy(ToReplica message) {
            if (message instanceof Frames frames) {
                return new Frames(copy(frames.frames()), frames.commits(), frames.head());
            }
            return message instanceof SnapshotPages pages ? new SnapshotPages(copy(pages.pages())) : message;
        }

        private static ByteBuffer copy(ByteBuffer bytes) {
            return TestHistory.copyOf(bytes, 0, bytes.limit());
        }

        private ToReplica flipped(ToReplica message) {
            if (message instanceof Frames frames) {
                boolean record = !frames.commits().isEmpty() && random.nextInt(3) == 0;
                return record
                        ? new Frames(frames.frames(), flipped(frames.commits()), frames.head())
                        : new Frames(flipped(frames.frames()), frames.commits(), frames.head());
            }
            return message instanceof SnapshotPages pages ? new SnapshotPages(flipped(pages.pages())) : message;
        }

        private ByteBuffer flipped(ByteBuffer bytes) {
            int bit = random.nextInt(bytes.limit() * 8);
            return bytes.put(bit / 8, (byte) (bytes.get(bit / 8) ^ (1 << bit % 8)));
        }

        private List<CommitRecord> flipped(List<CommitRecord> commits) {
            List<CommitRecord> changed = new ArrayList<>(commits);
            int at = random.nextInt(commits.size());
            CommitRecord c = commits.get(at);
            long bit = 1L << random.nextInt(63);
            changed.set(
                    at,
                    switch (random.nextInt(5)) {
                        case 0 ->
                            new CommitRecord(
                                    c.frameNo() ^ bit,
                                    c.checksum(),
                                    c.sizeAfter(),
                                    c.timeMillis(),
                                    c.stateChecksum(),
                                    c.wal(),
                                    c.seal());
                        case 1 ->
                            new CommitRecord(
                                    c.frameNo(),
                                    c.checksum() ^ bit,
                                    c.sizeAfter(),
                                    c.timeMillis(),
                                    c.stateChecksum(),
                                    c.wal(),
                                    c.seal());
                        case 2 ->
                            new CommitRecord(
                                    c.frameNo(),
                                    c.checksum(),
                                    c.sizeAfter(),
                                    c.timeMillis() ^ bit,
                                    c.stateChecksum(),
                                    c.wal(),
                                    c.seal());
                        case 3 ->
                            new CommitRecord(
                                    c.frameNo(),
                                    c.checksum(),
                                    c.sizeAfter(),
                                    c.timeMillis(),
                                    c.stateChecksum() ^ bit,
                                    c.wal(),
                                    c.seal());
                        default ->
                            new CommitRecord(
                                    c.frameNo(),
                                    c.checksum(),
                                    c.sizeAfter(),
                                    c.timeMillis(),
                                    c.stateChecksum(),
                                    c.wal(),
                                    new Seal(
                                            c.seal().word0() ^ bit,
                                            c.seal().word1(),
                                            c.seal().word2(),
                                            c.seal().word3()));
                    });
            return changed;
        }
    }

    /** The same primary address with an older copy behind it: what a restored backup looks like. */
    @Test
    void primaryThatWasReplacedByAnOlderCopyIsNeverFollowed() throws IOException {
        for (int seed = 0; seed < 20; seed++) {
            TestHistory history = TestHistory.empty(PAGE, seed);
            MemoryTarget target = new MemoryTarget(directory);
            CommitRecord before;
            try (HistoryOrigin origin =
                    new HistoryOrigin("app", directory.resolve("first" + seed), history, FrameLog.Options.defaults())) {
                origin.commit(10, 5);
                try (Pair pair = new Pair(origin, target, SMALL)) {
                    pair.run();
                }
                before = Objects.requireNonNull(target.visible());
            }
            // the same log_id, and another history that is longer than ours
            TestHistory other = new TestHistory(history.start(), seed + 1000);
            try (HistoryOrigin origin =
                    new HistoryOrigin("app", directory.resolve("second" + seed), other, FrameLog.Options.defaults())) {
                origin.commit(30, 5);
                assertThat(session(origin, target, List::of))
                        .as("seed %d", seed)
                        .isTrue();
            }
            assertThat(target.visible()).isEqualTo(before);
        }
    }
}
