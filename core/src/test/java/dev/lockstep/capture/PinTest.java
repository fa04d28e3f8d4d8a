package dev.lockstep.capture;

import static dev.lockstep.sqlite.SqliteConnections.execute;
import static org.assertj.core.api.Assertions.assertThat;

import dev.lockstep.Primary;
import dev.lockstep.Programs;
import dev.lockstep.testing.Foreign;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What capture's pin does to other programs. */
class PinTest {

    @TempDir
    Path directory;

    @Test
    void aCheckpointThatWaitsForThePinsReadSlotGetsItAlthoughNobodyCommits() throws Exception {
        Programs.require("python3");
        Path database = directory.resolve("app.db");
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database)) {
            execute(connection, "PRAGMA journal_mode=WAL");
            execute(connection, "CREATE TABLE t (id INTEGER PRIMARY KEY, v)");
        }
        try (Primary primary = Primary.of(database).open();
                Foreign checkpoint = Foreign.python("waiting_checkpoint.py", database, "20")) {
            assertThat(checkpoint.end()).isEqualTo("got the slot");
            assertThat(primary.status().failure()).isNull();
        }
    }
}
