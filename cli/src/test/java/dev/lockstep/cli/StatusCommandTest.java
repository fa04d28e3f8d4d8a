package dev.lockstep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Of what lies on this machine; primaries over the network are in {@code ServingTest}. */
class StatusCommandTest {

    @TempDir
    Path directory;

    @Test
    void aLogTellsWhatItHolds() throws Exception {
        TestLog log = TestLog.make(directory, 7);
        for (Path path : new Path[] {log.database(), log.data(), log.directory(), log.segment()}) {
            JsonNode json = Cli.run("status", "--json", path).json();
            assertThat(json.get("kind").asText()).isEqualTo("log");
            assertThat(json.get("transactions").asInt()).isEqualTo(7);
            assertThat(json.get("segments").asInt()).isEqualTo(1);
            assertThat(json.get("bytes").asLong()).isEqualTo(Files.size(log.segment()));
        }
        assertThat(Cli.run("status", log.database()).out()).contains("7 transactions in 1 segment", "checksum");
    }

    @Test
    void whatIsNeitherIsToldApart() throws Exception {
        Path database = directory.resolve("plain.db");
        Bank.open(database).close();
        Cli cli = Cli.run("status", database);
        assertThat(cli.code()).isEqualTo(1);
        assertThat(cli.err()).contains("a database with no log beside it").contains("lockstep primary");
        assertThat(Cli.run("status", directory.resolve("absent")).err()).contains("no such file");
    }
}
