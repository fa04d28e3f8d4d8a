package dev.lockstep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InspectCommandTest {

    @TempDir
    Path directory;

    private TestLog log;
    private long first;

    @BeforeEach
    void make() throws Exception {
        log = TestLog.make(directory, 5);
        first = Cli.run("status", "--json", log.database())
                .json()
                .get("firstFrame")
                .asLong();
    }

    @Test
    void aFrameIsShownWithItsPlaceInTheChainAndItsTransaction() throws Exception {
        Cli cli = Cli.run("inspect", log.database(), first + 1);
        assertThat(cli.code()).as(cli.err()).isZero();
        assertThat(cli.out())
                .contains("frame " + (first + 1) + " at offset", "page", "continues", "size after", "committed 2");
        JsonNode one = Cli.run("inspect", "--json", log.database(), first).json();
        JsonNode next = Cli.run("inspect", "--json", log.database(), first + 1).json();
        assertThat(next.get("previousChecksum")).isEqualTo(one.get("checksum"));
        assertThat(one.get("firstFrame").asLong()).isEqualTo(first);
        assertThat(one.get("continuesTheChain").asBoolean()).isTrue();
    }

    @Test
    void thePageIsDumpedWhenAskedFor() throws Exception {
        assertThat(Cli.run("inspect", log.database(), first).out()).doesNotContain("     0  ");
        String dump = Cli.run("inspect", log.database(), first, "--bytes", 20).out();
        assertThat(dump).contains("     0  ", "    16  ").doesNotContain("    32  ");
        String hex = Cli.run("inspect", "--json", "--hex", log.database(), first)
                .json()
                .get("hex")
                .asText();
        assertThat(hex).hasSize(2 * 256);
    }

    @Test
    void aFrameThatBreaksTheChainIsShownAndTheExitCodeIs3() throws Exception {
        log.flip(64 + 1000);
        Cli cli = Cli.run("inspect", log.database(), first);
        assertThat(cli.code()).isEqualTo(3);
        assertThat(cli.out()).contains("DAMAGED, expected");
    }

    @Test
    void aFrameThatIsNotThereIsRefusedWithThoseThatAre() {
        Cli cli = Cli.run("inspect", log.database(), first + 1_000_000);
        assertThat(cli.code()).isEqualTo(1);
        assertThat(cli.err()).contains("which holds frames " + first + " to");
    }
}
