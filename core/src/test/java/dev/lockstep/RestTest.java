package dev.lockstep;

import static dev.lockstep.sqlite.SqliteConnections.execute;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A primary to which nothing happens has no thread, and goes on as soon as something does. */
class RestTest {

    private static final Duration LONG = Duration.ofSeconds(60);
    private static final int PRIMARIES = 20;

    @TempDir
    Path directory;

    @Test
    void primariesGiveTheirThreadsBackAndCaptureTheNextCommitNevertheless() throws Exception {
        List<Primary> primaries = new ArrayList<>();
        try {
            for (int i = 0; i < PRIMARIES; i++) {
                Path database = directory.resolve("app" + i + ".db");
                commit(database, "CREATE TABLE t (v)");
                primaries.add(Primary.of(database).open());
            }
            for (int round = 0; round < 2; round++) {
                await().atMost(LONG).until(() -> captureThreads() == 0);
                for (Primary primary : primaries) {
                    long before = primary.position().frameNo();
                    commit(primary.database(), "INSERT INTO t VALUES (1)");
                    assertThat(primary.awaitCaptured(LONG).frameNo()).isGreaterThan(before);
                    assertThat(primary.log().await(before, true, LONG.toNanos()))
                            .isTrue();
                }
            }
            await().atMost(LONG).until(() -> captureThreads() == 0);
            commit(primaries.get(0).database(), "INSERT INTO t VALUES (2)");
        } finally {
            for (Primary primary : primaries) {
                primary.close();
            }
        }
        assertThat(primaries).allSatisfy(primary -> {
            Primary.Status closed = primary.status();
            assertThat(closed.state()).isEqualTo(Primary.State.CLOSED);
            assertThat(closed.durable()).isEqualTo(closed.head());
        });
        try (Primary again = Primary.of(primaries.get(0).database()).open()) {
            assertThat(again.position()).isEqualTo(primaries.get(0).position());
        }
    }

    /** Threads that are at work for a primary; those that wait for work belong to nobody. */
    private static long captureThreads() {
        return Thread.getAllStackTraces().values().stream()
                .filter(stack -> List.of(stack).stream()
                        .anyMatch(frame -> frame.getClassName().equals(Primary.class.getName())))
                .count();
    }

    private static void commit(Path database, String sql) throws Exception {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database)) {
            execute(connection, "PRAGMA journal_mode=WAL");
            execute(connection, sql);
        }
    }
}
