package dev.lockstep.capture;

import static dev.lockstep.sqlite.SqliteConnections.execute;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.lockstep.Primary;
import dev.lockstep.testing.Workload;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Duration;
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
