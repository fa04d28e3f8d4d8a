package dev.lockstep.bench;

import dev.lockstep.Primary;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;

/**
 * How fast a WAL that was written while Lockstep was away is captured: reading, SQLite's checksums, the chain, the page index, seals,
 * and the log, whose sync goes on beside it.
 */
final class CaptureBench {

    private static final int ROUNDS = 3;
    private static final long WAL_BYTES = 400_000_000;

    private CaptureBench() {}

    static void run(Table table, int frames) throws IOException, SQLException, InterruptedException {
        String name = "capture, transactions of " + frames + (frames == 1 ? " frame" : " frames");
        table.row(name, "%.0f MB/s", capture(frames), ">= 600");
    }

    private static double capture(int frames) throws IOException, SQLException, InterruptedException {
        Double[] rates = new Double[ROUNDS];
        for (int round = 0; round < ROUNDS; round++) {
            Path database = Workplace.fresh().resolve("app.db");
            try (Connection writer = DriverManager.getConnection("jdbc:sqlite:" + database);
                    Statement statement = writer.createStatement()) {
                statement.execute("PRAGMA journal_mode=WAL");
                statement.execute("PRAGMA synchronous=OFF");
                statement.execute("PRAGMA wal_autocheckpoint=0");
                statement.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB)");
                statement.execute("INSERT INTO t(v) VALUES (zeroblob(" + (frames == 1 ? 1 : frames * 4096L) + "))");
                String update = frames == 1
                        ? "UPDATE t SET id = id + 1"
                        : "UPDATE t SET v = randomblob(" + frames * 4096L + ")";
                long captured;
                try (Connection reader = DriverManager.getConnection("jdbc:sqlite:" + database);
                        Statement reading = reader.createStatement()) {
                    reading.execute("BEGIN");
                    reading.execute("SELECT count(*) FROM t"); // from here on nobody can reset the WAL
                    Primary primary = Primary.of(database).open();
                    statement.execute(update);
                    primary.close(); // its log ends in the WAL that goes on growing
                    captured = primary.position().frameNo();
                    statement.execute(update);
                }
                long transactions = WAL_BYTES / (frames * 4120L);
                for (long i = 0; i < transactions; i++) {
                    statement.execute(update);
                }
                Workplace.settle();
                rates[round] = capture(database, captured, transactions * frames);
            }
        }
        return Workplace.median(rates, Double::doubleValue);
    }

    /** MB/s from the opening of the primary to the end of the capture. */
    private static double capture(Path database, long captured, long atLeast) throws IOException {
        long begin = System.nanoTime();
        try (Primary primary = Primary.of(database).open()) {
            long nanos = System.nanoTime() - begin; // open() captures what is there
            long frames = primary.position().frameNo() - captured;
            if (frames < atLeast) {
                throw new IllegalStateException("a comparison of pages, not a capture: " + frames + " frames");
            }
            return frames * 4120e3 / nanos;
        }
    }
}
