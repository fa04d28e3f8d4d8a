package dev.lockstep.apply;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.lockstep.CorruptException;
import dev.lockstep.log.CommitRecord;
import dev.lockstep.log.Seal;
import dev.lockstep.log.WalMark;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ReplicaRecordTest {

    private static final UUID LOG = new UUID(1, 2);
    private static final FileStamp STAMP = new FileStamp(8192, 123456789);

    @TempDir
    Path directory;

    private Path path;

    @BeforeEach
    void path() {
        path = directory.resolve("copy.db-lockstep");
    }

    @Test
    void everythingIsReadBackAsItWasWritten() throws Exception {
        UUID replicaId;
        try (ReplicaRecord record = create()) {
            replicaId = record.replicaId();
            record.add(commit(11));
            record.renamed();
        }
        try (ReplicaRecord record = ReplicaRecord.open(path)) {
            assertThat(record.logId()).isEqualTo(LOG);
            assertThat(record.replicaId()).isEqualTo(replicaId);
            assertThat(record.pageSize()).isEqualTo(4096);
            assertThat(record.renamePending()).isFalse();
            assertThat(record.base()).isEqualTo(commit(10));
            assertThat(record.stamp()).isEqualTo(STAMP);
            assertThat(record.newest()).isEqualTo(commit(11));
        }
    }

    @Test
    void aFullDiskIsAnOrdinaryErrorThatKeepsNothingLocked() throws Exception {
        Path full = Path.of("/dev/full");
        assumeThat(full).exists();
        Files.createSymbolicLink(path, full);
        for (int attempt = 0; attempt < 2; attempt++) {
            assertThatThrownBy(this::create).isInstanceOf(IOException.class).hasMessageContaining("No space");
        }
    }

    @Test
    void theLastCommitsAreKeptAndTheNewestFoundAlsoAfterReopening() throws Exception {
        try (ReplicaRecord record = create()) {
            for (int n = 11; n < 3000; n++) {
                record.add(commit(n));
            }
        }
        try (ReplicaRecord record = ReplicaRecord.open(path)) {
            assertThat(record.newest()).isEqualTo(commit(2999));
            record.add(commit(3000));
            assertThat(record.newest()).isEqualTo(commit(3000));
            for (int n = 3001 - ReplicaRecord.RING; n <= 3000; n++) {
                CommitRecord wanted = commit(n);
                assertThat(record.find(c -> c.wal().equals(wanted.wal()))).isEqualTo(wanted);
            }
            assertThat(record.find(c -> c.frameNo() == 3000 - ReplicaRecord.RING))
                    .isNull();
            assertThat(record.find(c -> c.frameNo() == 10)).isEqualTo(commit(10));
        }
    }

    @Test
    void whatIsForgottenIsNotFoundAndItsPlaceIsUsedAgain() throws Exception {
        try (ReplicaRecord record = create()) {
            for (int n = 11; n <= 20; n++) {
                record.add(commit(n));
            }
            record.forgetAfter(15);
            assertThat(record.newest()).isEqualTo(commit(15));
            record.add(commit(16));
            assertThat(record.newest()).isEqualTo(commit(16));
            record.forgetAfter(5);
            assertThat(record.newest()).isEqualTo(commit(10));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 8, 60, 72, 150, 168, 175})
    void aTornSlotFallsBackToTheOneBefore(int offset) throws Exception {
        try (ReplicaRecord record = create()) {
            record.moveBase(commit(12), FileStamp.NONE);
            record.moveBase(commit(13), STAMP);
        }
        flip(512 + offset);
        try (ReplicaRecord record = ReplicaRecord.open(path)) {
            assertThat(record.base()).isEqualTo(commit(12));
            assertThat(record.stamp()).isEqualTo(FileStamp.NONE);
            record.moveBase(commit(14), STAMP);
        }
        try (ReplicaRecord record = ReplicaRecord.open(path)) {
            assertThat(record.base()).isEqualTo(commit(14));
        }
        flip(0);
        flip(512);
        assertThatThrownBy(() -> ReplicaRecord.open(path))
                .isInstanceOf(CorruptException.class)
                .hasMessageContaining("--force");
    }

    @Test
    void aTornCommitCountsAsNotWritten() throws Exception {
        try (ReplicaRecord record = create()) {
            record.add(commit(11));
            record.add(commit(12));
        }
        flip(4096 + 96 + 40);
        try (ReplicaRecord record = ReplicaRecord.open(path)) {
            assertThat(record.newest()).isEqualTo(commit(11));
        }
    }

    @Test
    void aFileThatIsNoRecordIsLeftAsItIs() throws Exception {
        Files.writeString(path, "a letter");
        assertThatThrownBy(() -> ReplicaRecord.open(path)).isInstanceOf(CorruptException.class);
        assertThat(path).hasContent("a letter");
    }

    private ReplicaRecord create() throws IOException {
        return ReplicaRecord.create(path, LOG, 4096, commit(10), STAMP, false);
    }

    private static CommitRecord commit(int n) {
        Seal seal = new Seal(n, n + 1, n + 2, n + 3);
        return new CommitRecord(n, n * 31L, n + 7, n * 1000L, ~n, new WalMark(-n, n + 1, n * 77L), seal);
    }

    private void flip(long offset) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.seek(offset);
            int value = file.read();
            file.seek(offset);
            file.write(value ^ 0x10);
        }
    }
}
