package dev.lockstep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VerifyCommandTest {

    private static final int HEADER = 64;
    private static final int FRAME = 24 + 4096;

    @TempDir
    Path directory;

    @Test
    void aSoundLogIsFoundSoundByAnyOfItsPaths() throws Exception {
        TestLog log = TestLog.make(directory, 20);
        for (Path path : new Path[] {log.database(), log.data(), log.directory(), log.segment()}) {
            Cli cli = Cli.run("verify", path);
            assertThat(cli.err()).isEmpty();
            assertThat(cli.code()).isZero();
            assertThat(cli.out()).contains(": sound", "20 transactions", "seals         verified");
        }
    }

    @Test
    void jsonSaysTheSame() throws Exception {
        TestLog log = TestLog.make(directory, 20);
        JsonNode json = Cli.run("verify", "--json", log.database()).json();
        assertThat(json.get("sound").asBoolean()).isTrue();
        assertThat(json.get("transactions").asInt()).isEqualTo(20);
        assertThat(json.get("pageSize").asInt()).isEqualTo(4096);
        assertThat(json.get("lastFrame").asLong() - json.get("firstFrame").asLong() + 1)
                .isEqualTo(json.get("frames").asLong());
        assertThat(json.get("fault").isNull()).isTrue();
    }

    @Test
    void theFirstDamagedFrameIsNamedAndTheExitCodeIs3() throws Exception {
        TestLog log = TestLog.make(directory, 20);
        long first = Cli.run("verify", "--json", log.database())
                .json()
                .get("firstFrame")
                .asLong();
        log.flip(HEADER + 7 * FRAME + 100);
        log.flip(HEADER + 12 * FRAME + 100);

        Cli cli = Cli.run("verify", log.database());
        assertThat(cli.code()).isEqualTo(3);
        assertThat(cli.out())
                .contains(
                        "DAMAGED", "frame " + (first + 7) + " at offset " + (HEADER + 7 * FRAME), "expected", "found");

        JsonNode fault = Cli.run("verify", "--json", log.database()).json().get("fault");
        assertThat(fault.get("frame").asLong()).isEqualTo(first + 7);
        assertThat(fault.get("field").asText()).isEqualTo("checksum");
        assertThat(fault.get("expected").asText())
                .hasSize(16)
                .isNotEqualTo(fault.get("found").asText());
    }

    @Test
    void aChangedPageNumberIsFoundByTheSealAlone() throws Exception {
        TestLog log = TestLog.make(directory, 20);
        log.flip(HEADER + 7 * FRAME + 16);
        assertThat(Cli.run("verify", log.database()).code()).isEqualTo(3);
        assertThat(Cli.run("verify", "--no-seals", log.database()).code()).isZero();
    }

    @Test
    void whatIsNoLogIsRefusedInOneLine() throws Exception {
        Path text = Files.writeString(directory.resolve("notes.txt"), "no log");
        Cli cli = Cli.run("verify", text);
        assertThat(cli.code()).isEqualTo(1);
        assertThat(cli.out()).isEmpty();
        assertThat(cli.err().lines()).hasSize(1);
    }
}
