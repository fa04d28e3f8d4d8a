package dev.lockstep.bench;

import dev.lockstep.Primary;
import dev.lockstep.server.LockstepServer;
import dev.lockstep.stream.SenderOptions;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/** Directories for benchmarks, removed at the end of the program, and processes beside it. */
final class Workplace {

    private static final Path ROOT = create();

    private Workplace() {}

    private static Path create() {
        try {
            Path root = Files.createTempDirectory("lockstep-bench-");
            Runtime.getRuntime().addShutdownHook(new Thread(() -> remove(root)));
            return root;
        } catch (IOException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** A new, empty directory. */
    static Path fresh() throws IOException {
        return Files.createTempDirectory(ROOT, "run-");
    }

    private static void remove(Path root) {
        try (Stream<Path> files = Files.walk(root)) {
            for (Path file : (Iterable<Path>) files.sorted(Comparator.reverseOrder())::iterator) {
                Files.delete(file);
            }
        } catch (IOException e) {
            System.err.println("left behind: " + root + " (" + e.getMessage() + ")");
        }
    }

    /** Waits until the disk has taken what was written so far, so that it is not counted against what is measured next. */
    static void settle() throws IOException, InterruptedException {
        new ProcessBuilder("sync").inheritIO().start().waitFor();
    }

    /** Runs a main class in a JVM of its own, and returns the line that it prints. */
    static String java(Class<?> main, String... arguments) throws IOException, InterruptedException {
        Process process = start(main, arguments);
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException(main.getSimpleName() + " failed: " + output);
        }
        return output.strip();
    }

    /** Starts a main class in a JVM of its own. */
    static Process start(Class<?> main, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                main.getName()));
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    /** Serves a database to replicas, over loopback. */
    static LockstepServer serve(Primary primary, SenderOptions options) throws IOException {
        return LockstepServer.builder()
                .listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .database(primary)
                .sender(options)
                .start();
    }

    static String url(LockstepServer server) {
        return "http://127.0.0.1:" + server.port();
    }

    static <T> double median(T[] results, ToDoubleFunction<T> figure) {
        double[] sorted = Arrays.stream(results).mapToDouble(figure).sorted().toArray();
        return sorted[sorted.length / 2];
    }
}
