package dev.lockstep.bench;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import java.util.concurrent.locks.LockSupport;

/**
 * A writer in a process of its own, as an application would be: transactions of 100-byte rows for a number of seconds, flat out or at a
 * pace. Prints one line: transactions a second, and the p50 and p99 of a transaction in microseconds.
 */
public final class BenchWriter {

    private static final int MAX_SAMPLES = 4_000_000;

    private BenchWriter() {}

    /** Arguments: database, rows per transaction, synchronous mode, seconds, transactions a second (0: flat out). */
    public static void main(String[] args) throws SQLException {
        Path database = Path.of(args[0]);
        int rows = Integer.parseInt(args[1]);
        long nanos = Long.parseLong(args[3]) * 1_000_000_000L;
        long pace = Long.parseLong(args[4]);
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database)) {
            try (Statement statement = connection.createStatement()) {
                statement.execute("PRAGMA busy_timeout=20000");
                statement.execute("PRAGMA journal_mode=WAL");
                statement.execute("PRAGMA synchronous=" + args[2]);
                statement.execute("CREATE TABLE IF NOT EXISTS rows (id INTEGER PRIMARY KEY, v BLOB)");
            }
            connection.setAutoCommit(false);
            long[] samples = new long[MAX_SAMPLES];
            try (PreparedStatement insert =
                    connection.prepareStatement("INSERT INTO rows(v) VALUES (randomblob(100))")) {
                run(connection, insert, rows, nanos / 5, pace, samples); // warms up
                int count = run(connection, insert, rows, nanos, pace, samples);
                Arrays.sort(samples, 0, count);
                System.out.printf(
                        "%.0f %.1f %.1f%n",
                        count * 1e9 / nanos, samples[count / 2] / 1e3, samples[(int) (count * 0.99)] / 1e3);
            }
        }
    }

    private static int run(
            Connection connection, PreparedStatement insert, int rows, long nanos, long pace, long[] samples)
            throws SQLException {
        long begin = System.nanoTime();
        int count = 0;
        while (System.nanoTime() - begin < nanos && count < samples.length) {
            if (pace > 0) {
                LockSupport.parkNanos(begin + count * 1_000_000_000L / pace - System.nanoTime());
            }
            long start = System.nanoTime();
            for (int i = 0; i < rows; i++) {
                insert.executeUpdate();
            }
            connection.commit();
            samples[count++] = System.nanoTime() - start;
        }
        return count;
    }
}
