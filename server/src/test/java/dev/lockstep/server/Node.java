package dev.lockstep.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lockstep.Programs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs the scripts of src/test/js with node: libSQL's own clients, each in a process of its own. */
public final class Node {

    private static final Path SCRIPTS = Path.of("src/test/js");
    private static final Duration LIMIT = Duration.ofMinutes(2);

    private Node() {}

    /**
     * Runs a script and gives what it printed; it must end well. Skips the calling test where node or the packages are missing.
     *
     * @param script its name in src/test/js
     */
    public static String run(String script, String... arguments) throws IOException, InterruptedException {
        Path output = Files.createTempFile("node", ".txt");
        Process process = builder(script, arguments)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        try {
            boolean ended = process.waitFor(LIMIT.toMillis(), TimeUnit.MILLISECONDS);
            String printed = Files.readString(output);
            assertThat(ended)
                    .as("%s ends within %s; it printed:%n%s", script, LIMIT, printed)
                    .isTrue();
            assertThat(process.exitValue())
                    .as("exit code of %s %s; it printed:%n%s", script, List.of(arguments), printed)
                    .isZero();
            return printed;
        } finally {
            process.destroyForcibly();
            Files.delete(output);
        }
    }

    /** Skips the calling test where node or the packages are missing. */
    static void require() {
        Programs.require("node");
        Programs.requirePath(SCRIPTS.resolve("node_modules"), "npm packages, which ./dev test installs");
    }

    /** For a script that the test talks to or kills. Skips the calling test where node or the packages are missing. */
    public static ProcessBuilder builder(String script, String... arguments) {
        require();
        List<String> command = new ArrayList<>(List.of("node", script));
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command).directory(SCRIPTS.toFile());
    }
}
