package dev.lockstep.capture;

import static dev.lockstep.sqlite.SqliteConnections.execute;
import static dev.lockstep.sqlite.SqliteConnections.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.lockstep.Programs;
import dev.lockstep.Progress;
import dev.lockstep.log.FrameLog;
import dev.lockstep.testing.LogCheck;
import dev.lockstep.testing.Sqlite3;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sqlite.SQLiteConnection;

/** Writers that outrun the disk: nothing comes into the database file for as long as the test holds the monitor of what copies it there. */
class SlowDiskTest {

    private static final int LIMIT = 8 << 20;
    private static final int TRANSACTION = 1 << 20;

    /** One, but for a test that is asleep while the brake holds. */
    private static final int TRANSACTIONS_PAST_LIMIT = 10;

    private static final String INSERT = "INSERT INTO t(v) VALUES (zeroblob(" + TRANSACTION + "))";

    @TempDir
    Path directory;

    @Test
    void theWalOfWritersThatOutrunTheDiskStaysBoundedAndNoCommitIsLost() throws Exception {
        Programs.require("sqlite3");
        Path database = directory.resolve("app.db");
        String url = "jdbc:sqlite:" + database;
        try (Connection connection = DriverManager.getConnection(url)) {
            execute(connection, "PRAGMA journal_mode=WAL");
            execute(connection, "CREATE TABLE t (id INTEGER PRIMARY KEY, v)");
        }
        Path base = Files.copy(database, directory.resolve("base.db"));
        LogCheck check = new LogCheck(base, 4096);
        int committed;
        try (Capture capture = opener(database).open(null, Progress.NONE);
                FrameLog log = capture.log();
                Connection writer = DriverManager.getConnection(url)) {
            execute(writer, "PRAGMA wal_autocheckpoint=0");
            ExecutorService threads = Executors.newSingleThreadExecutor();
            Future<?> running = threads.submit(() -> run(capture));
            synchronized (((SQLiteConnection) capture.attachment().checkpoint()).getDatabase()) {
                committed = writeUntilHeldUp(writer, capture);
                assertThat(Files.size(directory.resolve("app.db-wal")))
                        .isBetween((long) LIMIT, LIMIT + (TRANSACTIONS_PAST_LIMIT + 1L) * TRANSACTION);
                assertThat(Sqlite3.run(database, ".timeout 60000\n" + (INSERT + ";").repeat(3)))
                        .isEmpty();
                committed += 3;
            }
            await().atMost(Duration.ofMinutes(1)).until(() -> capture.status().uncopiedFrames() == 0);
            execute(writer, "PRAGMA busy_timeout=60000");
            execute(writer, INSERT);
            committed++;
            assertThat(text(writer, "SELECT count(*) FROM t")).isEqualTo(String.valueOf(committed));
            capture.stop();
            running.get(1, TimeUnit.MINUTES);
            threads.shutdown();
            check.execute(log);
        }
        check.assertIs(database);
    }

    private CaptureOpener opener(Path database) {
        return new CaptureOpener(
                database, CaptureOpener.Home.in(directory, FrameLog.Options.defaults()), InstantSource.system(), LIMIT);
    }

    private static void run(Capture capture) {
        try {
            while (!capture.run(() -> sync(capture.log()))) {
                await().until(capture::wakes);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void sync(FrameLog log) {
        try {
            log.sync();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** @return how many transactions were committed until one met the write lock held, by the brake: nobody else takes it here */
    private static int writeUntilHeldUp(Connection writer, Capture capture) throws Exception {
        execute(writer, "PRAGMA busy_timeout=0");
        int most = LIMIT / TRANSACTION + TRANSACTIONS_PAST_LIMIT;
        for (int committed = 0; committed < most; committed++) {
            try {
                execute(writer, INSERT);
            } catch (SQLException e) {
                assertThat(e.getMessage()).contains("SQLITE_BUSY");
                return committed;
            }
            for (int round = 0; round < 2; round++) { // the second begins after the first, and its brake, has ended
                assertThat(capture.awaitCaptured(TimeUnit.MINUTES.toNanos(1))).isTrue();
            }
        }
        throw new AssertionError(most + " transactions, and no brake");
    }
}
