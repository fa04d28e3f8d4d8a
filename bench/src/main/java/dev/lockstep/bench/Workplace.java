package dev.lockstep.bench;

import dev.lockstep.Primary;
import dev.lockstep.server.LockstepServer;
import dev.lockstep.stream.SenderOptions;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/** Directories for benchmarks, removed at the end of the program, and processes beside it. */
final class Workplace {

    private static final Path ROOT = create();

    /** Bytes: as much as parts write before the next {@link #settle}, but for writers flat out, whose log may take some more. */
    private static final int PAGE_CACHE = 1500 << 20;

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

    /**
     * Makes what is measured next independent of what was before: the disk has taken all that was written, and the system has page cache to
     * give. A virtual machine hands free memory back to its host; a file that gets it anew is written at less than a tenth of the rate.
     */
    static void settle() throws IOException, InterruptedException {
        sync();
        try (FileChannel file = temporary("page-cache")) {
            fill(1 << 20, file);
        }
    }

    /**
     * The same for what takes a second or longer: the host takes free memory back within that, but whole blocks of 2 MiB or more only, and
     * every second part of one stays in use here. A copy within the kernel wants large blocks, and is three times as slow then.
     *
     * @return to be closed after the measurement
     */
    static Closeable settleLastingly() throws IOException, InterruptedException {
        FileChannel kept = temporary("kept");
        try (FileChannel freed = temporary("freed")) {
            fill(512 << 10, freed, kept);
        }
        sync();
        return kept;
    }

    /** Gives each file its zeros, by turns, in parts of so many bytes. */
    private static void fill(int part, FileChannel... files) throws IOException {
        ByteBuffer zeros = ByteBuffer.allocateDirect(part);
        for (int written = 0; written < PAGE_CACHE; written += part) {
            for (FileChannel file : files) {
                file.write(zeros.rewind());
            }
        }
    }

    private static void sync() throws IOException, InterruptedException {
        new ProcessBuilder("sync").inheritIO().start().waitFor();
    }

    private static FileChannel temporary(String name) throws IOException {
        return FileChannel.open(
                ROOT.resolve(name),
                StandardOpenOption.CREATE_NEW,
                StandardOpenOption.WRITE,
                StandardOpenOption.DELETE_ON_CLOSE);
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
