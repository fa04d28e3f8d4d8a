package dev.lockstep.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lockstep.testing.ChildJvm;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** One run of the whole program in a process of its own, which gets signals and has an exit code. */
final class Program implements AutoCloseable {

    private static final long END_SECONDS = 90;

    /** A process that a shell put into the background ignores SIGINT, one under nohup SIGHUP, and so would those that they start. */
    private static final List<String> FOREGROUND = List.of(
            "python3",
            "-c",
            "import os, signal, sys; [signal.signal(s, signal.SIG_DFL) for s in (signal.SIGINT, signal.SIGHUP)];"
                    + " os.execvp(sys.argv[1], sys.argv[1:])");

    private final Process process;
    private final Path out;
    private final Path err;

    private Program(List<String> before, Object... arguments) throws IOException {
        List<String> command = new ArrayList<>(before);
        command.addAll(ChildJvm.command(
                Lockstep.class,
                Map.of(),
                Arrays.stream(arguments).map(String::valueOf).toArray(String[]::new)));
        out = Files.createTempFile("lockstep-program-", ".out");
        err = Files.createTempFile("lockstep-program-", ".err");
        process = new ProcessBuilder(command)
                .redirectOutput(Redirect.to(out.toFile()))
                .redirectError(Redirect.to(err.toFile()))
                .start();
    }

    static Program start(Object... arguments) throws IOException {
        return new Program(List.of(), arguments);
    }

    /** Starts it so that every signal reaches it, as a shell does with what a person waits for. Needs python3. */
    static Program startInForeground(Object... arguments) throws IOException {
        return new Program(FOREGROUND, arguments);
    }

    /** Runs a command to its end. */
    static Program run(Object... arguments) throws IOException {
        Program program = start(arguments);
        program.code();
        return program;
    }

    /** Waits for its end. */
    int code() {
        try {
            if (!process.waitFor(END_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new AssertionError("it did not end within " + END_SECONDS + " s: " + out() + err());
            }
            return process.exitValue();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    boolean isRunning() {
        return process.isAlive();
    }

    /** Sends it a signal by name, and returns the exit code that it ends with. */
    int end(String signal) throws IOException {
        signal(signal);
        return code();
    }

    private void signal(String signal) throws IOException {
        try {
            new ProcessBuilder("kill", "-" + signal, Long.toString(process.pid()))
                    .inheritIO()
                    .start()
                    .waitFor();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    String out() {
        return read(out);
    }

    String err() {
        return read(err);
    }

    /** The one JSON object that it printed. */
    JsonNode json() throws IOException {
        return Cli.json(out());
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() throws IOException {
        process.destroyForcibly();
        code();
        Files.deleteIfExists(out);
        Files.deleteIfExists(err);
    }
}
