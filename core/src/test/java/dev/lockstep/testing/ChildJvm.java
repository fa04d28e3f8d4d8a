package dev.lockstep.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Another process of Java with this one's class path: one that can be killed. */
public final class ChildJvm implements AutoCloseable {

    /** What a process killed by SIGKILL, or by a crash point, exits with. */
    public static final int KILLED = 137;

    private static final int TAIL = 4000;

    /** Much more than an idle machine needs. */
    private static final long END_SECONDS = 180;

    private final Process process;
    private final Path output;

    /** Starts the main class with these system properties and arguments. */
    public ChildJvm(Class<?> main, Map<String, String> properties, String... arguments) throws IOException {
        this(Map.of(), main, properties, arguments);
    }

    /** The same, with more in its environment. */
    public ChildJvm(Map<String, String> environment, Class<?> main, Map<String, String> properties, String... arguments)
            throws IOException {
        output = Files.createTempFile("lockstep-child-", ".out");
        ProcessBuilder builder = new ProcessBuilder(command(main, properties, arguments))
                .redirectErrorStream(true)
                .redirectOutput(Redirect.to(output.toFile()));
        builder.environment().putAll(environment);
        process = builder.start();
    }

    /** How to start the main class in a process of its own. */
    public static List<String> command(Class<?> main, Map<String, String> properties, String... arguments) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Dlockstep.log=INFO",
                "-cp",
                System.getProperty("java.class.path")));
        properties.forEach((key, value) -> command.add("-D" + key + "=" + value));
        command.add(main.getName());
        command.addAll(List.of(arguments));
        return command;
    }

    /** Waits for the end of the process, and fails if that takes minutes. */
    public int exitCode() {
        try {
            if (!process.waitFor(END_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new AssertionError("the child did not end: " + tail());
            }
            return process.exitValue();
        } catch (InterruptedException e) {
            process.destroyForcibly();
            throw new IllegalStateException(e);
        }
    }

    /** Tells a program that runs until its input ends to end, and fails if it does not end well. */
    public void stop() throws IOException {
        endInput();
        int code = exitCode();
        if (code != 0) {
            throw new AssertionError("the child ended with " + code + ": " + tail());
        }
    }

    /** Tells a program that runs until its input ends to end. */
    public void endInput() throws IOException {
        process.getOutputStream().close();
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    /** What it has printed, errors too. */
    public String output() {
        try {
            return Files.readString(output);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The end of what it has printed. */
    public String tail() {
        String all = output();
        return all.substring(Math.max(0, all.length() - TAIL));
    }

    /** Ends it as kill -9 does. */
    public void kill() {
        process.destroyForcibly();
        exitCode();
    }

    @Override
    public void close() throws IOException {
        kill();
        Files.deleteIfExists(output);
    }
}
