package dev.lockstep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lockstep.testing.ChildJvm;
import java.io.File;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class LockstepTest {

    @Test
    void versionIsPrintedOnStandardOutput() {
        Cli cli = Cli.run("--version");
        assertThat(cli.code()).isZero();
        assertThat(cli.out()).startsWith("lockstep ");
        assertThat(cli.err()).isEmpty();
    }

    @Test
    void aMissingCommandIsAUsageErrorThatShowsTheUsage() {
        Cli cli = Cli.run();
        assertThat(cli.code()).isEqualTo(2);
        assertThat(cli.err()).contains("missing command", "Usage: lockstep");
        assertThat(cli.out()).isEmpty();
    }

    @Test
    void anUnknownCommandOrOptionIsAUsageErrorOfOneLineAndAHint() {
        Cli command = Cli.run("verfy");
        assertThat(command.code()).isEqualTo(2);
        assertThat(command.err()).contains("lockstep: unknown command 'verfy'", "lockstep verify?");
        Cli option = Cli.run("verify", "--jsn", "x");
        assertThat(option.code()).isEqualTo(2);
        assertThat(option.err()).contains("lockstep: unknown option: '--jsn'");
    }

    @Test
    void numbersThatCannotBeAreUsageErrors() {
        for (Object[] command : new Object[][] {
            {"log", "x", "--limit", -1},
            {"log", "x", "--limit", "many"},
            {"log", "x", "--from", -1},
            {"log", "x", "--to", "1e3"},
            {"log", "x", "--from", 2, "--to", 1},
            {"log", "x", "--since", "2026-11-24", "--until", "2026-11-23"},
            {"inspect", "x", -1},
            {"inspect", "x", "99999999999999999999"},
            {"inspect", "x", "--bytes", -1},
            {"verify", "x", "--threads", -1}
        }) {
            Cli cli = Cli.run(command);
            assertThat(cli.code()).as(Arrays.toString(command)).isEqualTo(2);
            assertThat(cli.err())
                    .as(Arrays.toString(command))
                    .containsAnyOf("is no whole number from 0 on", "nothing is between");
        }
    }

    @Test
    void whatIsNoPathIsAUsageError() {
        for (String command : new String[] {"status", "verify", "log"}) {
            Cli cli = Cli.run(command, "a\0b");
            assertThat(cli.code()).as(command).isEqualTo(2);
            assertThat(cli.err()).as(command).contains("is no path here");
        }
    }

    @Test
    void anEmptyPathOrNameIsAUsageErrorAndNotTheWorkingDirectory() {
        for (String[] command : new String[][] {
            {"primary", ""},
            {"primary", "x", "--data", ""},
            {"primary", "--databases", ""},
            {"replica", "http://127.0.0.1:1", ""},
            {"replica", "http://127.0.0.1:1", "x", "--name", " "},
            {"replicate", "", "x"},
            {"replicate", "x", ""},
            {"status", ""},
            {"verify", ""},
            {"log", ""},
            {"inspect", ""}
        }) {
            Cli cli = Cli.run((Object[]) command);
            assertThat(cli.code()).as(Arrays.toString(command)).isEqualTo(2);
            assertThat(cli.err()).as(Arrays.toString(command)).contains("empty");
        }
    }

    @Test
    void everyCommandExplainsItselfWithExamplesAndExitCodes() {
        Map<String, CommandLine> commands =
                Lockstep.commandLine(Terminal.standardError(), new Stop()).getSubcommands();
        assertThat(commands).isNotEmpty();
        commands.keySet().stream().filter(name -> !name.equals("help")).forEach(name -> {
            Cli help = Cli.run(name, "--help");
            assertThat(help.code()).as(name).isZero();
            assertThat(help.out())
                    .contains("Usage: lockstep " + name, "Examples:", "  lockstep " + name, "Exit codes:", "--verbose");
            assertThat(help.out().lines()).as(name).allMatch(line -> line.length() <= 110);
            assertThat(help.out()
                            .lines()
                            .dropWhile(line -> !line.equals("Examples:"))
                            .skip(1))
                    .as("none is broken into two lines")
                    .allMatch(line -> line.startsWith("  lockstep " + name));
        });
    }

    @Test
    void stackTracesAreShownOnlyWhenAskedFor() {
        Cli quiet = Cli.run("verify", "/nowhere");
        assertThat(quiet.code()).isEqualTo(1);
        assertThat(quiet.err()).isEqualToIgnoringNewLines("lockstep: /nowhere: no such file or directory");
        assertThat(Cli.run("verify", "/nowhere", "-v").err()).contains("\tat dev.lockstep.");
        assertThat(Cli.run("-v", "verify", "/nowhere").err()).contains("\tat dev.lockstep.");
    }

    @Test
    void outputThatWasLostIsAFailureUnlessNobodyWantedMore() throws Exception {
        ProcessBuilder version = new ProcessBuilder(ChildJvm.command(Lockstep.class, Map.of(), "--version"));
        Process wanted = version.redirectOutput(new File("/dev/full")).start();
        assertThat(wanted.errorReader().lines()).containsExactly("lockstep: standard output: No space left on device");
        assertThat(wanted.waitFor()).isEqualTo(1);

        Process unwanted = version.redirectOutput(ProcessBuilder.Redirect.PIPE).start();
        unwanted.getInputStream().close(); // as head does
        assertThat(unwanted.errorReader().lines()).isEmpty();
        assertThat(unwanted.waitFor()).isZero();
    }
}
