package dev.lockstep.capture;

import static dev.lockstep.sqlite.SqliteConnections.execute;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.lockstep.Primary;
import dev.lockstep.Progress;
import dev.lockstep.log.FrameLog;
import dev.lockstep.testing.Foreign;
import dev.lockstep.testing.Workload;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Duration;
import java.time.InstantSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Lockstep's own checkpoints. */
class CheckpointTest {

    @TempDir
    Path directory;

    /** The writer's small transactions follow one another within microseconds, and it has no checkpoints of its own. */
    @Test
    void theWalStartsAnewAgainAndAgainUnderAWriterThatNeverPauses() throws Exception {
        Path database = directory.resolve("app.db");
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database)) {
            execute(connection, "PRAGMA journal_mode=WAL");
            new Workload(connection, 1).create();
        }
        try (Primary primary = Primary.of(database).open();
                Connection connection =
                        DriverManager.getConnection("jdbc:sqlite:" + database + "?busy_timeout=60000")) {
            execute(connection, "PRAGMA wal_autocheckpoint=0");
            Workload workload = new Workload(connection, 1);
            Starts starts = new Starts();
            long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
            while (starts.count(primary.status().wal().walFrames()) < 5) {
                assertThat(System.nanoTime()).as("time for five starts").isLessThan(deadline);
                workload.small();
            }
            assertThat(primary.status().failure()).isNull();
        }
    }

    /** It keeps more frames from being copied than a checkpoint leaves for the time under the write lock at most. */
    @Test
    void aReaderOfAnOldStateIsToldOfHoweverLargeTheWal() throws Exception {
        Path database = directory.resolve("app.db");
        String url = "jdbc:sqlite:" + database + "?busy_timeout=60000";
        try (Connection writer = DriverManager.getConnection(url)) {
            execute(writer, "PRAGMA page_size=512");
            execute(writer, "PRAGMA journal_mode=WAL");
            execute(writer, "CREATE TABLE t (v BLOB)");
            try (Primary primary = Primary.of(database).open();
                    Connection reader = DriverManager.getConnection(url)) {
                execute(reader, "BEGIN");
                execute(reader, "SELECT count(*) FROM t");
                for (int i = 0; i < 60; i++) {
                    execute(writer, "INSERT INTO t VALUES (zeroblob(1000000))");
                }
                await().until(() -> primary.status().wal().uncopiedFrames() > 102_400);
                int postponed = primary.status().wal().checkpointsPostponed();
                await().atMost(Duration.ofMinutes(1))
                        .until(() -> primary.status().wal().checkpointsPostponed() > postponed + 1);
                execute(reader, "COMMIT");
            }
        }
    }

    /** More frames than make a cycle due, again and again, so that the WAL shows whether the cycles end. */
    @Test
    void theWalStaysSmallThoughAnotherCheckpointIsAlwaysUnderWayAtTheEndOfACycle() throws Exception {
        Path database = directory.resolve("app.db");
        CaptureOpener.Home home = CaptureOpener.Home.in(directory, FrameLog.Options.defaults());
        try (Capture capture = new CaptureOpener(database, home, InstantSource.system()).open(null, Progress.NONE);
                FrameLog log = capture.log();
                Connection connection =
                        DriverManager.getConnection("jdbc:sqlite:" + database + "?busy_timeout=60000")) {
            execute(connection, "PRAGMA wal_autocheckpoint=0");
            execute(connection, "CREATE TABLE t (v)");
            try (Foreign other = Foreign.python("checkpoint_in_the_way.py", database)) {
                await().atMost(Duration.ofMinutes(1))
                        .until(() -> other.isAlive() && other.output().contains("in the way"));
                for (int i = 0; i < 8; i++) {
                    execute(connection, "INSERT INTO t VALUES (zeroblob(900 * 4096))");
                    endCycle(capture);
                    assertThat(capture.status().walFrames()).isBetween(900, 1000);
                }
                other.stop();
            }
            assertThat(log.head().sizeAfter()).isGreaterThan(8 * 900);
        }
    }

    private static void endCycle(Capture capture) throws IOException {
        do {
            capture.step();
            assertThat(capture.status().checkpointsPostponed())
                    .as("cycles that did not end")
                    .isLessThan(8);
        } while (capture.status().uncopiedFrames() > 0);
    }

    private static final class Starts {
        private int before;
        private int count;

        int count(int walFrames) {
            if (walFrames < before) {
                count++;
            }
            before = walFrames;
            return count;
        }
    }
}
