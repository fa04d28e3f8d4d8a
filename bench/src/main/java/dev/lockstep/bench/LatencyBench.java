package dev.lockstep.bench;

import dev.lockstep.Primary;
import dev.lockstep.Replica;
import dev.lockstep.server.LockstepServer;
import dev.lockstep.server.RemotePrimary;
import dev.lockstep.stream.SenderOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;

/**
 * From the moment a writer in another process begins a commit until a reader of the replica, through SQLite, sees it; over loopback. The
 * targets: p50 below 1 ms when shipped eagerly, p99 below 10 ms when durable first.
 */
final class LatencyBench {

    private static final int COMMITS = 2500;
    private static final int PER_SECOND = 200;

    /** Commits before those, one in a millisecond, as many as take the JVM's compilers to be done. */
    private static final int WARM_UP = 10_000;

    private LatencyBench() {}

    static void eager(Table table) throws Exception {
        measure(table, "eager", SenderOptions.defaults().withEager(true), "< 1000", "");
    }

    static void durable(Table table) throws Exception {
        measure(table, "durable first", SenderOptions.defaults(), "", "< 10000");
    }

    private static void measure(Table table, String name, SenderOptions options, String p50, String p99)
            throws Exception {
        Path directory = Workplace.fresh();
        Path database = directory.resolve("app.db");
        create(database);
        try (Primary primary = Primary.of(database).open();
                LockstepServer server = Workplace.serve(primary, options);
                RemotePrimary remote = RemotePrimary.of(Workplace.url(server));
                Replica replica =
                        Replica.of(directory.resolve("copy.db"), remote).open()) {
            if (!replica.awaitFrame(primary.position().frameNo(), Duration.ofSeconds(30))) {
                throw new IOException("the replica did not catch up: " + replica.status());
            }
            CompletableFuture<String> writer = CompletableFuture.supplyAsync(() -> {
                try {
                    return Workplace.java(
                            StampWriter.class, database.toString(), "" + WARM_UP, "" + COMMITS, "" + PER_SECOND);
                } catch (IOException | InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            });
            long[] latencies = observe(directory.resolve("copy.db"));
            writer.join();
            Arrays.sort(latencies);
            table.row("commit to visible, " + name + ": p50", "%.0f us", latencies[latencies.length / 2] / 1e3, p50);
            table.row(
                    "commit to visible, " + name + ": p99",
                    "%.0f us",
                    latencies[(int) (latencies.length * 0.99)] / 1e3,
                    p99);
        }
    }

    private static void create(Path database) throws SQLException {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database);
                Statement statement = connection.createStatement()) {
            statement.execute("PRAGMA journal_mode=WAL");
            statement.execute("CREATE TABLE stamps (id INTEGER PRIMARY KEY, at INTEGER)");
        }
    }

    /** Reads until the last commit is there; those seen together count each. */
    private static long[] observe(Path copy) throws SQLException {
        long[] latencies = new long[COMMITS];
        long deadline = System.nanoTime() + Duration.ofMinutes(2).toNanos();
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:file:" + copy + "?mode=ro");
                PreparedStatement select =
                        connection.prepareStatement("SELECT id, at FROM stamps WHERE id > ? ORDER BY id")) {
            int seen = 0;
            while (seen < WARM_UP + COMMITS && System.nanoTime() < deadline) {
                select.setInt(1, seen);
                try (ResultSet rows = select.executeQuery()) {
                    long now = System.nanoTime();
                    while (rows.next()) {
                        seen = rows.getInt(1);
                        if (seen > WARM_UP) {
                            latencies[seen - WARM_UP - 1] = now - rows.getLong(2);
                        }
                    }
                }
                LockSupport.parkNanos(20_000);
            }
        }
        return latencies;
    }
}
