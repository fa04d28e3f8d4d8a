package dev.lockstep.capture;

import static dev.lockstep.sqlite.SqliteConnections.execute;
import static org.assertj.core.api.Assertions.assertThat;

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
