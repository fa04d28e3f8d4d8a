package dev.lockstep.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.lockstep.Position;
import dev.lockstep.Primary;
import dev.lockstep.Programs;
import dev.lockstep.log.FrameLog;
import dev.lockstep.testing.LogCheck;
import dev.lockstep.testing.Sqlite3;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files that are deleted, replaced or overwritten under a primary, while no other program has them open. */
class InPlaceTest {

    private static final int PAGE_SIZE = 4096;

    @TempDir
    Path directory;

    private Path database;
    private Path other;
    private LogCheck log;

    @BeforeEach
    void create() throws Exception {
        Programs.require("sqlite3", "cp");
        database = directory.resolve("app.db");
        other = directory.resolve("other.db");
        Sqlite3.run(database, "PRAGMA journal_mode=WAL; CREATE TABLE t(id INTEGER PRIMARY KEY, v);");
        log = new LogCheck(database, PAGE_SIZE);
        Sqlite3.run(other, "CREATE TABLE t(id INTEGER PRIMARY KEY, v); CREATE INDEX i ON t(v);" + insert(500));
    }

    private static String insert(int rows) {
        return "WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < " + rows
                + ") INSERT INTO t(v) SELECT randomblob(1000) FROM i;";
    }

    @Test
    void aWalThatOthersBeganAfterTheFirstWasDeletedIsFollowedAndKept() throws Exception {
        whileFollowed(() -> {
            Files.delete(directory.resolve("app.db-wal"));
            Files.delete(directory.resolve("app.db-shm"));
            Sqlite3.run(database, insert(50));
        });
        assertThat(rows()).isEqualTo("157");
    }

    @Test
    void aFileThatReplacesTheDatabaseGetsNothingOfItsWal() throws Exception {
        whileFollowed(() -> Files.move(other, database, StandardCopyOption.ATOMIC_MOVE));
        assertThat(rows()).isEqualTo("507");
    }

    /** As {@code cp} does, with which a backup is put back. */
    @Test
    void aFileThatIsOverwrittenIsComparedWithTheLog() throws Exception {
        whileFollowed(() -> {
            Process cp = new ProcessBuilder("cp", other.toString(), database.toString()).start();
            assertThat(cp.waitFor()).isZero();
        });
        assertThat(rows()).isEqualTo("507");
    }

    private interface Meddling {
        void run() throws Exception;
    }

    /** What is done to the files between 100 rows that are in the database file, and 7 more; afterwards the log is what the database is. */
    private void whileFollowed(Meddling meddling) throws Exception {
        try (Primary primary = Primary.of(database).open()) {
            Position before = writeAndCopy(primary);
            meddling.run();
            awaitCaptured(primary, before);
            Sqlite3.run(database, insert(7));
        }
        assertTheLogIsTheDatabase();
    }

    private String rows() throws Exception {
        return Sqlite3.run(database, "SELECT count(*) FROM t;").trim();
    }

    private Position writeAndCopy(Primary primary) throws Exception {
        Position start = primary.position();
        Sqlite3.run(database, insert(100));
        await().until(() ->
                !primary.position().equals(start) && primary.status().wal().uncopiedFrames() == 0);
        return primary.position();
    }

    private static void awaitCaptured(Primary primary, Position before) {
        await().atMost(Duration.ofSeconds(30))
                .until(() ->
                        !primary.position().equals(before) && primary.status().failure() == null);
    }

    private void assertTheLogIsTheDatabase() throws Exception {
        assertThat(Sqlite3.run(database, "PRAGMA integrity_check;").trim()).isEqualTo("ok");
        CaptureOpener.Home home =
                CaptureOpener.Home.in(directory.resolve("app.db-lockstep"), FrameLog.Options.defaults());
        try (FrameLog found = FrameLog.open(home.storage(), home.options())) {
            log.execute(found);
        }
        log.assertIs(database);
    }
}
