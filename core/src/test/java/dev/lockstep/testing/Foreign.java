package dev.lockstep.testing;

import dev.lockstep.Programs;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * A program in another language, with an SQLite of its own: those of {@code src/test/c}, compiled when first asked for, and those of
 * {@code src/test/python}. They run until their input ends, so that none outlives its test.
 */
public final class Foreign implements AutoCloseable {

    private static final Map<String, Path> COMPILED = new HashMap<>();
    private static final long END_SECONDS = 120;

    private final List<String> command;
    private final Process process;
    private final Path output;

    private Foreign(List<String> command) throws IOException {
        this.command = command;
        output = Files.createTempFile("lockstep-foreign-", ".out");
        process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(Redirect.to(output.toFile()))
                .start();
    }

    /** Starts a C program of {@code src/test/c} on the database. */
    public static Foreign c(String source, Path database, Object... arguments) throws IOException {
        return new Foreign(command(List.of(compiled(source, "-lsqlite3").toString()), database, arguments));
    }

    /** A library of {@code src/test/c} that another process may preload. */
    public static Path library(String source) throws IOException {
        return compiled(source, "-shared", "-fPIC", "-ldl");
    }

    /** Starts a Python program of {@code src/test/python} on the database. */
    public static Foreign python(String script, Path database, Object... arguments) throws IOException {
        Programs.require("python3");
        return new Foreign(command(List.of("python3", extracted(script).toString()), database, arguments));
    }

    private static List<String> command(List<String> program, Path database, Object... arguments) {
        List<String> command = new ArrayList<>(program);
        command.add(database.toString());
        for (Object argument : arguments) {
            command.add(String.valueOf(argument));
        }
        return command;
    }

    private static synchronized Path compiled(String source, String... options) throws IOException {
        Programs.require("gcc");
        Path program = COMPILED.get(source);
        if (program == null) {
            program = Files.createTempFile("lockstep-" + source + "-", ".bin");
            program.toFile().deleteOnExit();
            List<String> command = new ArrayList<>(List.of(
                    "gcc",
                    "-O1",
                    "-Wall",
                    "-o",
                    program.toString(),
                    extracted(source).toString()));
            command.addAll(List.of(options));
            Process gcc = new ProcessBuilder(command).redirectErrorStream(true).start();
            String messages = new String(gcc.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
            if (exitCode(gcc, messages) != 0) {
                throw new AssertionError("gcc " + source + ": " + messages);
            }
            COMPILED.put(source, program);
        }
        return program;
    }

    private static Path extracted(String resource) throws IOException {
        Path file = Files.createTempDirectory("lockstep-foreign-").resolve(resource);
        file.toFile().deleteOnExit();
        try (InputStream in = Foreign.class.getResourceAsStream("/" + resource)) {
            if (in == null) {
                throw new IllegalArgumentException("no test resource " + resource);
            }
            Files.copy(in, file);
        }
        return file;
    }

    /** Whether it still runs; one that has failed fails the test here. */
    public boolean isAlive() {
        if (process.isAlive()) {
            return true;
        }
        end();
        return false;
    }

    /** Waits for its own end, fails if that was not a good one, and returns what it printed, without the last line end. */
    public String end() {
        int code = exitCode(process, command.toString());
        if (code != 0) {
            throw new AssertionError(command + " ended with " + code + ": " + output());
        }
        return output().stripTrailing();
    }

    /** Tells it to end in its own time, and returns what it printed. */
    public String stop() throws IOException {
        process.getOutputStream().close();
        return end();
    }

    /** Ends it as kill -9 does. */
    public void kill() {
        process.destroyForcibly();
        exitCode(process, command.toString());
    }

    /** What it has printed, errors too. */
    public String output() {
        try {
            return Files.readString(output);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static int exitCode(Process process, String what) {
        try {
            if (!process.waitFor(END_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new AssertionError("did not end within " + END_SECONDS + " s: " + what);
            }
            return process.exitValue();
        } catch (InterruptedException e) {
            process.destroyForcibly();
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() throws IOException {
        kill();
        Files.deleteIfExists(output);
    }
}
