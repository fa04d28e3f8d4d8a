package dev.lockstep.apply;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lockstep.CorruptException;
import dev.lockstep.NotAReplicaException;
import dev.lockstep.Programs;
import dev.lockstep.log.CommitRecord;
import dev.lockstep.testing.History;
import dev.lockstep.testing.TestPrimary;
import dev.lockstep.testing.Workload;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReplicaSummaryTest {

    @TempDir
    Path directory;

    private Path copy;

    @BeforeEach
    void requirePrograms() {
        Programs.require("sqlite3", "cp");
        copy = directory.resolve("copy.db");
    }

    @Test
    void saysWhereAReplicaStandsWhileItIsFollowedAndAfter() throws Exception {
        try (TestPrimary primary = new TestPrimary(directory.resolve("source.db"), 4096)) {
            Workload workload = new Workload(primary.connection(), 42);
            workload.create();
            primary.capture();
            primary.checkpoint();
        }
        try (TestPrimary primary = new TestPrimary(directory.resolve("source.db"), 4096)) {
            Workload workload = new Workload(primary.connection(), 42);
            Replicas.create(copy, primary);
            CommitRecord start = CommitRecord.before(primary.start());
            assertThat(ReplicaSummary.read(copy).newest().isSameAs(start)).isTrue();

            History history = new History(primary.start());
            workload.small();
            history.add(primary.capture());
            try (Applier applier = Replicas.open(copy)) {
                Replicas.catchUp(applier, history, 1);
                ReplicaSummary summary = ReplicaSummary.read(copy);
                assertThat(summary.newest().isSameAs(history.head())).isTrue();
                assertThat(summary.durable().isSameAs(start)).isTrue();
                assertThat(summary.logId()).isEqualTo(primary.start().logId());
                assertThat(summary.replicaId()).isEqualTo(applier.replicaId());
                assertThat(summary.walBytes()).isPositive().isEqualTo(Files.size(directory.resolve("copy.db-wal")));
            }
            ReplicaSummary closed = ReplicaSummary.read(copy);
            assertThat(closed.durable().isSameAs(history.head())).isTrue();
            assertThat(closed.walBytes()).isZero();
        }
    }

    @Test
    void tellsAnyOtherFileFromAReplica() throws Exception {
        Files.createFile(copy);
        assertThatThrownBy(() -> ReplicaSummary.read(copy))
                .isInstanceOf(NotAReplicaException.class)
                .hasMessageContaining("copy.db-lockstep is missing");
        Files.write(directory.resolve("copy.db-lockstep"), new byte[10]);
        assertThatThrownBy(() -> ReplicaSummary.read(copy)).isInstanceOf(CorruptException.class);
    }
}
