package dev.lockstep.sqlite;

import static dev.lockstep.sqlite.SqliteConnections.execute;
import static org.assertj.core.api.Assertions.assertThat;

import dev.lockstep.Programs;
import dev.lockstep.testing.Sqlite3;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LiveDatabaseTest {

    @TempDir
    Path directory;

    @Test
    void mappingTheWalIndexOnAnInterruptedThreadLeavesTheLocksOfSqliteAlone() throws Exception {
        Programs.require("sqlite3");
        Path path = directory.resolve("app.db");
        try (Connection application = SqliteConnections.openWal(path)) {
            execute(application, "CREATE TABLE t (a)");
            execute(application, "BEGIN IMMEDIATE");
            CompletableFuture<Void> mapping = CompletableFuture.runAsync(
                    () -> {
                        Thread.currentThread().interrupt();
                        try {
                            assertThat(LiveDatabase.of(path).walIndex().read(new WalIndexHeader()))
                                    .isTrue();
                        } catch (IOException e) {
                            throw new UncheckedIOException(e);
                        }
                        assertThat(Thread.currentThread().isInterrupted()).isTrue();
                    },
                    task -> new Thread(task, "interrupted").start());
            mapping.join();
            try (Sqlite3 other = new Sqlite3(path)) {
                assertThat(other.ask("INSERT INTO t VALUES (1);")).contains("database is locked");
            }
            execute(application, "COMMIT");
        }
    }
}
