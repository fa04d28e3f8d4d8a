package dev.lockstep.apply;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.lockstep.CorruptException;
import dev.lockstep.DivergedException;
import dev.lockstep.NotAReplicaException;
import dev.lockstep.Programs;
import dev.lockstep.UnavailableException;
import dev.lockstep.log.CommitRecord;
import dev.lockstep.sqlite.SqliteConnections;
import dev.lockstep.testing.Databases;
import dev.lockstep.testing.Foreign;
import dev.lockstep.testing.History;
import dev.lockstep.testing.Sqlite3;
import dev.lockstep.testing.TestPrimary;
import dev.lockstep.testing.Workload;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

class ApplierTest {

    private static final int PAGE = 4096;
    private static final long SEED = 42;

    @TempDir
    Path directory;

    private Path copy;
    private TestPrimary primary;
    private Workload workload;
    private History history;

    @BeforeEach
    void replicaAtTheHistorysStart() throws Exception {
        Programs.require("sqlite3", "cp");
        start("", PAGE);
    }

    private void start(String name, int pageSize) throws Exception {
        copy = directory.resolve(name + "copy.db");
        Path source = directory.resolve(name + "source.db");
        primary = new TestPrimary(source, pageSize, "auto_vacuum=INCREMENTAL");
        new Workload(primary.connection(), 0).create();
        primary.capture();
        primary.checkpoint();
        primary.close();
        primary = new TestPrimary(source, pageSize);
        workload = new Workload(primary.connection(), SEED);
        history = new History(primary.start());
        Replicas.create(copy, primary);
    }

    @AfterEach
    void close() throws Exception {
        primary.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {512, 4096, 65536})
    void aReplicaIsClosedAndOpenedAtItsExactPositionAndEndsWithTheSameFile(int pageSize) throws Exception {
        primary.close();
        start("other-", pageSize);
        CommitRecord position = CommitRecord.before(primary.start());
        for (int i = 0; i < 10; i++) {
            commit(10);
            try (Applier applier = Replicas.open(copy)) {
                assertThat(applier.isInDoubt()).isFalse();
                assertThat(applier.position().isSameAs(position)).isTrue();
                Replicas.catchUp(applier, history, 7);
                position = applier.position();
                assertThat(position.isSameAs(history.head())).isTrue();
                assertThat(Databases.assertSound(copy)).isEqualTo(counter());
            }
            assertThat(Files.exists(wal(copy))).isFalse();
        }
        primary.checkpoint();
        primary.close();
        assertThat(copy).hasSameBinaryContentAs(primary.path());
    }

    @Test
    void afterACleanCloseTheFileIsNotReadAgain() throws Exception {
        advance(5);
        damageUnseen();
        try (Applier applier = Replicas.open(copy)) {
            assertThat(applier.isInDoubt()).isFalse();
            assertThat(applier.position().isSameAs(history.head())).isTrue();
        }
    }

    @Test
    void aFileThatWasWrittenSinceTheCleanCloseIsReadAndFoundWrong() throws Exception {
        SqliteConnections.execute(primary.connection(), "INSERT INTO junk (data) VALUES (randomblob(100000))");
        advance(0);
        Sqlite3.run(copy, "UPDATE junk SET data = zeroblob(100000);");
        workload.small();
        capture();
        try (Applier applier = Replicas.open(copy)) {
            assertThat(applier.isInDoubt()).isTrue();
            assertThatThrownBy(() -> Replicas.catchUp(applier, history, 1))
                    .isInstanceOf(DivergedException.class)
                    .hasMessageContaining("expected state checksum")
                    .hasMessageContaining("--force");
        }
        assertThat(Sqlite3.run(copy, "SELECT data = zeroblob(100000) FROM junk;"))
                .isEqualTo("1");
    }

    @Test
    void aFileThatWasWrittenSinceTheCleanCloseIsFoundWrongAlsoWhenThePrimaryHasNothingNew() throws Exception {
        advance(5);
        Sqlite3.run(copy, "UPDATE account SET balance = balance + 1 WHERE id = 1;");
        try (Applier applier = Replicas.open(copy)) {
            applier.tend();
            applier.primaryReaches(history.head().frameNo());
            assertThatThrownBy(applier::tend).isInstanceOf(DivergedException.class);
        }
    }

    @Test
    void aFileThatWasRewrittenWithTheSameContentIsReadAndFoundRight() throws Exception {
        advance(5);
        Files.setLastModifiedTime(copy, FileTime.fromMillis(System.currentTimeMillis()));
        commit(3);
        try (Applier applier = Replicas.open(copy)) {
            assertThat(applier.isInDoubt()).isFalse();
            Replicas.catchUp(applier, history, 1);
        }
        Databases.assertSamePages(copy, primary.path());
    }

    @Test
    void aCommitByAnotherProgramStopsTheReplica() throws Exception {
        try (Applier applier = Replicas.open(copy)) {
            catchUpAfter(applier, 3);
            CommitRecord before = applier.position();
            Sqlite3.run(copy, "UPDATE account SET balance = balance + 1 WHERE id = 1;");
            commit(1);
            assertThatThrownBy(() -> Replicas.catchUp(applier, history, 1))
                    .isInstanceOf(DivergedException.class)
                    .hasMessageContaining("was changed by another program");
            assertThat(applier.position()).isEqualTo(before);
            assertThatThrownBy(() -> Replicas.catchUp(applier, history, 1)).isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void anIdleReplicaNoticesACommitByAnotherProgram() throws Exception {
        try (Applier applier = Replicas.open(copy)) {
            catchUpAfter(applier, 3);
            applier.tend();
            Sqlite3.run(copy, "UPDATE account SET balance = balance + 1 WHERE id = 1;");
            assertThatThrownBy(applier::tend).isInstanceOf(DivergedException.class);
        }
    }

    @Test
    void aCommitByAnotherProgramBeforeARedoBeginsIsJudgedWithIt() throws Exception {
        crashThatTakesFromTheRecord(10);
        commit(1);
        try (Applier applier = Replicas.open(copy)) {
            assertThat(applier.isInDoubt()).isTrue();
            Sqlite3.run(copy, "UPDATE account SET balance = balance + 1 WHERE id = 1;");
            Replicas.catchUp(applier, history, 2);
            Databases.assertSamePages(copy, primary.path());
        }
    }

    @ParameterizedTest
    @CsvSource({"false, false", "true, false", "true, true"})
    void anotherDatabaseInThePlaceOfAReplicaThatIsFollowedIsNotTakenForIt(boolean noticed, boolean beingRead)
            throws Exception {
        Path older = directory.resolve("older.db");
        Sqlite3.copy(copy, older);
        Applier.Options smallWal = new Applier.Options(false, 1);
        try (Sqlite3 reader = new Sqlite3(copy)) {
            Applier first = Replicas.open(copy, smallWal);
            catchUpAfter(first, 3);
            first.tend(); // all its connections are open now
            if (beingRead) {
                reader.ask("BEGIN; " + Workload.STATE + ";");
            }
            catchUpAfter(first, 3);
            Files.move(older, copy, StandardCopyOption.REPLACE_EXISTING);
            if (noticed) {
                assertThatThrownBy(first::tend).hasMessageContaining("replaced by another file");
                first.close();
            } else {
                assertThatThrownBy(first::close).hasMessageContaining("replaced by another file");
            }
        }
        try (Applier applier = Replicas.open(copy)) {
            assertThatThrownBy(() -> Replicas.catchUp(applier, history, 4)).isInstanceOf(DivergedException.class);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"-wal", "-shm"})
    void aDeletedFileOfSqliteIsNoticedAndNothingIsLost(String suffix) throws Exception {
        try (Applier applier = Replicas.open(copy);
                Sqlite3 reader = new Sqlite3(copy)) {
            reader.ask(Workload.STATE + ";");
            catchUpAfter(applier, 10);
            Files.delete(copy.resolveSibling(copy.getFileName() + suffix));
            assertThatThrownBy(applier::tend).hasMessageContaining("deleted");
        }
        commit(2);
        try (Applier applier = Replicas.open(copy)) {
            Replicas.catchUp(applier, history, 4);
            Databases.assertSamePages(copy, primary.path());
        }
    }

    @Test
    void aCrashLeavesTheWalAndTheNextOpenFindsTheExactPositionInItWithoutReadingTheFile() throws Exception {
        try (Applier applier = Replicas.open(copy)) {
            catchUpAfter(applier, 20);
            crashImage(applier.position());
        }
        damageUnseen();
        try (Applier applier = Replicas.open(copy)) {
            assertThat(applier.isInDoubt()).isFalse();
            assertThat(applier.position().isSameAs(history.head())).isTrue();
        }
    }

    @Test
    void afterACrashAnyProgramMayEmptyTheWalAndThePositionIsFoundFromThePages() throws Exception {
        try (Applier applier = Replicas.open(copy)) {
            catchUpAfter(applier, 20);
            crashImage(applier.position());
        }
        Databases.assertSound(copy);
        assertThat(Files.exists(wal(copy))).isFalse();
        commit(3);
        try (Applier applier = Replicas.open(copy)) {
            assertThat(applier.isInDoubt()).isFalse();
            assertThat(applier.position().frameNo())
                    .isEqualTo(history.commit(19).frameNo());
            Replicas.catchUp(applier, history, 2);
            Databases.assertSamePages(copy, primary.path());
        }
    }

    /** A loss of power takes what was not forced of the record, while SQLite's own files are intact. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whenTheRecordLostItsCommitsTheRangeIsAppliedAgainAsOneTransactionAndShowsNothingBetween(boolean emptied)
            throws Exception {
        Path oldRecord = directory.resolve("old-record");
        try (Applier applier = Replicas.open(copy)) {
            catchUpAfter(applier, 10);
            Sqlite3.copy(record(copy), oldRecord);
            catchUpAfter(applier, 10);
            crashImage(applier.position());
        }
        Sqlite3.copy(oldRecord, record(copy));
        if (emptied) {
            Databases.assertSound(copy);
        }
        commit(5);
        try (Applier applier = Replicas.open(copy);
                Sqlite3 reader = new Sqlite3(copy)) {
            assertThat(applier.isInDoubt()).isTrue();
            assertThat(applier.seen()).hasSize(1);
            long before = Workload.check(reader.ask(Workload.STATE + ";"));
            applier.primaryReaches(history.head().frameNo());
            while (applier.isInDoubt()) {
                assertThat(Workload.check(reader.ask(Workload.STATE + ";"))).isEqualTo(before);
                applier.apply(history.after(applier.position(), applier.seen(), 1));
            }
            assertThat(Workload.check(reader.ask(Workload.STATE + ";"))).isGreaterThanOrEqualTo(before);
            Replicas.catchUp(applier, history, 2);
            Databases.assertSamePages(copy, primary.path());
        }
    }

    @Test
    void aRedoThatIsCutShortLeavesNothingThatARecoveryTakesForACommit() throws Exception {
        crashThatTakesFromTheRecord(3);
        String state = Workload.STATE + "; SELECT count(*) FROM sqlite_master;";
        for (int i = 0; i < 8; i++) { // more than is written at once
            SqliteConnections.execute(primary.connection(), "CREATE TABLE big" + i + " AS SELECT randomblob(900000)");
            capture();
        }
        try (Applier applier = Replicas.open(copy)) {
            String before = Sqlite3.run(copy, state);
            long length = Files.size(wal(copy));
            applier.primaryReaches(history.head().frameNo());
            applier.apply(history.after(applier.position(), applier.seen(), 8));
            assertThat(applier.isInDoubt()).isTrue();
            assertThat(Files.size(wal(copy))).isGreaterThan(length + 2_000_000);
            Path image = directory.resolve("cut-short.db");
            Sqlite3.copy(copy, image);
            Sqlite3.copy(wal(copy), wal(image));
            assertThat(Sqlite3.run(image, state)).isEqualTo(before);
            Replicas.catchUp(applier, history, 1);
            Databases.assertSamePages(copy, primary.path());
        }
    }

    @Test
    void aRedoThatWasToReachAHeadWhichThePrimaryNoLongerClaimsShowsWhatThePrimaryHas() throws Exception {
        crashThatTakesFromTheRecord(3);
        commit(2);
        try (Applier applier = Replicas.open(copy)) {
            applier.primaryReaches(history.head().frameNo() + 1000);
            applier.apply(history.after(applier.position(), applier.seen(), 100));
            applier.tend();
            assertThat(applier.isInDoubt()).isTrue();
            applier.primaryReaches(history.head().frameNo()); // in the next session
            applier.tend();
            assertThat(applier.isInDoubt()).isFalse();
            assertThat(applier.visible().isSameAs(history.head())).isTrue();
            Databases.assertSamePages(copy, primary.path());
        }
    }

    @Test
    void aTornWalAfterALossOfPowerIsContinuedFromItsLastWholeTransaction() throws Exception {
        try (Applier applier = Replicas.open(copy)) {
            catchUpAfter(applier, 20);
            crashImage(applier.position());
        }
        try (RandomAccessFile file = new RandomAccessFile(wal(copy).toFile(), "rw")) {
            file.setLength(file.length() / 2);
        }
        commit(3);
        try (Applier applier = Replicas.open(copy)) {
            assertThat(applier.isInDoubt()).isFalse();
            assertThat(applier.position().frameNo())
                    .isLessThan(history.commit(19).frameNo());
            Replicas.catchUp(applier, history, 2);
            Databases.assertSamePages(copy, primary.path());
        }
    }

    @Test
    void damageUnderAReplicaInDoubtIsFoundBeforeReadersSeeMore() throws Exception {
        Path oldRecord = directory.resolve("old-record");
        SqliteConnections.execute(primary.connection(), "INSERT INTO junk (data) VALUES (randomblob(100000))");
        advance(0);
        try (Applier applier = Replicas.open(copy)) {
            Sqlite3.copy(record(copy), oldRecord);
            workload.small();
            capture();
            Replicas.catchUp(applier, history, 1);
            crashImage(applier.position());
        }
        workload.small();
        capture();
        Sqlite3.copy(oldRecord, record(copy));
        damage();
        try (Applier applier = Replicas.open(copy)) {
            assertThat(applier.isInDoubt()).isTrue();
            assertThatThrownBy(() -> Replicas.catchUp(applier, history, 100)).isInstanceOf(DivergedException.class);
        }
        assertThat(Workload.check(Sqlite3.run(copy, Workload.STATE + ";"))).isEqualTo(counter() - 1);
    }

    @Test
    void theWalIsEmptiedBetweenTransactionsAndStaysShort() throws Exception {
        long limit = 200_000;
        try (Applier applier = Replicas.open(copy, new Applier.Options(false, limit))) {
            for (int i = 0; i < 200; i++) {
                workload.small();
                capture();
                Replicas.catchUp(applier, history, 1);
                assertThat(Files.size(wal(copy))).isLessThan(5 * limit);
            }
            assertThat(applier.durable().frameNo())
                    .isGreaterThan(primary.start().startFrameNo());
            Databases.assertSamePages(copy, primary.path());
        }
    }

    @Test
    void aReaderWithAnOldSnapshotPostponesTheEmptyingAndKeepsItsState() throws Exception {
        long limit = 100_000;
        try (Applier applier = Replicas.open(copy, new Applier.Options(false, limit));
                Sqlite3 reader = new Sqlite3(copy)) {
            catchUpAfter(applier, 1);
            long snapshot = Workload.check(reader.ask("BEGIN; " + Workload.STATE + ";"));
            for (int i = 0; i < 100; i++) {
                workload.small();
                capture();
                Replicas.catchUp(applier, history, 1);
            }
            assertThat(Files.size(wal(copy))).isGreaterThan(5 * limit);
            assertThat(Workload.check(reader.ask(Workload.STATE + ";"))).isEqualTo(snapshot);
            reader.ask("COMMIT;");
            applier.tend();
            assertThat(Files.size(wal(copy))).isZero();
            assertThat(Workload.check(reader.ask(Workload.STATE + ";"))).isEqualTo(counter());
        }
    }

    @Test
    void aReaderThatNeverEndsIsComplainedOfNowAndThenUntilItDoes() throws Exception {
        long limit = 20_000;
        ListAppender<ILoggingEvent> logged = new ListAppender<>();
        Logger logger = (Logger) LoggerFactory.getLogger(WalKeeper.class);
        logged.start();
        logger.addAppender(logged);
        try (Applier applier = Replicas.open(copy, new Applier.Options(false, limit));
                Sqlite3 reader = new Sqlite3(copy)) {
            catchUpAfter(applier, 1);
            for (int round = 0; round < 2; round++) {
                applier.tend();
                assertThat(Files.size(wal(copy))).isZero();
                logged.list.clear();
                reader.ask("BEGIN; " + Workload.STATE + ";");
                while (Files.size(wal(copy)) < 40 * limit) {
                    workload.small();
                    capture();
                    Replicas.catchUp(applier, history, 1);
                }
                long complaints = complaints(logged);
                assertThat(complaints).isBetween(2L, 3L); // at 8 and 16 limits, and at 32 unless those came late
                reader.ask("COMMIT;");
            }
        } finally {
            logger.detachAppender(logged);
        }
    }

    private static long complaints(ListAppender<ILoggingEvent> logged) {
        return logged.list.stream()
                .filter(event -> event.getLevel() == Level.WARN)
                .filter(event -> event.getFormattedMessage().contains("a transaction open"))
                .count();
    }

    /** Else a loss of power would leave a record that is ahead of the file. */
    @Test
    void whatAnotherProgramCopiedIntoTheFileWithoutSyncingItIsSyncedBeforeItCountsAsDurable() throws Exception {
        long limit = 100_000;
        try (Applier applier = Replicas.open(copy, new Applier.Options(false, limit))) {
            try (Sqlite3 reader = new Sqlite3(copy)) {
                reader.ask("BEGIN; " + Workload.STATE + ";");
                while (Files.size(wal(copy)) < 2 * limit) {
                    catchUpAfter(applier, 1);
                }
                applier.tend(); // no copying of its own is under way any more
                reader.ask("COMMIT;");
            }
            checkpointWithoutSync("PASSIVE");
            applier.tend();
            assertThat(Files.size(wal(copy))).isZero();
            assertThat(unsynced()).isEqualTo("0");

            catchUpAfter(applier, 1);
            checkpointWithoutSync("TRUNCATE");
            applier.tend();
            assertThat(applier.durable()).isEqualTo(applier.position());
            assertThat(unsynced()).isEqualTo("0");

            catchUpAfter(applier, 1);
            checkpointWithoutSync("PASSIVE");
        }
        assertThat(unsynced()).isEqualTo("0");
    }

    private void checkpointWithoutSync(String mode) throws Exception {
        assertThat(Sqlite3.run(copy, "PRAGMA synchronous=OFF; PRAGMA wal_checkpoint(" + mode + ");"))
                .startsWith("0|");
        assumeFalse(unsynced().equals("0"), "somebody has synced all file systems just now");
    }

    private String unsynced() throws IOException {
        String pages = Foreign.c("unsynced.c", copy).end();
        assumeFalse(pages.equals("unknown"), "the system does not tell what it has not written to the disk");
        return pages;
    }

    @Test
    void aDurableReplicaIsDurableAtItsPositionAndAnotherOnlyWhenAsked() throws Exception {
        try (Applier applier = Replicas.open(copy, new Applier.Options(true, 16 << 20))) {
            catchUpAfter(applier, 3);
            assertThat(applier.durable()).isEqualTo(applier.position());
        }
        try (Applier applier = Replicas.open(copy)) {
            CommitRecord atOpen = applier.position();
            catchUpAfter(applier, 3);
            assertThat(applier.durable().isSameAs(atOpen)).isTrue();
            assertThat(applier.sync()).isEqualTo(applier.position()).isEqualTo(applier.durable());
            catchUpAfter(applier, 1);
            applier.tend();
            assertThat(applier.durable()).isEqualTo(applier.position());
        }
    }

    @Test
    void aTransactionThatDoesNotFollowIsNotApplied() throws Exception {
        commit(3);
        try (Applier applier = Replicas.open(copy)) {
            CommitRecord first = history.commit(0);
            assertThatThrownBy(() -> applier.apply(history.after(first, List.of(), 1)))
                    .isInstanceOf(IllegalArgumentException.class);
            Replicas.catchUp(applier, history, 2);
            Databases.assertSamePages(copy, primary.path());
        }
    }

    @Test
    void aDatabaseThatIsNoReplicaIsNotTouched() throws Exception {
        Path other = directory.resolve("other.db");
        Sqlite3.run(other, "CREATE TABLE t (a); INSERT INTO t VALUES (1);");
        byte[] before = Files.readAllBytes(other);
        assertThatThrownBy(() -> Applier.open(other, Applier.Options.defaults()))
                .isInstanceOf(NotAReplicaException.class)
                .hasMessageContaining("--force");
        assertThat(Files.readAllBytes(other)).isEqualTo(before);
        assertThat(Files.exists(wal(other))).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"PRAGMA journal_mode=DELETE;", "PRAGMA page_size=8192; PRAGMA journal_mode=WAL;"})
    void anotherDatabaseInTheReplicasPlaceIsNotTouched(String shape) throws Exception {
        Files.delete(copy);
        Sqlite3.run(copy, shape + "CREATE TABLE precious (a);");
        byte[] before = Files.readAllBytes(copy);
        assertThatThrownBy(() -> Replicas.open(copy))
                .isInstanceOf(NotAReplicaException.class)
                .hasMessageContaining("--force");
        assertThat(Files.readAllBytes(copy)).isEqualTo(before);
        assertThat(Files.exists(wal(copy))).isFalse();
    }

    @Test
    void aFileThatIsNoDatabaseInTheReplicasPlaceIsNotTouched() throws Exception {
        Files.writeString(copy, "a letter");
        assertThatThrownBy(() -> Replicas.open(copy)).isInstanceOf(NotAReplicaException.class);
        assertThat(copy).hasContent("a letter");
    }

    @Test
    void whereNothingIsThereIsNoReplica() throws Exception {
        assertThat(Applier.open(directory.resolve("absent.db"), Applier.Options.defaults()))
                .isNull();
    }

    @Test
    void aDamagedRecordIsReported() throws Exception {
        try (RandomAccessFile file = new RandomAccessFile(record(copy).toFile(), "rw")) {
            file.write(new byte[1024]);
        }
        assertThatThrownBy(() -> Replicas.open(copy)).isInstanceOf(CorruptException.class);
        Files.delete(copy);
        assertThat(Applier.open(copy, Applier.Options.defaults())).isNull();
        Replicas.create(copy, primary);
        advance(3);
    }

    @Test
    void aReplicaIsFollowedByOneProcessAtATime() throws Exception {
        try (Applier applier = Replicas.open(copy)) {
            assertThatThrownBy(() -> Replicas.open(copy)).isInstanceOf(UnavailableException.class);
            catchUpAfter(applier, 1);
        }
    }

    /** Commits transactions of all kinds on the primary. */
    private void commit(int count) throws IOException, SQLException {
        capture();
        int size = history.size();
        while (history.size() < size + count) {
            workload.any();
            capture();
        }
    }

    private void capture() throws IOException {
        history.add(primary.capture());
    }

    private void catchUpAfter(Applier applier, int count) throws IOException, SQLException {
        commit(count);
        Replicas.catchUp(applier, history, 4);
    }

    /** Opens the replica, applies that many new transactions and closes it. */
    private void advance(int count) throws IOException, SQLException {
        try (Applier applier = Replicas.open(copy)) {
            catchUpAfter(applier, count);
        }
    }

    private long counter() throws SQLException {
        try (var statement = primary.connection().createStatement()) {
            return Workload.check(statement);
        }
    }

    /** From now on {@link #copy} is what a kill at this moment would leave: the files without the wal-index. */
    private void crashImage(CommitRecord position) throws IOException {
        Path image = directory.resolve("crash.db");
        Sqlite3.copy(copy, image);
        Sqlite3.copy(wal(copy), wal(image));
        Sqlite3.copy(record(copy), record(image));
        assertThat(position.isSameAs(history.head())).isTrue();
        copy = image;
    }

    /** Opens the replica and applies that many new transactions, of which a crash leaves the frames, but nothing in the record. */
    private void crashThatTakesFromTheRecord(int count) throws IOException, SQLException {
        Path oldRecord = directory.resolve("old-record");
        try (Applier applier = Replicas.open(copy)) {
            Sqlite3.copy(record(copy), oldRecord);
            catchUpAfter(applier, count);
            crashImage(applier.position());
        }
        Sqlite3.copy(oldRecord, record(copy));
    }

    private static Path wal(Path database) {
        return database.resolveSibling(database.getFileName() + "-wal");
    }

    private static Path record(Path database) {
        return database.resolveSibling(database.getFileName() + "-lockstep");
    }

    /** Changes a byte in the middle of a row, as a bad disk would, and then the file's time back. */
    private void damageUnseen() throws IOException {
        FileTime time = Files.getLastModifiedTime(copy);
        damage();
        Files.setLastModifiedTime(copy, time);
    }

    private void damage() throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(copy.toFile(), "rw")) {
            file.seek(file.length() - 1);
            int last = file.read();
            file.seek(file.length() - 1);
            file.write(last ^ 1);
        }
    }
}
