package dev.lockstep.testing;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * Programs of all kinds that read a database of the {@link Workload} all the time, each in its own thread: none may ever be told
 * that the database is busy, see a mixture of two states, or go back. The first failure is thrown by {@link #check} and
 * {@link #close}.
 */
public final class Readers implements AutoCloseable {

    /** One read; returns the counter that it saw. */
    private interface Read {
        long once() throws Exception;
    }

    private final Path database;
    private final int busyTimeout;
    private final Crew openers = new Crew("reader");
    private final Crew crew = new Crew("reader");
    private final AtomicLong reads = new AtomicLong();
    private long pauseNanos;

    public Readers(Path database) {
        this(database, 0);
    }

    /** @param busyTimeout milliseconds for which they wait for one another to recover what a killed process left */
    public Readers(Path database, int busyTimeout) {
        this.database = database;
        this.busyTimeout = busyTimeout;
    }

    /** Lets those that are started from now on pause for so long between reads, to leave the cores to others. */
    public Readers pausing(int micros) {
        pauseNanos = TimeUnit.MICROSECONDS.toNanos(micros);
        return this;
    }

    /** A connection of this process that stays open. */
    public Readers jdbc() {
        return start("jdbc", () -> {
            try (Connection connection = connect();
                    Statement statement = connection.createStatement()) {
                repeat(() -> Workload.check(statement));
            }
        });
    }

    /** A connection of this process that holds a snapshot for a while, which must not change meanwhile. */
    public Readers snapshots(int millis) {
        return start("snapshots", () -> {
            try (Connection connection = connect();
                    Statement statement = connection.createStatement()) {
                repeat(() -> {
                    statement.execute("BEGIN");
                    long first = Workload.check(statement);
                    long end = System.nanoTime() + millis * 1_000_000L;
                    while (System.nanoTime() < end && !crew.isStopped()) {
                        if (Workload.check(statement) != first) {
                            throw new AssertionError("a snapshot moved away from " + first);
                        }
                    }
                    statement.execute("COMMIT");
                    return first;
                });
            }
        });
    }

    /** Connections of this process that are opened for one read each. */
    public Readers jdbcReopening() {
        openers.start(
                "jdbc-reopening",
                () -> repeat(openers, () -> {
                    try (Connection connection = connect();
                            Statement statement = connection.createStatement()) {
                        return Workload.check(statement);
                    }
                }));
        return this;
    }

    /** Another program that stays open. */
    public Readers shell() {
        return start("shell", () -> {
            try (Sqlite3 shell = open()) {
                repeat(() -> Workload.check(shell.ask(Workload.STATE + ";")));
            }
        });
    }

    /** Other programs, each for one read. */
    public Readers shellReopening() {
        openers.start(
                "shell-reopening",
                () -> repeat(openers, () -> Workload.check(Sqlite3.run(database, timeout() + Workload.STATE + ";"))));
        return this;
    }

    /** A shell that has the database open: to open it, it waits for others to close, as they hold the PENDING lock for a moment. */
    private Sqlite3 open() throws IOException {
        Sqlite3 shell = new Sqlite3(database);
        shell.ask(".timeout 10000\n" + Workload.STATE + ";\n" + timeout());
        return shell;
    }

    private String timeout() {
        return ".timeout " + busyTimeout + "\n";
    }

    /** Another program that checkpoints in every way, as often as it can. */
    public Readers checkpoints(long seed) {
        Random random = new Random(seed);
        List<String> modes = List.of("PASSIVE", "FULL", "RESTART", "TRUNCATE");
        return start("checkpoints", () -> {
            try (Sqlite3 shell = open()) {
                repeat(() -> {
                    String answer = shell.ask("PRAGMA wal_checkpoint(" + modes.get(random.nextInt(4)) + ");");
                    if (!answer.matches("[01]\\|-?\\d+\\|-?\\d+")) {
                        throw new AssertionError("checkpoint: " + answer);
                    }
                    return Workload.check(shell.ask(Workload.STATE + ";"));
                });
            }
        });
    }

    private Connection connect() throws SQLException {
        return DriverManager.getConnection("jdbc:sqlite:" + database + "?busy_timeout=" + busyTimeout);
    }

    private Readers start(String name, Crew.Task task) {
        crew.start(name, task);
        return this;
    }

    private void repeat(Read read) throws Exception {
        repeat(crew, read);
    }

    private void repeat(Crew members, Read read) throws Exception {
        long last = 0;
        while (!members.isStopped()) {
            long counter = read.once();
            if (counter < last) {
                throw new AssertionError(
                        Thread.currentThread().getName() + " went back from " + last + " to " + counter);
            }
            last = counter;
            reads.incrementAndGet();
            LockSupport.parkNanos(pauseNanos);
        }
    }

    /** How many reads were made in all. */
    public long reads() {
        return reads.get();
    }

    /** Throws what a reader has met. */
    public void check() {
        openers.check();
        crew.check();
    }

    /** Ends all readers; first those that open the database each time, which a program that closes it turns away for a moment. */
    @Override
    public void close() {
        openers.stop();
        openers.join();
        crew.stop();
        crew.join();
        check();
    }
}
