package dev.lockstep.bench;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.locks.LockSupport;

/** A writer in a process of its own that commits the time at which it began to, at a pace. */
public final class StampWriter {

    private static final long WARM_UP_GAP = 1_000_000;

    private StampWriter() {}

    /** Arguments: database, commits to warm up with, commits after those, how many of these a second. */
    public static void main(String[] args) throws SQLException {
        int warmUp = Integer.parseInt(args[1]);
        int commits = Integer.parseInt(args[2]);
        long gap = 1_000_000_000L / Long.parseLong(args[3]);
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + args[0])) {
            try (Statement statement = connection.createStatement()) {
                statement.execute("PRAGMA busy_timeout=20000");
                statement.execute("PRAGMA synchronous=NORMAL");
            }
            try (PreparedStatement insert = connection.prepareStatement("INSERT INTO stamps(at) VALUES (?)")) {
                long next = System.nanoTime();
                for (int i = 0; i < warmUp + commits; i++) {
                    LockSupport.parkNanos(next - System.nanoTime());
                    next += i < warmUp ? WARM_UP_GAP : gap;
                    insert.setLong(1, System.nanoTime()); // the machine's monotonic clock, the same in all processes
                    insert.executeUpdate();
                }
            }
        }
        System.out.println("done");
    }
}
