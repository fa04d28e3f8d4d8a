package dev.lockstep.server.libsql;

import dev.lockstep.Primary;
import dev.lockstep.testing.Databases;
import dev.lockstep.testing.Workload;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;

/** A database with a writer that does a workload. */
final class WrittenDatabase implements AutoCloseable {

    private static final long SEED = Long.getLong("seed", 20261124);

    private final Path path;
    private final Connection writer;
    private final Workload workload;

    WrittenDatabase(Path path) throws SQLException {
        this.path = path;
        writer = DriverManager.getConnection("jdbc:sqlite:" + path);
        execute("PRAGMA journal_mode=WAL");
        execute("PRAGMA synchronous=OFF");
        workload = new Workload(writer, SEED);
    }

    Path path() {
        return path;
    }

    Workload workload() {
        return workload;
    }

    void write(int transactions) throws SQLException {
        for (int i = 0; i < transactions; i++) {
            workload.any();
        }
    }

    void execute(String sql) throws SQLException {
        try (Statement statement = writer.createStatement()) {
            statement.execute(sql);
        }
    }

    /** Until all that was written is in the log, durably. */
    static void awaitCaptured(Primary primary) throws IOException {
        primary.awaitCaptured(Duration.ofSeconds(20));
        primary.log().sync();
    }

    /** That a copy has the same pages, and is sound as SQLite sees it. */
    void assertSameAs(Path copy) throws IOException {
        Databases.assertSamePages(copy, path);
        Databases.assertSound(copy);
    }

    @Override
    public void close() throws SQLException {
        writer.close();
    }
}
