package dev.lockstep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lockstep.testing.ChildJvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Commands that look at files start quickly because they load nothing of the network. */
class OfflineCommandsTest {

    @TempDir
    Path directory;

    @Test
    void loadNothingOfTheNetworkNorOfLogging() throws Exception {
        TestLog log = TestLog.make(directory, 5);
        Path copy = directory.resolve("copy.db");
        assertThat(Cli.run("replicate", log.database(), copy, "--once").code()).isZero();
        for (String[] command : new String[][] {
            {"--help"},
            {"replica", "--help"},
            {"verify", log.database().toString()},
            {"log", log.database().toString()},
            {"inspect", log.database().toString()},
            {"status", log.database().toString()},
            {"status", copy.toString()}
        }) {
            assertThat(loadedBy(command))
                    .as(String.join(" ", command))
                    .contains("dev.lockstep.cli.Lockstep")
                    .noneMatch(name -> name.startsWith("com.linecorp.")
                            || name.startsWith("io.netty.")
                            || name.startsWith("io.grpc.")
                            || name.startsWith("com.google.protobuf.")
                            || name.startsWith("ch.qos.logback."));
        }
    }

    /** Names of the classes that the program loads for a command. */
    private List<String> loadedBy(String... command) throws IOException, InterruptedException {
        Path classes = directory.resolve("classes.txt");
        List<String> line = new ArrayList<>(ChildJvm.command(Lockstep.class, Map.of(), command));
        line.add(1, "-Xlog:class+load:file=" + classes + ":none");
        Process process = new ProcessBuilder(line)
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("output.txt").toFile())
                .start();
        assertThat(process.waitFor())
                .as(Files.readString(directory.resolve("output.txt")))
                .isZero();
        try (Stream<String> lines = Files.lines(classes)) {
            return lines.map(text -> text.split(" ")[0]).toList();
        }
    }
}
