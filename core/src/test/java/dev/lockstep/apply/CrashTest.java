package dev.lockstep.apply;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lockstep.Programs;
import dev.lockstep.io.CrashPoint;
import dev.lockstep.testing.ChildJvm;
import dev.lockstep.testing.Databases;
import dev.lockstep.testing.History;
import dev.lockstep.testing.Sqlite3;
import dev.lockstep.testing.TestPrimary;
import dev.lockstep.testing.Workload;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A process that applies is killed at every labelled step and at random moments; whatever other programs do to the files
 * between, the next one continues where the last one was, and no reader ever goes back or sees a mixture.
 */
class CrashTest {

    private static final long SEED = Long.getLong("lockstep.seed", System.nanoTime());

    /** What other programs do while the process is dead, and while it lives. */
    enum Others {
        NONE,
        OPEN_AND_CLOSE,
        STAY_OPEN
    }

    @TempDir
    Path directory;

    private final Random random = new Random(SEED);
    private Path copy;
    private Path historyFile;
    private Path pagesFile;
    private TestPrimary primary;
    private History history;

    /** The largest counter that any program has seen. */
    private long seen;

    @BeforeEach
    void primary() throws Exception {
        Programs.require("sqlite3", "cp");
        copy = directory.resolve("copy.db");
        historyFile = directory.resolve("history");
        pagesFile = directory.resolve("pages");
        System.out.printf("CrashTest: -Dlockstep.seed=%d%n", SEED);
        int pageSize = List.of(512, 1024, 4096).get(random.nextInt(3));
        try (TestPrimary first = new TestPrimary(directory.resolve("source.db"), pageSize, "auto_vacuum=INCREMENTAL")) {
            new Workload(first.connection(), SEED).create();
            first.capture();
            first.checkpoint();
        }
        primary = new TestPrimary(directory.resolve("source.db"), pageSize);
        primary.copyTo(pagesFile);
        history = new History(primary.start());
    }

    @AfterEach
    void close() throws Exception {
        primary.close();
    }

    private void extend(int transactions) throws Exception {
        Workload workload = new Workload(primary.connection(), random.nextLong());
        for (int i = 0; i < transactions; i++) {
            workload.any();
            history.add(primary.capture());
        }
        history.save(historyFile);
    }

    static Stream<Arguments> stepsOfApplyingWithAllOthers() {
        return steps("(APPLY|RESET)_.*")
                .flatMap(point -> Arrays.stream(Others.values()).map(others -> Arguments.of(point, others)));
    }

    @ParameterizedTest
    @MethodSource("stepsOfApplyingWithAllOthers")
    void aKillAtAnyStepOfApplyingLosesNothingAndReadersNeverGoBack(CrashPoint step, Others others) throws Exception {
        Replicas.create(copy, primary);
        extend(80);
        killAt(step + ":" + (step == CrashPoint.APPLY_RECORDED ? 30 : 1 + random.nextInt(2)), others);
        finish();
    }

    static Stream<CrashPoint> stepsOfCopying() {
        return steps("COPY_.*");
    }

    @ParameterizedTest
    @MethodSource("stepsOfCopying")
    void aKillAtAnyStepOfTheFirstCopyLeavesAWholeReplicaOrNone(CrashPoint step) throws Exception {
        extend(30);
        killAt(step.name(), Others.NONE);
        assertThat(Files.exists(copy)).isEqualTo(step == CrashPoint.COPY_RENAMED);
        try (ChildJvm child = child("NONE")) {
            assertThat(child.exitCode()).as(child.output()).isZero();
        }
        finish();
    }

    private static Stream<CrashPoint> steps(String names) {
        return Arrays.stream(CrashPoint.values()).filter(point -> point.name().matches(names));
    }

    @Test
    void afterKillsAtRandomMomentsTheReplicaIsNeverInDoubt() throws Exception {
        Replicas.create(copy, primary);
        killAtRandom(5);
        finish();
    }

    @Tag("soak")
    @Test
    void afterKillsAtRandomMomentsForLongTheReplicaIsNeverInDoubt() throws Exception {
        Replicas.create(copy, primary);
        long end = System.nanoTime() + Long.getLong("lockstep.soakMinutes", 10) * 60_000_000_000L;
        while (System.nanoTime() < end) {
            killAtRandom(20);
            finish();
            history.forgetBefore(history.head());
        }
    }

    private void killAtRandom(int times) throws Exception {
        for (int i = 0; i < times; i++) {
            extend(60);
            Others others = Others.values()[random.nextInt(3)];
            try (Look look = new Look(others);
                    ChildJvm child = child("NONE")) {
                long end = System.nanoTime() + 300_000_000L + random.nextInt(700_000_000);
                while (System.nanoTime() < end && child.isAlive()) {
                    look.now();
                }
                child.kill();
                look.now();
                assertCalm(child, others);
            }
        }
    }

    private void killAt(String step, Others others) throws Exception {
        try (Look look = new Look(others);
                ChildJvm child = child(step)) {
            while (child.isAlive()) {
                look.now();
            }
            assertThat(child.exitCode()).as(child.output()).isEqualTo(ChildJvm.KILLED);
            assertCalm(child, others);
            look.now();
        }
    }

    /** Nothing but our processes wrote to the files, so the record always tells where the replica is. */
    private static void assertCalm(ChildJvm child, Others others) {
        assertThat(child.output()).doesNotContain("in doubt").doesNotContain("Exception");
        if (others == Others.NONE) {
            // Only between a reset of the WAL and the next commit, or look after the idle replica, is nothing left to
            // tell.
            assertThat(child.output()).doesNotContainPattern("WAL frame [1-9].* is not in its record");
        }
    }

    /** Applies the rest and compares the result. */
    private void finish() throws Exception {
        try (Applier applier = Replicas.open(copy)) {
            assertThat(applier.isInDoubt()).isFalse();
            Replicas.catchUp(applier, history, 5);
            see(Databases.assertSound(copy));
        }
        Databases.assertSamePages(copy, primary.path());
    }

    private ChildJvm child(String crashAt) throws Exception {
        Map<String, String> properties = crashAt.equals("NONE") ? Map.of() : Map.of("lockstep.crashAt", crashAt);
        return new ChildJvm(
                ApplyingChild.class,
                properties,
                copy.toString(),
                historyFile.toString(),
                pagesFile.toString(),
                String.valueOf(random.nextInt(1000)),
                String.valueOf(random.nextBoolean()));
    }

    /** Looks at the replica as another program, in this run's way, and never sees it go back. */
    private final class Look implements AutoCloseable {

        private final Others others;
        private final Sqlite3 open;

        private Look(Others others) throws Exception {
            this.others = others;
            this.open = new Sqlite3(others == Others.STAY_OPEN ? copy : Path.of(":memory:"));
            now();
        }

        void now() throws Exception {
            String query = ".timeout 10000\n" + Workload.STATE + ";";
            if (others == Others.OPEN_AND_CLOSE) {
                see(Workload.check(Sqlite3.run(copy, query)));
            } else if (others == Others.STAY_OPEN) {
                see(Workload.check(open.ask(query)));
            }
            Thread.sleep(others == Others.OPEN_AND_CLOSE ? 50 : 1); // leaves the cores to the child
        }

        @Override
        public void close() throws Exception {
            open.close();
        }
    }

    private void see(long counter) {
        assertThat(counter).as("the counter that readers see").isGreaterThanOrEqualTo(seen);
        seen = counter;
    }
}
