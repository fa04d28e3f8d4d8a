package dev.lockstep.capture;

import static dev.lockstep.sqlite.SqliteConnections.execute;
import static dev.lockstep.sqlite.SqliteConnections.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.lockstep.CorruptException;
import dev.lockstep.Position;
import dev.lockstep.Primary;
import dev.lockstep.Progress;
import dev.lockstep.UnavailableException;
import dev.lockstep.UnsupportedException;
import dev.lockstep.io.CrashPoint;
import dev.lockstep.io.Storage;
import dev.lockstep.log.CommitRecord;
import dev.lockstep.log.FrameLayout;
import dev.lockstep.log.FrameLog;
import dev.lockstep.log.LogStart;
import dev.lockstep.pages.FileScan;
import dev.lockstep.pages.StateChecksum;
import dev.lockstep.testing.ChildJvm;
import dev.lockstep.testing.EveryKind;
import dev.lockstep.testing.PrimaryProcess;
import dev.lockstep.testing.Sqlite3;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Capture of real databases: the state checksum at the head of the log must be the one of the database file. */
class CaptureTest {

    private static final String[] CHECKPOINTS = {"PASSIVE", "FULL", "RESTART", "TRUNCATE"};

    @TempDir
    Path directory;

    private Path database;

    @BeforeEach
    void name() {
        database = directory.resolve("app.db");
    }

    @ParameterizedTest
    @ValueSource(ints = {512, 1024, 2048, 4096, 8192, 16384, 32768, 65536})
    void everyCommitOfSeveralWritersIsCapturedWhateverCheckpointsGoOn(int pageSize) throws Exception {
        create("PRAGMA page_size=" + pageSize);
        try (Primary primary = Primary.of(database).open()) {
            ExecutorService threads = Executors.newFixedThreadPool(4);
            List<Future<Integer>> writers = new ArrayList<>();
            for (int w = 0; w < 3; w++) {
                long seed = System.nanoTime();
                writers.add(threads.submit(insideThisJvm(w, seed, 150)));
            }
            writers.add(threads.submit(sqlite3(15)));
            for (Future<Integer> writer : writers) {
                writer.get(120, TimeUnit.SECONDS);
            }
            threads.shutdown();
            assertThat(primary.status().failure()).isNull();
        }
        assertLogHoldsTheDatabase();
    }

    @Test
    void everyKindOfTransactionIsCaptured() throws Exception {
        create("PRAGMA auto_vacuum=FULL");
        try (Primary primary = Primary.of(database).open();
                Connection writer = connect()) {
            for (String sql : EveryKind.TRANSACTIONS) {
                execute(writer, sql);
            }
            assertThat(primary.status().failure()).isNull();
        }
        assertLogHoldsTheDatabase();
    }

    @Test
    void aRestartGoesOnWhereTheLogEnded() throws Exception {
        create("");
        Position stopped;
        try (Connection keeper = connect()) {
            execute(keeper, "PRAGMA wal_autocheckpoint=0");
            try (Primary primary = Primary.of(database).open()) {
                execute(keeper, "INSERT INTO t(v) VALUES ('one')");
                primary.close();
                stopped = primary.position();
            }
            execute(keeper, "INSERT INTO t(v) VALUES ('two')");
            execute(keeper, "INSERT INTO t(v) VALUES ('three')");
            try (Primary primary = Primary.of(database).open()) {
                primary.close();
                assertThat(primary.position().logId()).isEqualTo(stopped.logId());
                assertThat(transactionsAfter(primary.log(), stopped)).isEqualTo(2);
            }
        }
        assertLogHoldsTheDatabase();
    }

    @Test
    void whatWasRecycledWhileStoppedIsAppendedAsThePagesThatDiffer() throws Exception {
        create("");
        Position stopped;
        try (Primary primary = Primary.of(database).open();
                Connection writer = connect()) {
            execute(writer, "INSERT INTO t(v) SELECT randomblob(3000) FROM (VALUES (1),(2),(3),(4),(5),(6),(7),(8))");
            primary.close();
            stopped = primary.position();
        }
        try (Connection writer = connect()) {
            execute(writer, "UPDATE t SET v = 'changed' WHERE id = 3");
            execute(writer, "PRAGMA wal_checkpoint(TRUNCATE)");
        }
        try (Primary primary = Primary.of(database).open()) {
            assertThat(primary.position().logId()).isEqualTo(stopped.logId());
            long appended = primary.position().frameNo() - stopped.frameNo();
            assertThat(appended).isBetween(1L, 6L);
            assertThat(transactionsAfter(primary.log(), stopped)).isEqualTo(1);
        }
        assertLogHoldsTheDatabase();
    }

    /** As a power failure leaves it: the log was synced, SQLite's WAL was not. */
    @ParameterizedTest
    @ValueSource(ints = {1, 3, 5})
    void transactionsThatTheWalLostArePutBackFromTheLog(int lost) throws Exception {
        assertAllAreThere(losePowerAndFrames(lost));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 5})
    void aFailedOpenLeavesTheProofThatTheWalLostTransactions(int lost) throws Exception {
        Position captured = losePowerAndFrames(lost);
        Path kept = directory.resolve("kept.idx");
        Files.move(data().resolve("pages.idx"), kept);
        Files.createDirectory(data().resolve("pages.idx"));
        assertThatThrownBy(() -> Primary.of(database).open()).isInstanceOf(IOException.class);
        Files.delete(data().resolve("pages.idx"));
        Files.move(kept, data().resolve("pages.idx"));
        assertAllAreThere(captured);
    }

    /** All frames of the WAL were lost, and some of them are put back when the process dies. */
    @Test
    void puttingBackGoesOnAfterACrashInTheMiddleOfIt() throws Exception {
        Position captured = losePowerAndFrames(5);
        Map<String, String> crash = Map.of("lockstep.crashAt", CrashPoint.APPLY_FRAMES_WRITTEN.name());
        try (ChildJvm child = new ChildJvm(PrimaryProcess.class, crash, database.toString(), "1000000")) {
            assertThat(child.exitCode()).as(child.tail()).isEqualTo(ChildJvm.KILLED);
        }
        try (RandomAccessFile wal = new RandomAccessFile(database + "-wal", "rw")) {
            wal.setLength(32 + 2 * (24 + 4096));
        }
        assertAllAreThere(captured);
    }

    /** Five inserts of one frame each are in the log, and of these so many not in the WAL. */
    private Position losePowerAndFrames(int lost) throws Exception {
        create("");
        Position captured;
        int walFrames;
        Path crashed = Files.createDirectory(directory.resolve("crashed"));
        try (Connection writer = connect()) {
            execute(writer, "PRAGMA wal_autocheckpoint=0");
            try (Primary primary = Primary.of(database).open()) {
                execute(writer, "INSERT INTO t(v) VALUES (0)");
                primary.close();
                captured = primary.position();
            }
            text(writer, "PRAGMA wal_checkpoint(TRUNCATE)");
            try (Primary primary = Primary.of(database).open()) {
                for (int i = 1; i <= 5; i++) {
                    execute(writer, "INSERT INTO t(v) VALUES (" + i + ")");
                }
                primary.close();
                walFrames = (int) (primary.position().frameNo() - captured.frameNo());
                captured = primary.position();
            }
            copyTree(directory.resolve("app.db-lockstep"), crashed.resolve("app.db-lockstep"));
            Files.copy(database, crashed.resolve("app.db"));
            Files.copy(directory.resolve("app.db-wal"), crashed.resolve("app.db-wal"));
        }
        assertThat(walFrames).as("one frame for each insert").isEqualTo(5);
        try (RandomAccessFile wal =
                new RandomAccessFile(crashed.resolve("app.db-wal").toFile(), "rw")) {
            wal.seek(32 + (walFrames - lost) * (24L + 4096));
            wal.write(new byte[lost * (24 + 4096)]);
        }
        database = crashed.resolve("app.db");
        return captured;
    }

    private void assertAllAreThere(Position captured) throws Exception {
        try (Primary primary = Primary.of(database).open();
                Connection reader = connect()) {
            assertThat(text(reader, "SELECT group_concat(v) FROM t")).isEqualTo("0,1,2,3,4,5");
            assertThat(primary.position()).isEqualTo(captured);
            execute(reader, "INSERT INTO t(v) VALUES (6)");
        }
        assertLogHoldsTheDatabase();
    }

    /** What was not synced when the power failed, cut anywhere; the database has it in its WAL still, or others recycled that meanwhile. */
    @ParameterizedTest
    @CsvSource({"1,false", "30,false", "4200,false", "9000,false", "1,true", "9000,true"})
    void aTornTailOfTheLogIsMadeGoodFromTheDatabase(int cut, boolean recycled) throws Exception {
        create("");
        Path crashed = Files.createDirectory(directory.resolve("crashed"));
        CaptureOpener.Home home = CaptureOpener.Home.in(data(), FrameLog.Options.defaults());
        Files.createDirectories(data());
        LogStart start;
        long frames;
        try (Connection writer = connect()) {
            execute(writer, "PRAGMA wal_autocheckpoint=0");
            try (Capture capture = new CaptureOpener(database, home, InstantSource.system()).open(null, Progress.NONE);
                    FrameLog log = capture.log()) {
                for (int i = 0; i < 5; i++) {
                    execute(writer, "INSERT INTO t(v) VALUES (randomblob(2000))");
                }
                capture.catchUp(); // and nobody syncs
                start = log.start();
                frames = log.head().frameNo() + 1 - start.startFrameNo();
                copyTree(data(), crashed.resolve("app.db-lockstep"));
            }
            Sqlite3.copy(database, crashed.resolve("app.db"));
            Sqlite3.copy(directory.resolve("app.db-wal"), crashed.resolve("app.db-wal"));
        }
        database = crashed.resolve("app.db");
        if (recycled) {
            Sqlite3.run(database, "DELETE FROM t WHERE id = 3; PRAGMA wal_checkpoint(TRUNCATE);");
        }
        try (Stream<Path> files = Files.list(data().resolve("log"))) {
            Path segment = files.max(
                            Comparator.comparingLong(file -> file.toFile().length()))
                    .orElseThrow();
            try (RandomAccessFile file = new RandomAccessFile(segment.toFile(), "rw")) {
                file.setLength(64 + frames * FrameLayout.frameSize(4096) - cut);
            }
        }
        try (Primary primary = Primary.of(database).open()) {
            assertThat(primary.position().logId()).isEqualTo(start.logId());
            Sqlite3.run(database, "INSERT INTO t(v) VALUES ('goes on');");
            primary.awaitCaptured(Duration.ofMinutes(1));
            assertThat(primary.status().failure()).isNull();
        }
        assertLogHoldsTheDatabase();
    }

    private static void copyTree(Path from, Path to) throws Exception {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                Files.copy(file, to.resolve(from.relativize(file)));
            }
        }
    }

    /** Then the database file alone does not hold the state, and pages are taken from the WAL. */
    @Test
    void aHistoryBeginsAndIsReconciledWhileAReaderHoldsUpCheckpoints() throws Exception {
        create("");
        try (Connection reader = connect();
                Connection writer = connect()) {
            execute(writer, "INSERT INTO t(v) VALUES (zeroblob(20000))");
            execute(reader, "BEGIN");
            text(reader, "SELECT count(*) FROM t");
            execute(writer, "UPDATE t SET v = randomblob(30000)");
            try (Primary primary = Primary.of(database).open()) {
                execute(writer, "INSERT INTO t(v) VALUES (randomblob(10000))");
                assertThat(primary.status().failure()).isNull();
            }
            Files.delete(data().resolve("pages.idx"));
            execute(writer, "UPDATE t SET v = randomblob(25000) WHERE id = 2");
            Primary.of(database).open().close();
            execute(reader, "ROLLBACK");
        }
        assertLogHoldsTheDatabase();
    }

    @Test
    void anUnchangedDatabaseAppendsNothingAtARestart() throws Exception {
        create("");
        Position stopped;
        try (Primary primary = Primary.of(database).open();
                Connection writer = connect()) {
            execute(writer, "INSERT INTO t(v) VALUES (1)");
            primary.close();
            stopped = primary.position();
        }
        try (Primary primary = Primary.of(database).open()) {
            assertThat(primary.position()).isEqualTo(stopped);
        }
    }

    @Test
    void aLostPageIndexIsMadeAnew() throws Exception {
        create("");
        Position stopped;
        try (Primary primary = Primary.of(database).open();
                Connection writer = connect()) {
            execute(writer, "INSERT INTO t(v) VALUES (1)");
            primary.close();
            stopped = primary.position();
        }
        Files.delete(data().resolve("pages.idx"));
        try (Primary primary = Primary.of(database).open();
                Connection writer = connect()) {
            assertThat(primary.position()).isEqualTo(stopped);
            execute(writer, "INSERT INTO t(v) VALUES (2)");
        }
        assertLogHoldsTheDatabase();
    }

    @Test
    void aPageSizeChangedWhileStoppedIsRefused() throws Exception {
        create("");
        Primary.of(database).open().close();
        try (Connection writer = connect()) {
            execute(writer, "PRAGMA journal_mode=DELETE");
            execute(writer, "PRAGMA page_size=8192");
            execute(writer, "VACUUM");
        }
        assertThatThrownBy(() -> Primary.of(database).open())
                .isInstanceOf(UnsupportedException.class)
                .hasMessageContaining("4096")
                .hasMessageContaining("8192");
    }

    /** As SQLite 3.40.1 leaves them after a ROLLBACK TO that took back spilled pages; see Transcriber. */
    @ParameterizedTest
    @ValueSource(strings = {"3", "4,5,6", "20", "1,2,20"})
    void framesThatAnOldSqliteLeftWithoutChecksumAreCapturedToo(String frames) throws Exception {
        create("");
        try (Connection writer = connect()) {
            text(writer, "PRAGMA wal_checkpoint(TRUNCATE)");
        }
        try (Capture capture = opener().open(null, Progress.NONE);
                Connection writer = connect()) {
            execute(writer, "INSERT INTO t(v) VALUES (zeroblob(18 * 4092 + 200))");
            try (RandomAccessFile wal = new RandomAccessFile(database + "-wal", "rw")) {
                assertThat(wal.length()).isEqualTo(32 + 20 * (24 + 4096));
                for (String frame : frames.split(",")) {
                    wal.seek(32 + (Integer.parseInt(frame) - 1) * (24 + 4096) + 8);
                    wal.write(new byte[16]);
                }
            }
            assertThat(capture.catchUp()).isTrue();
            execute(writer, "INSERT INTO t(v) VALUES (1)");
            assertThat(capture.catchUp()).isTrue();
        }
        assertLogHoldsTheDatabase(directory.resolve("log"));
    }

    @Test
    void aDamagedPageInTheWalIsReported() throws Exception {
        create("");
        try (Capture capture = opener().open(null, Progress.NONE);
                Connection writer = connect()) {
            execute(writer, "INSERT INTO t(v) VALUES (zeroblob(10000))");
            try (RandomAccessFile wal = new RandomAccessFile(database + "-wal", "rw")) {
                wal.seek(wal.length() - 1);
                wal.write(1);
            }
            assertThatThrownBy(capture::catchUp)
                    .isInstanceOf(CorruptException.class)
                    .hasMessageContaining("WAL frame");
        }
    }

    private CaptureOpener opener() {
        return new CaptureOpener(
                database,
                CaptureOpener.Home.in(directory, FrameLog.Options.defaults()),
                java.time.InstantSource.system());
    }

    @Test
    void framesRecycledBeforeTheirCaptureAreNoticed() throws Exception {
        create("");
        try (Capture capture = opener().open(null, Progress.NONE);
                Connection writer = connect()) {
            capture.step();
            capture.attachment().pins().end();
            for (int i = 0; i < 3; i++) {
                execute(writer, "INSERT INTO t(v) VALUES (1)");
                assertThat(text(writer, "PRAGMA wal_checkpoint(TRUNCATE)")).isEqualTo("0");
            }
            assertThatThrownBy(capture::catchUp).isInstanceOf(MissedFramesException.class);
        }
    }

    @Test
    void aDatabaseThatIsDeletedIsReportedAndNotMadeAnew() throws Exception {
        create("");
        try (Primary primary = Primary.of(database).open()) {
            Files.move(database, directory.resolve("elsewhere.db"));
            await().atMost(Duration.ofSeconds(30)).until(() -> primary.status().state() == Primary.State.FAILED);
            assertThat(primary.status().failure()).contains("deleted");
        }
        assertThat(database).doesNotExist();
        assertThatThrownBy(() -> Primary.of(database).open())
                .isInstanceOf(UnavailableException.class)
                .hasMessageContaining("gone");
        assertThat(database).doesNotExist();
    }

    @Test
    void onePrimaryAtATimeHasADatabase() throws Exception {
        create("");
        try (Primary first = Primary.of(database).open()) {
            assertThatThrownBy(() -> Primary.of(database).open()).isInstanceOf(UnavailableException.class);
            assertThat(first.status().state()).isEqualTo(Primary.State.CAPTURING);
        }
    }

    @Test
    void anEmptyDatabaseIsCapturedFromItsFirstPage() throws Exception {
        try (Primary primary = Primary.of(database).open();
                Connection writer = connect()) {
            execute(writer, "CREATE TABLE t (a)");
            assertThat(primary.status().failure()).isNull();
        }
        assertLogHoldsTheDatabase();
    }

    private Callable<Integer> insideThisJvm(int number, long seed, int transactions) {
        return () -> {
            Random random = new Random(seed);
            System.out.println("writer " + number + " seed " + seed);
            try (Connection writer = connect()) {
                for (int i = 0; i < transactions; i++) {
                    execute(writer, "INSERT INTO t(v) VALUES (randomblob(" + random.nextInt(5000) + "))");
                    if (random.nextInt(10) == 0) {
                        execute(writer, "DELETE FROM t WHERE id IN (SELECT id FROM t ORDER BY random() LIMIT 5)");
                    }
                    if (random.nextInt(15) == 0) {
                        checkpoint(writer, CHECKPOINTS[random.nextInt(CHECKPOINTS.length)]);
                    }
                }
            }
            return transactions;
        };
    }

    /** A checkpoint that other writers get in the way of is one more kind of hostile, not a failure. */
    private static void checkpoint(Connection writer, String mode) {
        try {
            text(writer, "PRAGMA wal_checkpoint(" + mode + ")");
        } catch (SQLException e) {
            assertThat(e.getMessage()).contains("locked");
        }
    }

    private Callable<Integer> sqlite3(int rounds) {
        return () -> {
            for (int i = 0; i < rounds; i++) {
                String sql = ".timeout 20000\nINSERT INTO t(v) VALUES (randomblob(" + 2000 * i + "));\n"
                        + "BEGIN; UPDATE t SET v = 'cli' WHERE id % 7 = " + i % 7 + "; COMMIT;\n"
                        + "PRAGMA wal_checkpoint(" + CHECKPOINTS[i % 4] + ");\n";
                Process process = new ProcessBuilder("sqlite3", database.toString())
                        .redirectErrorStream(true)
                        .start();
                process.getOutputStream().write(sql.getBytes(java.nio.charset.StandardCharsets.UTF_8));
                process.getOutputStream().close();
                String output =
                        new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
                assertThat(process.waitFor()).as(output).isZero();
            }
            return rounds;
        };
    }

    private void create(String pragma) throws SQLException {
        try (Connection connection = connect()) {
            execute(connection, pragma.isEmpty() ? "SELECT 1" : pragma);
            execute(connection, "PRAGMA journal_mode=WAL");
            execute(connection, "CREATE TABLE t (id INTEGER PRIMARY KEY, v)");
        }
    }

    private Connection connect() throws SQLException {
        Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database);
        execute(connection, "PRAGMA busy_timeout=20000");
        return connection;
    }

    private Path data() {
        return database.resolveSibling("app.db-lockstep");
    }

    private static int transactionsAfter(FrameLog log, Position position) throws Exception {
        int count = 0;
        for (long frame = position.frameNo() + 1; frame <= log.head().frameNo(); frame++) {
            if (log.commitAt(frame) != null) {
                count++;
            }
        }
        return count;
    }

    /** Compares the state checksum at the end of the log with that of the file, once everything is in the file. */
    private void assertLogHoldsTheDatabase() throws Exception {
        assertLogHoldsTheDatabase(data().resolve("log"));
    }

    private void assertLogHoldsTheDatabase(Path logDirectory) throws Exception {
        try (Connection connection = connect()) {
            assertThat(text(connection, "PRAGMA wal_checkpoint(TRUNCATE)")).isEqualTo("0");
            assertThat(text(connection, "PRAGMA integrity_check")).isEqualTo("ok");
        }
        try (FrameLog log = FrameLog.open(Storage.directory(logDirectory), FrameLog.Options.defaults());
                RandomAccessFile file = new RandomAccessFile(database.toFile(), "r")) {
            LogStart start = log.start();
            CommitRecord head = log.head();
            assertThat(file.length()).isEqualTo((long) head.sizeAfter() * start.pageSize());
            long[] state = new long[1];
            FileScan.scan(
                    (position, into, offset, length) -> {
                        file.seek(position);
                        return file.read(into, offset, length);
                    },
                    start.pageSize(),
                    head.sizeAfter(),
                    (pageNo, contentCrc, bytes, offset) -> state[0] ^= StateChecksum.mix(pageNo, contentCrc));
            assertThat(state[0]).isEqualTo(head.stateChecksum());
        }
    }
}
