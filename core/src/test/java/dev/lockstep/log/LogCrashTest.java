package dev.lockstep.log;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lockstep.io.FaultyStorage;
import java.io.IOException;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Lives of a log that is killed, on a disk that loses power, also of what a killed process left there without a sync. After every crash: the log opens; its head is a transaction that
 * was committed, not older than the last that was durable; all up to it is there, byte for byte, with right seals. One life
 * is replayed with -Dlockstep.seed=N.
 */
class LogCrashTest {

    private static final int LIVES = Integer.getInteger("lockstep.lives", 250);

    @Test
    void noCrashLosesADurableTransactionOrLeavesATornOne() throws IOException {
        Long replayed = Long.getLong("lockstep.seed");
        long first = replayed != null ? replayed : System.nanoTime();
        for (long seed = first; seed < first + (replayed != null ? 1 : LIVES); seed++) {
            try {
                new Life(seed).live();
            } catch (Throwable e) {
                throw new AssertionError("life with seed " + seed, e);
            }
        }
    }

    private static final class Life {

        private final Random random;
        private final FaultyStorage storage;

        /** A new one each time that there is no log, as a database that went on without one would begin at another frame. */
        private History history;

        private final FrameLog.Options options;

        /** The last frame of the last sync that returned. */
        private long durable;

        Life(long seed) {
            random = new Random(seed);
            storage = new FaultyStorage(random);
            begin();
            options = new FrameLog.Options(
                    2_000 + random.nextInt(20_000), 10_000 + random.nextInt(100_000), Duration.ofDays(100_000));
        }

        private void begin() {
            history = new History(random, 512);
            durable = history.start.startFrameNo() - 1;
        }

        void live() throws IOException {
            for (int session = 0; session < 8; session++) {
                storage.losePowerAtOperation(random.nextInt(8) == 0 ? 1 + random.nextInt(8) : 1 + random.nextInt(150));
                if (random.nextInt(4) == 0) {
                    storage.failSync(1 + random.nextInt(20));
                }
                try {
                    session();
                } catch (FaultyStorage.PowerLoss | FaultyStorage.SyncFailure e) {
                    // expected
                }
                if (random.nextBoolean()) {
                    storage.restartAfterKill();
                } else {
                    storage.restartAfterPowerLoss();
                }
            }
            if (FrameLog.exists(storage)) {
                FrameLog log = FrameLog.open(storage, options);
                verify(log);
                LogFiles.assertSound(storage);
            }
        }

        private void session() throws IOException {
            FrameLog log;
            if (FrameLog.exists(storage)) {
                log = FrameLog.open(storage, options);
            } else {
                assertThat(durable).as("an existing log was lost").isEqualTo(history.start.startFrameNo() - 1);
                begin();
                log = FrameLog.create(storage, history.start, options);
            }
            verify(log);
            int steps = random.nextInt(60);
            for (int i = 0; i < steps && !storage.powerLost(); i++) {
                step(log);
            }
            if (random.nextInt(4) == 0) {
                log.close();
                durable = Math.max(durable, log.durable().frameNo());
            }
        }

        /** What recovery found must be a beginning of what was written; the memory is cut to it. */
        private void verify(FrameLog log) throws IOException {
            assertThat(log.head().frameNo()).isGreaterThanOrEqualTo(durable);
            history.cutAfter(log.head().frameNo());
            history.assertSameAs(log, log.start().startFrameNo() - 1, "after restart");
            assertThat(log.durable()).isEqualTo(log.head());
            durable = log.head().frameNo();
        }

        private void step(FrameLog log) throws IOException {
            switch (random.nextInt(12)) {
                case 0, 1, 2, 3, 4 -> append(log, history.batch(random.nextInt(4), 6, 0));
                case 5 -> append(log, history.batch(random.nextInt(3), 6, random.nextInt(8)));
                case 6, 7, 8 -> durable = log.sync().frameNo();
                case 9 -> rollback(log);
                case 10 -> log.prune();
                default -> history.assertReadable(log);
            }
        }

        private void append(FrameLog log, History.Batch batch) throws IOException {
            batch.appendTo(log);
        }

        private void rollback(FrameLog log) {
            log.rollback();
            history.cutAfter(history.head().frameNo());
        }
    }
}
