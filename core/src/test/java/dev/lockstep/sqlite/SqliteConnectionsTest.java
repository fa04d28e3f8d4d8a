package dev.lockstep.sqlite;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.sql.Connection;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SqliteConnectionsTest {

    @TempDir
    Path directory;

    /** The driver takes what follows a question mark for options, and would open, or make, another file. */
    @Test
    void everyCharacterOfAPathIsPartOfItsName() throws Exception {
        Path database = directory.resolve("file:a%20?journal_mode=off;#'&mode=memory.db");
        try (Connection connection = SqliteConnections.openWal(database)) {
            assertThat(SqliteConnections.text(connection, "PRAGMA journal_mode"))
                    .isEqualTo("wal");
            assertThat(database).exists();
            assertThat(LiveDatabase.of(database).walPath()).exists();
        }
    }
}
