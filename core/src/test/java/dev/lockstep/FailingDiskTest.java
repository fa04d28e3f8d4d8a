package dev.lockstep;

import static dev.lockstep.sqlite.SqliteConnections.execute;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.lockstep.testing.ChildJvm;
import dev.lockstep.testing.Foreign;
import dev.lockstep.testing.LogCheck;
import dev.lockstep.testing.PrimaryProcess;
import dev.lockstep.testing.PrimaryProcess.Promise;
import dev.lockstep.testing.Sqlite3;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Disks that cannot make durable what a primary or a replica writes. */
@EnabledOnOs(value = OS.LINUX, disabledReason = "SKIPPED: the failing disk is a library that Linux preloads")
class FailingDiskTest {

    private static final Duration LONG = Duration.ofSeconds(60);
    private static final int PAGE_SIZE = 4096;
    private static final String SEGMENT_BYTES = "10000000";
    private static final int MANY = 5_000;

    @TempDir
    Path directory;

    private Path database;
    private Path base;

    /** While it exists, syncs fail. */
    private Path fails;

    @BeforeEach
    void database() throws Exception {
        Programs.require("gcc", "sqlite3");
        fails = directory.resolve("fails");
        database = directory.resolve("app.db");
        try (Connection writer = connect()) {
            execute(writer, "PRAGMA journal_mode=WAL");
            execute(writer, "CREATE TABLE t (v)");
        }
        base = directory.resolve("base.db");
        Sqlite3.copy(database, base);
    }

    private Connection connect() throws Exception {
        return DriverManager.getConnection("jdbc:sqlite:" + database);
    }

    @Test
    void nothingIsPromisedAfterAFailedSyncAndWritersGoOnAndARestartFindsEverything() throws Exception {
        List<Promise> promises;
        try (ChildJvm primary = start(PrimaryProcess.class, "app.db-lockstep/log/");
                Connection writer = connect()) {
            await().atMost(LONG).until(() -> promises(primary).size() == 1); // where the log begins
            execute(writer, "INSERT INTO t VALUES (1)");
            await().atMost(LONG).until(() -> promises(primary).size() == 2);

            Files.createFile(fails);
            execute(writer, "INSERT INTO t VALUES (2)");
            await().atMost(LONG).until(() -> primary.output().contains("cannot be made durable"));
            Files.delete(fails); // the next sync would succeed, but say nothing of what this one has lost

            execute(writer, "INSERT INTO t VALUES (3)");
            await().atMost(LONG).until(() -> primary.output().contains("capture stopped"));
            for (int i = 0; i < MANY; i++) {
                execute(writer, "INSERT INTO t VALUES (randomblob(" + PAGE_SIZE + "))");
            }
            assertThat(Files.size(directory.resolve("app.db-wal")))
                    .as("no pin stands any more")
                    .isLessThan(MANY / 2 * PAGE_SIZE);
            promises = promises(primary);
            assertThat(promises).hasSize(2);
            primary.endInput();
            assertThat(primary.exitCode()).as(primary.tail()).isEqualTo(1);
        }
        try (Primary again = Primary.of(database).open()) {
            for (Promise promise : promises) {
                promise.assertKept(again.log());
            }
            LogCheck check = new LogCheck(base, PAGE_SIZE);
            check.execute(again.log());
            again.close();
            check.assertIs(database);
        }
    }

    @Test
    void aDurableReplicaShowsNothingThatItsDiskDidNotTakeAndGoesOnWhenItDoes() throws Exception {
        Path copy = directory.resolve("copy.db");
        try (ChildJvm replica = start(ReplicatingProcess.class, "copy.db-wal");
                Connection writer = connect()) {
            await().atMost(LONG).until(() -> replica.output().contains("shows "));
            execute(writer, "INSERT INTO t VALUES (1)");
            await().atMost(LONG).until(() -> rows(copy) == 1);

            Files.createFile(fails);
            execute(writer, "INSERT INTO t VALUES (2)");
            await().atMost(LONG).until(() -> replica.output().contains("failed: "));
            assertThat(replica.output()).contains("failed: Input/output error");
            assertThat(rows(copy)).isEqualTo(1);

            Files.delete(fails);
            await().atMost(LONG).until(() -> rows(copy) == 2);
            replica.stop();
        }
        assertThat(Sqlite3.run(copy, "PRAGMA integrity_check;")).isEqualTo("ok");
    }

    /** Starts a process for which the files with this in their paths are on the disk that fails. */
    private ChildJvm start(Class<?> main, String path) throws IOException {
        Map<String, String> disk = Map.of(
                "LD_PRELOAD", Foreign.library("failingsync.c").toString(),
                "FAILING_PATH", path,
                "FAILING_WHILE", fails.toString());
        return new ChildJvm(disk, main, Map.of(), database.toString(), SEGMENT_BYTES);
    }

    private static int rows(Path copy) throws IOException {
        return Integer.parseInt(Sqlite3.run(copy, "SELECT count(*) FROM t;"));
    }

    private static List<Promise> promises(ChildJvm primary) {
        return PrimaryProcess.promises(primary.output());
    }
}
