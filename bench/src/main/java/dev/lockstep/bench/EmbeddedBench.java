package dev.lockstep.bench;

import dev.lockstep.Primary;
import dev.lockstep.server.LockstepServer;
import dev.lockstep.stream.SenderOptions;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Arrays;

/**
 * An embedded replica of libSQL (npm libsql in node) over loopback: how fast it takes a database that was there before, as a snapshot, and
 * then as much again as frames; and how long it takes from a commit until the replica, which syncs without pause, shows it.
 */
final class EmbeddedBench {

    private static final Path SCRIPTS = Path.of("server/src/test/js");
    private static final int ROWS = 20;
    private static final int CHANGES = 300;

    private EmbeddedBench() {}

    static void run(Table table) throws Exception {
        Path directory = Workplace.fresh();
        Path database = directory.resolve("app.db");
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database);
                Statement writer = connection.createStatement()) {
            writer.execute("PRAGMA journal_mode=WAL");
            writer.execute("PRAGMA synchronous=OFF");
            writer.execute("CREATE TABLE t (v BLOB)");
            writer.execute("CREATE TABLE n (v INTEGER)");
            writer.execute("INSERT INTO n VALUES (0)");
            write(writer);
            double megabytes = Files.size(database) / 1e6;
            try (Primary primary = Primary.of(database).open();
                    LockstepServer server = Workplace.serve(primary, SenderOptions.defaults());
                    Client client = new Client(directory.resolve("copy.db"), server.port())) {
                client.ask("{\"op\":\"open\"}");
                table.row("libSQL embedded replica: snapshot", "%.0f MB/s", megabytes / client.sync(), "");
                write(writer);
                primary.awaitCaptured(Duration.ofMinutes(1));
                primary.log().sync();
                table.row("libSQL embedded replica: frames", "%.0f MB/s", megabytes / client.sync(), "");
                double[] millis = changes(writer, client);
                table.row("libSQL embedded replica: commit to visible, p50", "%.1f ms", millis[CHANGES / 2], "");
                table.row("libSQL embedded replica: commit to visible, p99", "%.1f ms", millis[CHANGES * 99 / 100], "");
            }
        }
    }

    private static void write(Statement writer) throws SQLException {
        for (int i = 0; i < ROWS; i++) {
            writer.execute("INSERT INTO t VALUES (randomblob(10000000))");
        }
    }

    private static double[] changes(Statement writer, Client client) throws SQLException, IOException {
        double[] millis = new double[CHANGES];
        for (int i = 0; i < CHANGES; i++) {
            writer.execute("UPDATE n SET v = " + (i + 1));
            long begin = System.nanoTime();
            do {
                client.sync();
            } while (!client.ask("{\"op\":\"all\",\"sql\":\"SELECT v FROM n\"}").contains("\"v\":" + (i + 1) + "}"));
            millis[i] = (System.nanoTime() - begin) / 1e6;
        }
        Arrays.sort(millis);
        return millis;
    }

    /** The script that the server's tests use. */
    private static final class Client implements AutoCloseable {

        private final Process process;
        private final BufferedWriter commands;
        private final BufferedReader answers;

        Client(Path copy, int port) throws IOException {
            process = new ProcessBuilder("node", "embedded.mjs", copy.toString(), "http://127.0.0.1:" + port)
                    .directory(SCRIPTS.toFile())
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            commands = process.outputWriter(StandardCharsets.UTF_8);
            answers = process.inputReader(StandardCharsets.UTF_8);
        }

        String ask(String command) throws IOException {
            commands.write(command + "\n");
            commands.flush();
            String answer = answers.readLine();
            while (answer != null && !answer.startsWith("answer:")) {
                answer = answers.readLine(); // the client's log
            }
            if (answer == null || answer.contains("\"error\"")) {
                throw new IOException(command + ": " + answer + "; `./dev test` installs what node needs");
            }
            return answer;
        }

        /** Gives the seconds that it took. */
        double sync() throws IOException {
            long begin = System.nanoTime();
            ask("{\"op\":\"sync\"}");
            return (System.nanoTime() - begin) / 1e9;
        }

        @Override
        public void close() throws IOException {
            commands.close();
            process.destroy();
        }
    }
}
