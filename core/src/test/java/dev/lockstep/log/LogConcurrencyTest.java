package dev.lockstep.log;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lockstep.io.Storage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One appender, several who sync, several who read, retention at work: nobody sees anything but the history in its order. */
class LogConcurrencyTest {

    private final long seed = System.nanoTime();
    private final Random random = new Random(seed);
    private final History history = new History(random, 512);
    private final ExecutorService threads = Executors.newCachedThreadPool();

    @TempDir
    Path directory;

    @AfterEach
    void stop() {
        threads.shutdownNow();
    }

    @Test
    void readersFollowAnAppenderThroughRotationSyncsAndRetention() throws Exception {
        FrameLog.Options options = new FrameLog.Options(40_000, 0, Duration.ofDays(100_000));
        List<History.Batch> batches = new ArrayList<>();
        for (int i = 0; i < 400; i++) {
            batches.add(history.batch(random.nextInt(4), 6, random.nextInt(3)));
        }
        batches.add(history.transactions(1, 3));
        long end = history.head().frameNo();
        Storage storage = Storage.directory(directory);
        try (FrameLog log = FrameLog.create(storage, history.start, options)) {
            List<Future<?>> done = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                done.add(threads.submit(() -> follow(log, end, true)));
                done.add(threads.submit(() -> follow(log, end, false)));
                done.add(threads.submit(() -> syncUntil(log, end)));
            }
            for (History.Batch batch : batches) {
                batch.appendTo(log);
            }
            for (Future<?> future : done) {
                future.get(60, TimeUnit.SECONDS);
            }
            log.prune();
            assertThat(log.start().startFrameNo()).isGreaterThan(history.start.startFrameNo());
        }
        LogFiles.assertSound(storage);
    }

    private Object syncUntil(FrameLog log, long end) throws IOException {
        long last = -1;
        while (last < end) {
            long wanted = log.head().frameNo();
            long durable = log.sync().frameNo();
            assertThat(durable).as("seed %d", seed).isGreaterThanOrEqualTo(Math.max(wanted, last));
            assertThat(log.durable().frameNo()).isGreaterThanOrEqualTo(durable);
            last = durable;
        }
        return last;
    }

    private Object follow(FrameLog log, long end, boolean durable) throws Exception {
        List<CommitRecord> commits = new ArrayList<>();
        SealHasher hasher = new SealHasher();
        hasher.begin(CommitRecord.before(history.start).seal());
        ByteBuffer buf = ByteBuffer.allocateDirect(11 * history.frameSize).order(ByteOrder.LITTLE_ENDIAN);
        long frameNo = history.start.startFrameNo() - 1;
        try (FrameLog.Hold hold = log.hold(frameNo);
                LogReader reader = log.reader(frameNo)) {
            while (frameNo < end) {
                assertThat(log.await(frameNo, durable, TimeUnit.SECONDS.toNanos(30)))
                        .as("seed %d", seed)
                        .isTrue();
                long upTo = (durable ? log.durable() : log.head()).frameNo();
                int known = commits.size();
                int count = reader.read(buf.clear(), commits, upTo);
                seal(hasher, buf.flip(), frameNo + 1, commits.subList(known, commits.size()));
                frameNo += count;
                assertThat(frameNo).isLessThanOrEqualTo(upTo);
                hold.moveTo(frameNo);
                assertThat(log.commitAt(upTo)).isNotNull();
            }
        }
        assertThat(commits)
                .as("seed %d", seed)
                .isEqualTo(history.commits().subList(1, history.commits().size()));
        return commits;
    }

    /** Each transaction's seal, computed from what was read, must be that of its record. */
    private void seal(SealHasher hasher, ByteBuffer buf, long firstNo, List<CommitRecord> commits) {
        int limit = buf.limit();
        for (CommitRecord commit : commits) {
            hasher.update(buf.limit((int) (commit.frameNo() + 1 - firstNo) * history.frameSize));
            assertThat(hasher.finish(commit.timeMillis(), commit.stateChecksum()))
                    .isEqualTo(commit.seal());
            hasher.begin(commit.seal());
        }
        hasher.update(buf.limit(limit));
    }
}
