package dev.lockstep.server;

import static dev.lockstep.sqlite.SqliteConnections.execute;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.lockstep.Programs;
import dev.lockstep.apply.ReplicaSummary;
import dev.lockstep.io.CrashPoint;
import dev.lockstep.io.Storage;
import dev.lockstep.log.CommitRecord;
import dev.lockstep.log.FrameLog;
import dev.lockstep.testing.ChildJvm;
import dev.lockstep.testing.Databases;
import dev.lockstep.testing.PrimaryProcess;
import dev.lockstep.testing.PrimaryProcess.Promise;
import dev.lockstep.testing.Readers;
import dev.lockstep.testing.Workload;
import dev.lockstep.testing.Writers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * All of it at once, with a process for each part: programs of all kinds write to and checkpoint the primary's database; a primary serves it
 * over the network to a replica; programs read the replica all the time. Primary, replica, or both are killed, at every labelled step and
 * at any other moment. No reader may see a mixture, go back, or be told that the database is busy; and in the end the replica is the
 * primary page by page, in the same history, with one copy ever made and nothing lost that was acknowledged (G1, G2, G3, G5, G6).
 * Replayed with -Dlockstep.seed=N, as far as processes can be.
 */
class TortureTest {

    private static final Duration LIMIT = Duration.ofMinutes(3);
    private static final int SEGMENT_BYTES = 300_000;
    private static final int PAUSE_MICROS = 2000;
    private static final int LIVES_IN_SHORT = 2;
    private static final int[] PAGE_SIZES = {512, 1024, 2048, 4096, 4096, 8192, 16384, 32768, 65536};

    @TempDir
    Path directory;

    @Test
    void killedPrimariesAndReplicasGoOnWithoutAnotherCopyAndWithNothingLost() throws Exception {
        Programs.require("sqlite3", "gcc", "python3");
        run(directory, LIVES_IN_SHORT);
    }

    @Test
    @Tag("soak")
    void killedForMinutesPrimariesAndReplicasGoOnWithoutAnotherCopyAndWithNothingLost() throws Exception {
        Programs.require("sqlite3", "gcc", "python3");
        long end = System.nanoTime()
                + Duration.ofMinutes(Long.getLong("lockstep.soakMinutes", 10)).toNanos();
        for (int round = 0; System.nanoTime() < end; round++) {
            run(Files.createDirectory(directory.resolve("round" + round)), Integer.MAX_VALUE);
        }
    }

    private static void run(Path directory, int lives) throws Exception {
        long seed = Long.getLong("lockstep.seed", System.nanoTime());
        System.out.println("TortureTest: -Dlockstep.seed=" + seed);
        try (Torture torture = new Torture(directory, new Random(seed))) {
            torture.copy();
            torture.live(lives);
            torture.end();
        }
    }

    /** A process that is started again after each death, and all that its lives printed. */
    private abstract static class Side implements AutoCloseable {

        private final List<String> earlier = new ArrayList<>();
        private @Nullable ChildJvm child;

        abstract ChildJvm launch(Map<String, String> properties) throws Exception;

        /** @param step where it will halt, or null */
        void start(@Nullable String step) throws Exception {
            child = launch(step == null ? Map.of() : Map.of("lockstep.crashAt", step));
        }

        ChildJvm child() {
            if (child == null) {
                throw new IllegalStateException("not started");
            }
            return child;
        }

        void kill() throws IOException {
            assertThat(child().isAlive()).as(child().tail()).isTrue();
            child().kill();
            bury();
        }

        void awaitDeath() throws IOException {
            assertThat(child().exitCode()).as(child().tail()).isEqualTo(ChildJvm.KILLED);
            bury();
        }

        private void bury() throws IOException {
            earlier.add(child().output());
            child().close();
            child = null;
        }

        void stop() throws IOException {
            child().stop();
            bury();
        }

        void awaitOutput(Callable<Boolean> condition) {
            await().atMost(LIMIT).pollInterval(Duration.ofMillis(100)).until(() -> {
                assertThat(child().isAlive()).as(child().tail()).isTrue();
                return condition.call();
            });
        }

        List<String> outputs() {
            return earlier;
        }

        @Override
        public void close() throws IOException {
            if (child != null) {
                child.close();
            }
        }
    }

    private static final class Torture implements AutoCloseable {

        private final Random random;
        private final Path database;
        private final Path copy;
        private final int pauseMicros;
        private final BadNetwork network;
        private final Side primary = new Side() {
            @Override
            ChildJvm launch(Map<String, String> properties) throws Exception {
                return new ChildJvm(
                        ServingProcess.class, properties, database.toString(), String.valueOf(SEGMENT_BYTES));
            }
        };
        private final Side replica = new Side() {
            @Override
            ChildJvm launch(Map<String, String> properties) throws Exception {
                String url = ReplicationTest.url(network.port(), "app");
                return new ChildJvm(FollowingProcess.class, properties, url, copy.toString());
            }
        };
        private final Deque<CrashPoint> primarySteps;
        private final Deque<CrashPoint> replicaSteps;
        private final Readers readers;
        private Writers writers;

        Torture(Path directory, Random random) throws Exception {
            this.random = random;
            database = directory.resolve("app.db");
            copy = directory.resolve("copy.db");
            int pageSize = PAGE_SIZES[random.nextInt(PAGE_SIZES.length)];
            System.out.println("page size " + pageSize);
            pauseMicros = PAUSE_MICROS * Math.max(1, pageSize / 4096);
            try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database)) {
                execute(connection, "PRAGMA page_size=" + pageSize);
                execute(connection, "PRAGMA auto_vacuum=" + random.nextInt(3));
                execute(connection, "PRAGMA journal_mode=WAL");
                new Workload(connection, random.nextLong()).create();
            }
            network = new BadNetwork(0, random.nextLong());
            primarySteps = steps("(CAPTURE|CHECKPOINT|LOG)_.*");
            replicaSteps = steps("(APPLY|RESET)_.*");
            readers = new Readers(copy, 10_000);
            writers = hostile();
        }

        private Deque<CrashPoint> steps(String names) {
            List<CrashPoint> steps = new ArrayList<>(Arrays.asList(CrashPoint.values()));
            steps.removeIf(step -> !step.name().matches(names));
            Collections.shuffle(steps, random);
            return new ArrayDeque<>(steps);
        }

        private Writers hostile() throws Exception {
            return writers().pausing(pauseMicros).c().c().python().shell();
        }

        /** Other programs' checkpoints would leave no WAL for Lockstep's own. */
        private Writers calm() throws Exception {
            return writers().pausing(5 * pauseMicros).c("calm");
        }

        private Writers writers() {
            return new Writers(database, random.nextLong());
        }

        /** The replica dies while it copies, is started anew, and follows. */
        void copy() throws Exception {
            startPrimary(null);
            replica.start(steps("COPY_.*").getFirst().name());
            replica.awaitDeath();
            replica.start(null);
            replica.awaitOutput(() -> visible(replica.child().output()) >= 0);
            readers.pausing(500).jdbc().snapshots(20).shell().jdbcReopening().shellReopening();
        }

        private void startPrimary(@Nullable String step) throws Exception {
            primary.start(step);
            await().atMost(LIMIT)
                    .until(() -> primary.child().output().contains("\nport ")
                            || !primary.child().isAlive());
            primary.child()
                    .output()
                    .lines()
                    .filter(line -> line.startsWith("port "))
                    .forEach(line -> network.exit(Integer.parseInt(line.substring(5))));
        }

        /** So many lives, or fewer when each side has died at each of its steps. */
        void live(int lives) throws Exception {
            Object file = fileKey();
            ReplicaSummary born = ReplicaSummary.read(copy);
            for (int life = 0; life < lives && !(primarySteps.isEmpty() && replicaSteps.isEmpty()); life++) {
                int victims = 1 + (life + random.nextInt(2)) % 3;
                boolean killPrimary = (victims & 1) != 0 && !primarySteps.isEmpty();
                boolean killReplica = (victims & 2) != 0 && !replicaSteps.isEmpty();
                die(killPrimary ? primarySteps.pop() : null, killReplica ? replicaSteps.pop() : null);
            }
            ReplicaSummary now = ReplicaSummary.read(copy);
            assertThat(now.logId()).isEqualTo(born.logId());
            assertThat(now.replicaId()).isEqualTo(born.replicaId());
            assertThat(fileKey()).as("a copy is written beside and renamed").isEqualTo(file);
        }

        private Object fileKey() throws IOException {
            return Files.readAttributes(copy, BasicFileAttributes.class).fileKey();
        }

        /** Kills those who have a step at once, then again at that step, and lets all of them live and get on. */
        private void die(@Nullable CrashPoint ofPrimary, @Nullable CrashPoint ofReplica) throws Exception {
            System.out.println("primary killed at " + ofPrimary + ", replica at " + ofReplica);
            if (ofPrimary != null) {
                primary.kill();
            }
            if (ofReplica != null) {
                replica.kill();
            }
            boolean calm = ofPrimary != null && ofPrimary.name().startsWith("CHECKPOINT_");
            if (calm) {
                writers.stop();
                writers = calm();
            }
            if (ofReplica != null) {
                replica.start(ofReplica.name());
            }
            if (ofPrimary != null) {
                startPrimary(ofPrimary + ":" + (1 + random.nextInt(calm ? 2 : 10)));
                primary.awaitDeath();
                writers.check();
                writers.killOne();
                startPrimary(null);
            }
            if (ofReplica != null) {
                replica.awaitDeath();
                replica.start(null);
            }
            if (calm) {
                writers.stop();
                writers = hostile();
            }
            getOn();
        }

        private void getOn() {
            long durable = lastDurable();
            replica.awaitOutput(() -> visible(replica.child().output()) >= durable);
            writers.check();
            readers.check();
        }

        private long lastDurable() {
            List<Promise> promises = PrimaryProcess.promises(primary.child().output());
            return promises.isEmpty() ? 0 : promises.get(promises.size() - 1).frameNo();
        }

        private static long visible(String output) {
            return visibles(output).stream()
                    .mapToLong(line -> Long.parseLong(line.split(" ")[1]))
                    .max()
                    .orElse(-1);
        }

        private static List<String> visibles(String output) {
            int end = output.lastIndexOf('\n');
            return output.substring(0, Math.max(0, end))
                    .lines()
                    .filter(line -> line.startsWith("visible "))
                    .toList();
        }

        void end() throws Exception {
            writers.stop();
            long head;
            try (RemotePrimary remote = RemotePrimary.of(ReplicationTest.url(network.port(), "app"))) {
                await().atMost(LIMIT).until(() -> {
                    CommitRecord now = remote.status().databases().get(0).head();
                    return visible(replica.child().output()) == now.frameNo();
                });
                head = remote.status().databases().get(0).head().frameNo();
            }
            readers.close();
            replica.stop();
            primary.stop();
            assertThat(readers.reads()).isGreaterThan(100);
            assertKept(head);
            assertThat(Databases.assertSound(copy)).isEqualTo(Databases.assertSound(database));
            Databases.assertSamePages(copy, database);
        }

        private void assertKept(long head) throws IOException {
            try (FrameLog log = FrameLog.open(
                    Storage.directory(database.resolveSibling("app.db-lockstep").resolve("log")),
                    PrimaryProcess.log(SEGMENT_BYTES))) {
                assertThat(log.head().frameNo()).isEqualTo(head);
                assertThat(ReplicaSummary.read(copy).newest().isSameAs(log.head()))
                        .isTrue();
                // Of each life the last one: its seal, or checksum, covers all before it.
                for (String output : primary.outputs()) {
                    List<Promise> promises = PrimaryProcess.promises(output);
                    if (!promises.isEmpty()) {
                        promises.get(promises.size() - 1).assertKept(log);
                    }
                }
                for (String output : replica.outputs()) {
                    List<String> visibles = visibles(output);
                    if (!visibles.isEmpty()) {
                        String[] words = visibles.get(visibles.size() - 1).split(" ");
                        assertThat(Long.toHexString(log.checksumAt(Long.parseLong(words[1]))))
                                .isEqualTo(words[2]);
                    }
                }
            }
        }

        @Override
        public void close() throws Exception {
            writers.close();
            replica.close();
            primary.close();
            network.close();
            readers.close();
        }
    }
}
