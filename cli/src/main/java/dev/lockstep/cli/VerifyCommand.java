package dev.lockstep.cli;

import dev.lockstep.log.LogVerifier;
import dev.lockstep.log.LogVerifier.Fault;
import dev.lockstep.log.LogVerifier.Result;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

@Command(
        name = "verify",
        description = {
            "Check a log on disk: every frame's place in the chain of checksums, every commit record, and every seal.",
            "",
            "Uses all cores, changes nothing, and works while a primary writes the log. It names the first frame that is wrong and"
                    + " then exits with 3. What libSQL wrote (a wallog, a .snap) has a chain, but no seals."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  lockstep verify app.db               the log that the primary of app.db keeps",
            "  lockstep verify app.db-lockstep/log  the same, by its directory",
            "  lockstep verify --json old.wallog    one segment, for a program"
        })
final class VerifyCommand implements Callable<Integer> {

    /** More than any machine has cores; each takes a stack and buffers. */
    private static final int MAX_THREADS = 1024;

    @ParentCommand
    private Lockstep program;

    @Spec
    private CommandSpec spec;

    @Parameters(
            paramLabel = "PATH",
            description =
                    "A log directory, a segment, a wallog or .snap of libSQL, a primary's data directory or its database.")
    private Path path;

    @Option(
            names = "--no-seals",
            description = "Leave the seals out: several times faster, and blind to changed headers.")
    private boolean withoutSeals;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Use N threads; 0, or without this, as many as there are cores.")
    private long threads;

    @Option(names = "--json", description = "Answer with one JSON object.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        Path log = LogPath.resolve(path);
        int cores = threads > 0
                ? (int) Math.min(threads, MAX_THREADS)
                : Runtime.getRuntime().availableProcessors();
        long began = System.nanoTime();
        Result result;
        try (ProgressBar progress = new ProgressBar(program.terminal(), "verifying")) {
            result = LogVerifier.verify(log, !withoutSeals, cores, progress);
        }
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            asJson(log, result).print(out);
        } else {
            print(out, log, result, TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began));
        }
        return (result.sound() ? ExitCode.OK : ExitCode.REFUSED).code();
    }

    private static void print(PrintWriter out, Path log, Result result, long millis) {
        Fault fault = result.fault();
        out.println(log + ": " + (fault == null ? "sound" : "DAMAGED"));
        if (fault != null) {
            Table.line(out, "first fault", fault.toString());
        }
        if (result.logId() != null) {
            Table.line(out, "log", result.logId() + ", pages of " + result.pageSize() + " bytes");
        }
        Table.line(out, fault == null ? "frames" : "sound before", frames(result));
        if (result.firstTimeMillis() >= 0) {
            Table.line(
                    out,
                    "committed",
                    Formats.time(result.firstTimeMillis()) + " to " + Formats.time(result.lastTimeMillis()));
        }
        Table.line(out, "seals", result.sealed() ? "verified" : "not verified");
        Table.line(
                out,
                "read",
                Formats.bytes(result.bytes()) + " in " + Formats.duration(millis) + ", "
                        + Formats.perSecond(result.bytes() * 1000.0 / Math.max(1, millis)));
        result.notes().forEach(note -> Table.line(out, "note", note));
        if (fault != null) {
            out.println(
                    "Nothing from there on can be trusted. Put the file back from a copy that verifies; if there is none, move the");
            out.println(
                    "log away while its primary is stopped: the primary then begins a new one, and replicas need --force once.");
        }
        out.flush();
    }

    private static String frames(Result result) {
        String where = result.frames() == 0 ? "" : ": " + result.firstFrameNo() + " to " + result.lastFrameNo();
        return Formats.count(result.frames(), "frame") + where + ", "
                + Formats.count(result.transactions(), "transaction") + ", "
                + Formats.count(result.segments(), "segment");
    }

    private static Json asJson(Path log, Result result) {
        Fault fault = result.fault();
        return new Json()
                .put("path", log)
                .put("sound", result.sound())
                .put("logId", result.logId())
                .put("pageSize", result.pageSize())
                .put("segments", result.segments())
                .put("frames", result.frames())
                .put("transactions", result.transactions())
                .put("firstFrame", result.frames() == 0 ? null : result.firstFrameNo())
                .put("lastFrame", result.frames() == 0 ? null : result.lastFrameNo())
                .put("firstTimeMillis", result.firstTimeMillis() < 0 ? null : result.firstTimeMillis())
                .put("lastTimeMillis", result.lastTimeMillis() < 0 ? null : result.lastTimeMillis())
                .put("sealsVerified", result.sealed())
                .put("bytes", result.bytes())
                .put("notes", result.notes())
                .put("fault", fault == null ? null : asJson(fault));
    }

    private static Json asJson(Fault fault) {
        return new Json()
                .put("file", fault.file())
                .put("offset", fault.offset() < 0 ? null : fault.offset())
                .put("frame", fault.frameNo() < 0 ? null : fault.frameNo())
                .put("field", fault.fault().field())
                .put("expected", fault.fault().expected())
                .put("found", fault.fault().found());
    }
}
