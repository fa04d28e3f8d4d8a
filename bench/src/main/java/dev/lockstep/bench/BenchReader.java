package dev.lockstep.bench;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;

/**
 * A reader in a process of its own: one row by its key, again and again, with pauses in which others may run. Prints one line: the p50 and
 * p99 of a query in microseconds.
 */
public final class BenchReader {

    private static final int MAX_SAMPLES = 1_000_000;
    private static final long PAUSE_NANOS = 200_000;

    private BenchReader() {}

    /** Arguments: database, number of rows, seconds. */
    public static void main(String[] args) throws SQLException {
        int rows = Integer.parseInt(args[1]);
        long nanos = Long.parseLong(args[2]) * 1_000_000_000L;
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + Path.of(args[0]));
                PreparedStatement query = connection.prepareStatement("SELECT v FROM t WHERE id = ?")) {
            long[] samples = new long[MAX_SAMPLES];
            read(query, rows, nanos / 2, samples); // warms up
            int count = read(query, rows, nanos, samples);
            Arrays.sort(samples, 0, count);
            System.out.printf("%.1f %.1f%n", samples[count / 2] / 1e3, samples[(int) (count * 0.99)] / 1e3);
        }
    }

    private static int read(PreparedStatement query, int rows, long nanos, long[] samples) throws SQLException {
        Random random = new Random(1);
        long begin = System.nanoTime();
        int count = 0;
        while (System.nanoTime() - begin < nanos && count < samples.length) {
            LockSupport.parkNanos(PAUSE_NANOS);
            long start = System.nanoTime();
            query.setInt(1, 1 + random.nextInt(rows));
            try (ResultSet row = query.executeQuery()) {
                row.next();
                row.getBytes(1);
            }
            samples[count++] = System.nanoTime() - start;
        }
        return count;
    }
}
