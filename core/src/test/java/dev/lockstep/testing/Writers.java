package dev.lockstep.testing;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Programs of all kinds that write to a database of the {@link Workload} all the time, with checkpoints of their own, until they are
 * stopped. None may meet an error; a busy timeout of a minute is one. Seeded; not thread-safe.
 */
public final class Writers implements AutoCloseable {

    private interface Starter {
        Foreign start() throws IOException;
    }

    private interface Body {
        void run() throws Exception;
    }

    private static final String[] CHECKPOINTS = {"PASSIVE", "FULL", "RESTART", "TRUNCATE"};

    private final Path database;
    private final Random random;
    private final List<Starter> starters = new ArrayList<>();
    private final List<Foreign> processes = new ArrayList<>();
    private final List<Thread> threads = new ArrayList<>();
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private volatile boolean stopped;

    public Writers(Path database, long seed) {
        this.database = database;
        this.random = new Random(seed);
    }

    /** The hostile C program, see there for the options. */
    public Writers c(String... options) throws IOException {
        return process(() -> {
            List<Object> arguments = new ArrayList<>(List.of(seed()));
            arguments.addAll(List.of(options));
            return Foreign.c("hostile.c", database, arguments.toArray());
        });
    }

    public Writers python() throws IOException {
        return process(() -> Foreign.python("writer.py", database, seed()));
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
            while (!stopped) {
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
        return thread("jdbc", () -> {
            try (Connection connection =
                    DriverManager.getConnection("jdbc:sqlite:" + database + "?busy_timeout=60000")) {
                Workload workload = new Workload(connection, seed);
                while (!stopped) {
                    workload.any();
                }
            }
        });
    }

    private Writers thread(String name, Body body) {
        Thread thread = new Thread(
                () -> {
                    try {
                        body.run();
                    } catch (Exception | AssertionError e) {
                        failure.compareAndSet(null, e);
                    }
                },
                "writer-" + name);
        threads.add(thread);
        thread.start();
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
        Throwable met = failure.get();
        if (met != null) {
            throw new AssertionError("a writer failed: " + met, met);
        }
    }

    /** Lets all writers finish what they are at; throws what one has met. */
    public void stop() throws IOException {
        stopped = true;
        for (Foreign process : processes) {
            process.stop();
        }
        join();
        check();
    }

    private void join() {
        for (Thread thread : threads) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    /** Ends all writers, however they are. */
    @Override
    public void close() throws IOException {
        stopped = true;
        for (Foreign process : processes) {
            process.close();
        }
        join();
    }
}
