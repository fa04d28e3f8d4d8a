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
    private static final int[] PAGE_SIZES = {512, 1024, 4096, 4096, 8192, 65536};

    @TempDir
    Path directory;

    // Not in the short run yet: one in a few runs, a crash point was not reached within a minute, for a reason not
    // found yet.
    @Test
    @Tag("soak")
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
            new Lives(seed(), directory.resolve("round" + round++)).live(CrashPoint.values().length);
        }
    }

    private static long seed() {
        return Long.getLong("lockstep.seed", System.nanoTime());
    }

    /** One database and its primary's lives. */
    private static final class Lives {

        private final Random random;
        private final Path database;
        private final Path base;
        private final int pageSize;
        private final List<Promise> promises = new ArrayList<>();

        Lives(long seed, Path directory) throws Exception {
            random = new Random(seed);
            Files.createDirectories(directory);
            database = directory.resolve("app.db");
            base = directory.resolve("base.db");
            pageSize = PAGE_SIZES[random.nextInt(PAGE_SIZES.length)];
            System.out.println("-Dlockstep.seed=" + seed + " page size " + pageSize);
        }

        /** Dies at so many of the labelled steps, others each time; and at any moment before and after. */
        void live(int steps) throws Exception {
            try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database)) {
                execute(connection, "PRAGMA page_size=" + pageSize);
                execute(connection, "PRAGMA auto_vacuum=" + random.nextInt(3));
                execute(connection, "PRAGMA journal_mode=WAL");
                new Workload(connection, random.nextLong()).create();
            }
            Sqlite3.copy(database, base);
            // How soon a checkpoint finishes under a fast writer depends on the disk: minutes on a slow one, so only
            // the soak waits.
            String kinds = steps == STEPS_IN_SHORT ? "(CAPTURE|LOG)_.*" : "(CAPTURE|CHECKPOINT|LOG)_.*";
            List<CrashPoint> labels = new ArrayList<>();
            for (CrashPoint label : CrashPoint.values()) {
                if (label.name().matches(kinds)) {
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
            await().atMost(Duration.ofMinutes(1))
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
            return new Writers(database, random.nextLong()).c().c().python().shell();
        }

        private Writers calm() throws Exception {
            return new Writers(database, random.nextLong()).c("calm");
        }

        private ChildJvm primary(Map<String, String> properties) throws Exception {
            return new ChildJvm(
                    PrimaryProcess.class,
                    properties,
                    database.toString(),
                    String.valueOf(SEGMENT_BYTES),
                    String.valueOf(random.nextInt(1_000_000)));
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
                LogCheck check = new LogCheck(base, pageSize);
                check.execute(log);
                check.assertIs(database);
            }
        }

        private Path data() {
            return database.resolveSibling("app.db-lockstep");
        }

        private static FrameLog.Options options() {
            return new FrameLog.Options(SEGMENT_BYTES, 1L << 30, Duration.ofDays(10_000));
        }
    }
}
