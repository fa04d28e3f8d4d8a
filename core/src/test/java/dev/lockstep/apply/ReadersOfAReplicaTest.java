package dev.lockstep.apply;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lockstep.Programs;
import dev.lockstep.testing.Databases;
import dev.lockstep.testing.History;
import dev.lockstep.testing.Readers;
import dev.lockstep.testing.TestPrimary;
import dev.lockstep.testing.Workload;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Readers and checkpointers of several processes on a replica under load. {@code ./dev soak} runs it for long;
 * {@code -Dlockstep.seed=n} repeats a workload.
 */
class ReadersOfAReplicaTest {

    private static final long SEED = Long.getLong("lockstep.seed", System.nanoTime());

    @TempDir
    Path directory;

    @BeforeEach
    void programs() {
        Programs.require("sqlite3", "cp");
    }

    @ParameterizedTest
    @CsvSource({"512,false", "1024,true", "4096,false", "4096,true", "16384,false", "65536,false"})
    void nobodyWaitsSeesAMixtureOrGoesBack(int pageSize, boolean durable) throws Exception {
        readWhileApplying(pageSize, durable, Duration.ofSeconds(2));
    }

    @Tag("soak")
    @ParameterizedTest
    @CsvSource({"512,false", "4096,true", "65536,false"})
    void nobodyWaitsSeesAMixtureOrGoesBackForLong(int pageSize, boolean durable) throws Exception {
        readWhileApplying(pageSize, durable, Duration.ofMinutes(Long.getLong("lockstep.soakMinutes", 10) / 3 + 1));
    }

    private void readWhileApplying(int pageSize, boolean durable, Duration time) throws Exception {
        Path copy = directory.resolve("copy.db");
        Path source = directory.resolve("source.db");
        System.out.printf("ReadersOfAReplicaTest %d %s: -Dlockstep.seed=%d%n", pageSize, durable, SEED);
        Random random = new Random(SEED);
        try (TestPrimary primary = new TestPrimary(source, pageSize, "auto_vacuum=INCREMENTAL")) {
            Workload workload = new Workload(primary.connection(), SEED);
            History history = new History(primary.start());
            Replicas.create(copy, primary);
            workload.create();
            history.add(primary.capture());
            Applier.Options options = new Applier.Options(durable, 50L * pageSize);
            try (Applier applier = Replicas.open(copy, options)) {
                Replicas.catchUp(applier, history, 1);
                Readers readers = new Readers(copy);
                try (readers) {
                    readers.jdbc()
                            .snapshots(5)
                            .snapshots(150)
                            .jdbcReopening()
                            .shell()
                            .shellReopening()
                            .checkpoints(SEED);
                    long end = System.nanoTime() + time.toNanos();
                    while (System.nanoTime() < end) {
                        for (int i = random.nextInt(10); i >= 0; i--) {
                            workload.any();
                        }
                        history.add(primary.capture());
                        Replicas.catchUp(applier, history, 1 + random.nextInt(5));
                        history.forgetBefore(applier.position());
                        if (random.nextInt(10) == 0) {
                            primary.checkpoint();
                        }
                        readers.check();
                    }
                }
                assertThat(readers.reads()).isGreaterThan(100);
                Databases.assertSamePages(copy, source);
                Databases.assertSound(copy);
            }
        }
    }
}
