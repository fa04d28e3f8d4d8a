package dev.lockstep.server;

import dev.lockstep.Primary;
import dev.lockstep.server.libsql.LibsqlDatabase;
import dev.lockstep.server.libsql.UnknownDatabaseException;
import dev.lockstep.server.sql.SqlDatabase;
import dev.lockstep.server.sql.SqlLimits;
import dev.lockstep.stream.Origin;
import dev.lockstep.stream.Publication;
import dev.lockstep.stream.SenderOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Takes databases up into a server and lets go of them again, with the threads that serve them. Thread-safe. */
final class Hosting implements AdminService.Control, AutoCloseable {

    private final SenderOptions options;
    private final @Nullable SqlLimits sql;
    private final @Nullable DatabaseDirectory directory;
    private final Databases databases;
    private final ExecutorService sessions;

    /**
     * @param sql for clients that run SQL on the primaries; null if none may
     * @param directory of databases that come and go, which is closed with this; null if there are none
     */
    Hosting(SenderOptions options, @Nullable SqlLimits sql, @Nullable DatabaseDirectory directory) {
        this.options = options;
        this.sql = sql;
        this.directory = directory;
        this.databases = new Databases(directory == null);
        AtomicInteger threads = new AtomicInteger();
        this.sessions = Executors.newCachedThreadPool(task -> {
            Thread thread = new Thread(task, "lockstep-session-" + threads.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        });
        if (directory != null) {
            directory.all().forEach(this::add);
        }
    }

    Databases databases() {
        return databases;
    }

    /** Threads for whatever may wait. */
    ExecutorService sessions() {
        return sessions;
    }

    void add(Primary primary) {
        SqlDatabase running = sql == null ? null : SqlDatabase.of(primary, sql);
        add(primary, primary.dataDirectory(), running, () -> capture(primary));
    }

    private static ServerStatus.Capture capture(Primary primary) {
        Primary.Status status = primary.status();
        return new ServerStatus.Capture(status.state().name(), Objects.requireNonNullElse(status.failure(), ""));
    }

    /** @param running SQL on it; null if there is none */
    void add(
            Origin origin, Path spoolDirectory, @Nullable SqlDatabase running, Supplier<ServerStatus.Capture> capture) {
        databases.add(new Hosted(
                new Publication(origin, options, sessions),
                new LibsqlDatabase(origin, spoolDirectory),
                running,
                capture));
    }

    @Override
    public synchronized void create(String name) throws IOException {
        if (databases.contains(name)) {
            throw new IllegalStateException("there is a database " + name + " already");
        }
        add(requireDirectory().create(name));
    }

    /** @throws UnknownDatabaseException also for a database that stands elsewhere than in the directory */
    @Override
    public synchronized void drop(String name) throws IOException, UnknownDatabaseException {
        DatabaseDirectory dropping = requireDirectory();
        if (!dropping.contains(name)) {
            throw new UnknownDatabaseException("there is no database " + name + " that was created here");
        }
        databases.remove(name);
        dropping.drop(name);
    }

    private DatabaseDirectory requireDirectory() {
        return Objects.requireNonNull(directory, "no directory of databases");
    }

    /** Ends all sessions. Primaries that were added stay open, those of the directory do not. */
    @Override
    public void close() throws IOException {
        databases.all().forEach(Hosted::close);
        sessions.shutdown();
        if (directory != null) {
            directory.close();
        }
    }
}
