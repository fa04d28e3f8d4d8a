package dev.lockstep;

import static dev.lockstep.sqlite.SqliteConnections.execute;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.lockstep.io.CrashPoint;
import dev.lockstep.io.Storage;
import dev.lockstep.log.FrameLog;
import dev.lockstep.testing.ChildJvm;
import dev.lockstep.testing.LogCheck;
import dev.lockstep.testing.PrimaryProcess;
import dev.lockstep.testing.PrimaryProcess.Promise;
import dev.lockstep.testing.Sqlite3;
import dev.lockstep.testing.Workload;
import dev.lockstep.testing.Writers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A primary that is killed again and again, at every labelled step and at any other moment, while programs of all kinds write to its
 * database, checkpoint it, and are killed as well. After every restart: the same history, with everything in it that was durable
 * before; and its head is the database, page by page. Replayed with -Dlockstep.seed=N, as far as processes can be.
 */
class PrimaryCrashTest {

    private static final int SEGMENT_BYTES = 300_000;
    private static final int STEPS_IN_SHORT = 4;

    /** Between a writer's transactions, for pages of 4 KiB: what is written in a life should not take longer to check. */
    private static final int PAUSE_MICROS = 1000;

    private static final int[] PAGE_SIZES = {512, 1024, 4096, 4096, 8192, 65536};

    @TempDir
    Path directory;

    @Test
    void aPrimaryKilledAtAnyStepGoesOnInTheSameHistoryWithNothingLost() throws Exception {
        Programs.require("sqlite3", "gcc", "python3");
        new Lives(seed(), directory).live(STEPS_IN_SHORT);
    }

    @Test
    @Tag("soak")
    void aPrimaryKilledForMinutesGoesOnInTheSameHistoryWithNothingLost() throws Exception {
        Programs.require("sqlite3", "gcc", "python3");
        long end = System.nanoTime()
                + Duration.ofMinutes(Long.getLong("lockstep.soakMinutes", 10)).toNanos();
        int round = 0;
        while (System.nanoTime() < end) {
            new Lives(seed(), Files.createDirectory(directory.resolve("round" + round++))).live(Integer.MAX_VALUE);
        }
    }

    private static long seed() {
        return Long.getLong("lockstep.seed", System.nanoTime());
    }

    /** One database and its primary's lives. */
    private static final class Lives {

        private final Random random;
        private final Path database;
        private final int pageSize;
        private final int pauseMicros;
        private final LogCheck check;

        /** Those of this life, and the last one before, whose seal covers all before it. */
        private final List<Promise> promises = new ArrayList<>();

        Lives(long seed, Path directory) throws Exception {
            random = new Random(seed);
            database = directory.resolve("app.db");
            pageSize = PAGE_SIZES[random.nextInt(PAGE_SIZES.length)];
            pauseMicros = PAUSE_MICROS * Math.max(1, pageSize / 4096);
            System.out.println("-Dlockstep.seed=" + seed + " page size " + pageSize);
            try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database)) {
                execute(connection, "PRAGMA page_size=" + pageSize);
                execute(connection, "PRAGMA auto_vacuum=" + random.nextInt(3));
                execute(connection, "PRAGMA journal_mode=WAL");
                new Workload(connection, random.nextLong()).create();
            }
            Path base = directory.resolve("base.db");
            Sqlite3.copy(database, base);
            check = new LogCheck(base, pageSize);
        }

        /** Dies at so many of the labelled steps, others each time; and at any moment before and after. */
        void live(int steps) throws Exception {
            List<CrashPoint> labels = new ArrayList<>();
            for (CrashPoint label : CrashPoint.values()) {
                if (label.name().matches("(CAPTURE|CHECKPOINT|LOG)_.*")) {
                    labels.add(label);
                }
            }
            Collections.shuffle(labels, random);
            whileItBegins();
            for (CrashPoint label : labels.subList(0, Math.min(steps, labels.size()))) {
                life(label);
            }
            anyMoment();
        }

        /** Nobody writes yet, so that the log begins with the base, whichever life begins it. */
        private void whileItBegins() throws Exception {
            Path seen = random.nextBoolean() ? data() : data().resolve("log");
            try (ChildJvm child = new ChildJvm(
                            PrimaryProcess.class, Map.of(), database.toString(), String.valueOf(SEGMENT_BYTES));
                    Writers nobody = new Writers(database, 0)) {
                killWhen(child, () -> Files.exists(seen));
                afterDeath(child, nobody);
            }
        }

        private void anyMoment() throws Exception {
            int promised = random.nextInt(30);
            System.out.println("killed after " + promised + " promises");
            try (Writers writers = hostile();
                    ChildJvm child = primary(Map.of())) {
                killWhen(child, () -> PrimaryProcess.promises(child.output()).size() >= promised);
                afterDeath(child, writers);
            }
        }

        private static void killWhen(ChildJvm child, Callable<Boolean> time) {
            await().atMost(Duration.ofMinutes(3))
                    .pollInterval(Duration.ofMillis(2))
                    .until(() -> !child.isAlive() || time.call());
            assertThat(child.isAlive()).as(child.tail()).isTrue();
            child.kill();
        }

        private void life(CrashPoint label) throws Exception {
            // Other programs' checkpoints would leave no WAL for Lockstep's own.
            boolean calm = label.name().startsWith("CHECKPOINT_");
            int most = calm || label.name().startsWith("LOG_SEGMENT_") ? 3 : 40;
            String crashAt = label + ":" + (1 + random.nextInt(most));
            System.out.println("killed at " + crashAt);
            try (Writers writers = calm ? calm() : hostile();
                    ChildJvm child = primary(Map.of("lockstep.crashAt", crashAt))) {
                assertThat(child.exitCode()).as(child.tail()).isEqualTo(ChildJvm.KILLED);
                afterDeath(child, writers);
            }
        }

        private Writers hostile() throws Exception {
            return writers().pausing(pauseMicros).c().c().python().shell();
        }

        /** Slow enough for a checkpoint to catch up on a slow disk. */
        private Writers calm() throws Exception {
            return writers().pausing(5 * pauseMicros).c("calm");
        }

        private Writers writers() {
            return new Writers(database, random.nextLong());
        }

        private ChildJvm primary(Map<String, String> properties) throws Exception {
            return new ChildJvm(
                    PrimaryProcess.class,
                    properties,
                    database.toString(),
                    String.valueOf(SEGMENT_BYTES),
                    String.valueOf(random.nextInt(1_000_000)),
                    String.valueOf(pauseMicros));
        }

        private void afterDeath(ChildJvm child, Writers writers) throws Exception {
            promises.addAll(PrimaryProcess.promises(child.output()));
            writers.check();
            int fate = random.nextInt(4);
            if (fate == 0) {
                writers.killOne();
            } else if (fate == 1) {
                writers.stop(); // the last one out empties the WAL
            }
            restart(writers);
            verify();
        }

        /** The next life is in this process, and ends well. */
        private void restart(Writers writers) throws Exception {
            try (Primary primary = Primary.of(database).log(options()).open()) {
                for (Promise promise : promises) {
                    promise.assertKept(primary.log());
                }
                promises.subList(0, Math.max(0, promises.size() - 1)).clear();
                if (random.nextBoolean()) {
                    writers.killOne();
                }
                writers.stop();
                primary.close();
                assertThat(primary.status().failure()).isNull();
            }
        }

        private void verify() throws Exception {
            try (FrameLog log = FrameLog.open(Storage.directory(data().resolve("log")), options())) {
                UUID logId = log.start().logId();
                assertThat(promises).allMatch(promise -> promise.logId().equals(logId));
                check.execute(log);
                check.assertIs(database);
            }
        }

        private Path data() {
            return database.resolveSibling("app.db-lockstep");
        }

        private static FrameLog.Options options() {
            return PrimaryProcess.log(SEGMENT_BYTES);
        }
    }
}
