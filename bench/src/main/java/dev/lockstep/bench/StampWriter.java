package dev.lockstep.bench;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.locks.LockSupport;

/** A writer in a process of its own that commits the time at which it began to, at a pace. */
public final class StampWriter {

    private StampWriter() {}

    /** Arguments: database, commits, commits a second. */
    public static void main(String[] args) throws SQLException {
        int commits = Integer.parseInt(args[1]);
        long gap = 1_000_000_000L / Long.parseLong(args[2]);
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + args[0])) {
            try (Statement statement = connection.createStatement()) {
                statement.execute("PRAGMA busy_timeout=20000");
                statement.execute("PRAGMA synchronous=NORMAL");
            }
            try (PreparedStatement insert = connection.prepareStatement("INSERT INTO stamps(at) VALUES (?)")) {
                long begin = System.nanoTime();
                for (int i = 0; i < commits; i++) {
                    LockSupport.parkNanos(begin + i * gap - System.nanoTime());
                    insert.setLong(1, System.nanoTime()); // the machine's monotonic clock, the same in all processes
                    insert.executeUpdate();
                }
            }
        }
        System.out.println("done");
    }
}
