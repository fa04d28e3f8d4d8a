package dev.lockstep.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

@Command(
        name = "demo",
        description = {
            "See it work: a database with a writer, two replicas, and one bit that flips on the way to one of them.",
            "",
            "Everything happens in a temporary directory and on loopback connections. It ends with 0 only if each claim that it makes was"
                    + " found true."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  lockstep demo",
            "  lockstep demo --keep   leave the databases and the log there to look at",
        })
final class DemoCommand implements Callable<Integer> {

    @ParentCommand
    private Lockstep program;

    @Spec
    private CommandSpec spec;

    @Option(names = "--keep", description = "Do not delete the demo's directory at the end.")
    private boolean keep;

    @Override
    public Integer call() throws IOException, SQLException, InterruptedException {
        program.stop().onSignals();
        Verbosity.hush(); // it tells the story itself
        Path directory = Files.createTempDirectory("lockstep-demo-");
        try (Demo demo = new Demo(directory, spec.commandLine().getOut(), program.stop())) {
            return (demo.run() ? ExitCode.OK : ExitCode.FAILURE).code();
        } catch (CancellationException e) {
            program.terminal().report("the demo was stopped before its end");
            return ExitCode.FAILURE.code();
        } finally {
            if (!keep) {
                delete(directory);
            }
        }
    }

    private static void delete(Path directory) throws IOException {
        List<Path> deepestFirst;
        try (Stream<Path> files = Files.walk(directory)) {
            deepestFirst = files.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path file : deepestFirst) {
            Files.deleteIfExists(file);
        }
    }
}
