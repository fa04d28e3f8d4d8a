package dev.lockstep.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lockstep.UnsupportedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LogPathTest {

    @TempDir
    Path directory;

    @Test
    void databaseDataDirectoryLogDirectoryAndSegmentAllNameALog() throws IOException {
        Path database = Files.createFile(directory.resolve("app.db"));
        Path data = Files.createDirectory(directory.resolve("app.db-lockstep"));
        Path log = Files.createDirectory(data.resolve("log"));
        Path segment = Files.createFile(log.resolve("00000000000000000000.wallog"));
        assertThat(LogPath.resolve(database)).isEqualTo(log);
        assertThat(LogPath.resolve(data)).isEqualTo(log);
        assertThat(LogPath.resolve(log)).isEqualTo(log);
        assertThat(LogPath.resolve(segment)).isEqualTo(segment);
    }

    @Test
    void whatHasNoLogIsToldApart() throws IOException {
        Path replica = Files.createFile(directory.resolve("copy.db"));
        Path beside = Files.createFile(directory.resolve("copy.db-lockstep"));
        assertThatThrownBy(() -> LogPath.resolve(beside))
                .isInstanceOf(UnsupportedException.class)
                .hasMessageEndingWith("'lockstep status " + replica + "'");
        assertThatThrownBy(() -> LogPath.resolve(replica))
                .isInstanceOf(UnsupportedException.class)
                .hasMessageContaining("is a replica")
                .hasMessageContaining("lockstep status " + replica);
        assertThatThrownBy(() -> LogPath.resolve(directory))
                .isInstanceOf(UnsupportedException.class)
                .hasMessageContaining("holds no log");
        Path database = Files.writeString(directory.resolve("plain.db"), "SQLite format 3\0 and so on");
        assertThatThrownBy(() -> LogPath.resolve(database))
                .isInstanceOf(UnsupportedException.class)
                .hasMessageContaining("a database with no log beside it (plain.db-lockstep)");
        assertThatThrownBy(() -> LogPath.resolve(directory.resolve("absent"))).isInstanceOf(NoSuchFileException.class);
    }
}
