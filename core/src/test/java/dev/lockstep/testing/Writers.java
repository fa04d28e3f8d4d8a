package dev.lockstep.testing;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Programs of all kinds that write to a database of the {@link Workload} all the time, with checkpoints of their own, until they are
 * stopped. None may meet an error; a busy timeout of a minute is one. Seeded; not thread-safe.
 */
public final class Writers implements AutoCloseable {

    private interface Starter {
        Foreign start() throws IOException;
    }

    private static final String[] CHECKPOINTS = {"PASSIVE", "FULL", "RESTART", "TRUNCATE"};

    private final Path database;
    private final Random random;
    private int pauseMicros;
    private final List<Starter> starters = new ArrayList<>();
    private final List<Foreign> processes = new ArrayList<>();
    private final Crew crew = new Crew("writer");

    public Writers(Path database, long seed) {
        this.database = database;
        this.random = new Random(seed);
    }

    /** Lets those that are started from now on, but for the shell, pause for so long between transactions. */
    public Writers pausing(int micros) {
        pauseMicros = micros;
        return this;
    }

    /** The hostile C program, see there for the options. */
    public Writers c(String... options) throws IOException {
        String pause = "pause=" + pauseMicros;
        return process(() -> {
            List<Object> arguments = new ArrayList<>(List.of(seed(), pause));
            arguments.addAll(List.of(options));
            return Foreign.c("hostile.c", database, arguments.toArray());
        });
    }

    public Writers python() throws IOException {
        int pause = pauseMicros;
        return process(() -> Foreign.python("writer.py", database, seed(), pause));
    }

    private Writers process(Starter starter) throws IOException {
        starters.add(starter);
        processes.add(starter.start());
        return this;
    }

    private long seed() {
        return random.nextInt(1_000_000_000);
    }

    /** The sqlite3 shell, opened anew for every few transactions. */
    public Writers shell() {
        Random own = new Random(seed());
        return thread("shell", () -> {
            while (!crew.isStopped()) {
                Sqlite3.run(database, shellTransactions(own));
            }
        });
    }

    private static String shellTransactions(Random random) {
        StringBuilder sql = new StringBuilder(".timeout 60000\n");
        for (int i = random.nextInt(8); i >= 0; i--) {
            int amount = random.nextInt(50);
            sql.append("BEGIN IMMEDIATE;\n")
                    .append("UPDATE account SET balance = balance - " + amount + " WHERE id = 1;\n")
                    .append("UPDATE account SET balance = balance + " + amount + " WHERE id = 2;\n")
                    .append("UPDATE counter SET n = n + 1; INSERT INTO history SELECT n FROM counter;\n")
                    .append("DELETE FROM history WHERE n < (SELECT n FROM counter) - 100;\n")
                    .append(random.nextInt(5) == 0 ? "ROLLBACK;\n" : "COMMIT;\n");
        }
        return sql + "PRAGMA wal_checkpoint(" + CHECKPOINTS[random.nextInt(4)] + ");\n";
    }

    /** A connection of this process. */
    public Writers jdbc() {
        long seed = seed();
        long pause = TimeUnit.MICROSECONDS.toNanos(pauseMicros);
        return thread("jdbc", () -> {
            try (Connection connection =
                    DriverManager.getConnection("jdbc:sqlite:" + database + "?busy_timeout=60000")) {
                Workload workload = new Workload(connection, seed);
                while (!crew.isStopped()) {
                    workload.any();
                    LockSupport.parkNanos(pause);
                }
            }
        });
    }

    private Writers thread(String name, Crew.Task task) {
        crew.start(name, task);
        return this;
    }

    /** Kills one of the other processes, as kill -9 does, and starts another like it. */
    public void killOne() throws IOException {
        if (processes.isEmpty()) {
            return;
        }
        int victim = random.nextInt(processes.size());
        processes.get(victim).close();
        processes.set(victim, starters.get(victim).start());
    }

    /** Throws what a writer has met. */
    public void check() {
        processes.forEach(Foreign::isAlive);
        crew.check();
    }

    /** Lets all writers finish what they are at; throws what one has met. */
    public void stop() throws IOException {
        crew.stop();
        for (Foreign process : processes) {
            process.stop();
        }
        crew.join();
        check();
    }

    /** Ends all writers, however they are. */
    @Override
    public void close() throws IOException {
        crew.stop();
        for (Foreign process : processes) {
            process.close();
        }
        crew.join();
    }
}
