package dev.lockstep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class LockstepTest {

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @Test
    void versionIsPrintedOnStandardOutput() {
        assertThat(execute("--version")).isEqualTo(CommandLine.ExitCode.OK);
        assertThat(out.toString()).startsWith("lockstep ");
        assertThat(err.toString()).isEmpty();
    }

    @Test
    void aMissingCommandIsAUsageErrorThatShowsTheUsage() {
        assertThat(execute()).isEqualTo(CommandLine.ExitCode.USAGE);
        assertThat(err.toString()).contains("missing command", "Usage: lockstep");
        assertThat(out.toString()).isEmpty();
    }

    private int execute(String... args) {
        return Lockstep.commandLine(new Terminal(System.err, 0), new Stop())
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute(args);
    }
}
