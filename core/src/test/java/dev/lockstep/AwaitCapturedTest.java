package dev.lockstep;

import static dev.lockstep.sqlite.SqliteConnections.execute;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The position that awaitCaptured returns includes everything committed before the call. */
class AwaitCapturedTest {

    private static final Duration LONG = Duration.ofSeconds(30);
    private static final int WRITERS = 4;
    private static final int COMMITS = 150;

    @TempDir
    Path directory;

    /** Each writer's own commit lies between two of its positions, so a position that came too early would not have moved. */
    @Test
    void positionsOfConcurrentWritersMoveWithEachOfTheirCommits() throws Exception {
        Path database = directory.resolve("app.db");
        ExecutorService threads = Executors.newFixedThreadPool(WRITERS);
        try (Primary primary = Primary.of(database).open();
                Connection creator = connect(database)) {
            execute(creator, "CREATE TABLE t (v)");
            List<Future<?>> writers = new ArrayList<>();
            for (int w = 0; w < WRITERS; w++) {
                writers.add(threads.submit(() -> {
                    write(primary, database);
                    return null;
                }));
            }
            for (Future<?> writer : writers) {
                writer.get(LONG.toSeconds(), TimeUnit.SECONDS);
            }
            execute(creator, "VACUUM"); // and with it the WAL soon begins anew
            Position all = primary.awaitCaptured(LONG);
            assertThat(primary.awaitCaptured(LONG)).isEqualTo(all);
        } finally {
            threads.shutdownNow();
        }
    }

    private static void write(Primary primary, Path database) throws Exception {
        try (Connection connection = connect(database)) {
            long last = -1;
            for (int i = 0; i < COMMITS; i++) {
                execute(connection, "INSERT INTO t VALUES (randomblob(2000))");
                long frameNo = primary.awaitCaptured(LONG).frameNo();
                assertThat(frameNo).isGreaterThan(last);
                last = frameNo;
            }
        }
    }

    @Test
    void aClosedPrimarySaysSo() throws Exception {
        Primary primary = Primary.of(directory.resolve("app.db")).open();
        primary.close();
        assertThatThrownBy(() -> primary.awaitCaptured(LONG))
                .isInstanceOf(UnavailableException.class)
                .hasMessageContaining("capture does not run");
    }

    @Test
    void aCaptureThatFailedSaysWhy() throws Exception {
        Path database = directory.resolve("app.db");
        try (Primary primary = Primary.of(database).open()) {
            Files.move(database, directory.resolve("elsewhere.db"));
            Files.writeString(database, "no database");
            await().atMost(LONG).until(() -> primary.status().state() == Primary.State.FAILED);
            assertThatThrownBy(() -> primary.awaitCaptured(LONG))
                    .isInstanceOf(UnavailableException.class)
                    .hasMessageContaining("capture does not run: ");
        }
    }

    private static Connection connect(Path database) throws Exception {
        Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database);
        execute(connection, "PRAGMA busy_timeout=30000");
        return connection;
    }
}
