package dev.lockstep.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

@Command(
        name = "status",
        description = {
            "Tell how a primary is (by its URL), or where a replica or a log stands (by its path).",
            "",
            "A URL: the databases served, their positions and logs, the replicas that follow and how far behind they are, and those that"
                    + " refused or were turned away. Exits with 1 if a database is not being captured.",
            "A replica's database: its position and whether it stopped for good; then it exits as that replica did (3, 4, 5 or 7).",
            "A primary's database, its data directory or a log: what the log holds."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  lockstep status http://127.0.0.1:7878",
            "  lockstep status copy.db",
            "  lockstep status --json app.db",
        })
final class StatusCommand implements Callable<Integer> {

    @Spec
    private CommandSpec spec;

    @Parameters(
            paramLabel = "URL|PATH",
            description = "A primary's URL, with or without a name; or a path on this machine.")
    private String what;

    @Mixin
    private ServerOptions server;

    @Option(names = "--json", description = "Answer with one JSON object.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        if (what.isEmpty()) {
            throw new ParameterException(spec.commandLine(), "an empty URL or PATH names nothing");
        }
        ExitCode code = what.contains("://") ? ofUrl(out) : ofPath(path(), out);
        out.flush();
        return code.code();
    }

    private Path path() {
        Path path;
        try {
            path = Arguments.path(what);
        } catch (TypeConversionException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
        if (looksLikeAnAddress(what) && !Files.exists(path)) {
            throw new ParameterException(
                    spec.commandLine(), what + ": there is no such file; a primary is named as http://" + what);
        }
        return path;
    }

    /** HOST:PORT, with or without a name. */
    private static boolean looksLikeAnAddress(String text) {
        return text.matches("[^/]+:\\d+(/.*)?");
    }

    private ExitCode ofUrl(PrintWriter out) throws IOException {
        try {
            return RemoteStatus.print(what, server, json, out);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }

    private ExitCode ofPath(Path path, PrintWriter out) throws IOException {
        return LocalReplica.isAt(path)
                ? LocalReplica.print(path, json, out)
                : LocalLog.print(LogPath.resolve(path), json, out);
    }
}
