package dev.lockstep.jdbc;

import dev.lockstep.io.RealPath;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLNonTransientConnectionException;
import java.sql.SQLTransientConnectionException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * The one primary or replica of a database file in this process, open while there is a connection or data source that uses it, and for a
 * while after that (option {@code linger}), so that a program which opens one connection after the other does not pay each time.
 *
 * <p>Thread-safe.
 */
final class SharedSource {

    /** By real path, so that two names of a file lead to one primary. */
    private static final Map<Path, SharedSource> OPEN = new ConcurrentHashMap<>();

    private static final ScheduledExecutorService CLOSER = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "lockstep-jdbc-linger");
        thread.setDaemon(true);
        return thread;
    });

    /** One user's claim that it stays open. */
    static final class Lease {

        private final SharedSource shared;
        private final Source source;
        private final AtomicBoolean ended = new AtomicBoolean();

        private Lease(SharedSource shared, Source source) {
            this.shared = shared;
            this.source = source;
        }

        Source source() {
            return source;
        }

        void end() {
            if (ended.compareAndSet(false, true)) {
                shared.release();
            }
        }
    }

    private final Path key;
    private final Settings settings;

    /** The fields below are guarded by this. */
    private @Nullable Source source;

    private int users;
    private boolean gone;
    private @Nullable ScheduledFuture<?> closing;

    private SharedSource(Path key, Settings settings) {
        this.key = key;
        this.settings = settings;
    }

    /** Opens a connection that holds its source open until it is closed. */
    static Connection connect(Settings settings) throws SQLException {
        if (settings.mode() == Settings.Mode.REMOTE) {
            return new RemoteSource(settings).connect(settings, () -> {});
        }
        Lease lease = lease(settings);
        try {
            return lease.source().connect(settings, lease::end);
        } catch (SQLException | RuntimeException e) {
            lease.end();
            throw e;
        }
    }

    /**
     * Claims the source of a path, and opens it if nobody has it open.
     *
     * @throws SQLException if it cannot be opened, or is open with other options
     */
    static Lease lease(Settings settings) throws SQLException {
        Path key = realPath(settings.path());
        while (true) {
            SharedSource shared = OPEN.computeIfAbsent(key, path -> new SharedSource(path, settings));
            Source source = shared.claim(settings);
            if (source != null) {
                return new Lease(shared, source);
            }
        }
    }

    private static Path realPath(Path path) throws SQLException {
        try {
            return RealPath.resolved(path);
        } catch (IOException e) {
            throw new SQLNonTransientConnectionException(
                    path + ": its directory cannot be opened: " + e.getMessage(), "08001", e);
        }
    }

    /** Null if it was closed in this moment, so that another one has to be made. */
    private synchronized @Nullable Source claim(Settings asked) throws SQLException {
        if (gone) {
            return null;
        }
        if (!settings.sharesWith(asked)) {
            throw new SQLNonTransientConnectionException(
                    asked.path() + " is open in this process as " + settings.url() + ", and cannot be opened as "
                            + asked.url() + " beside; close that first, or use the same options",
                    "08001");
        }
        Source there = source;
        if (there == null) {
            try {
                there = open();
            } catch (SQLException | RuntimeException e) {
                forget();
                throw e;
            }
            source = there;
        }
        if (closing != null) {
            closing.cancel(false);
            closing = null;
        }
        users++;
        return there;
    }

    private Source open() throws SQLException {
        try {
            return settings.mode() == Settings.Mode.PRIMARY
                    ? PrimarySource.open(settings)
                    : ReplicaSource.open(settings);
        } catch (IOException e) {
            throw new SQLTransientConnectionException(e.getMessage(), "08001", e);
        }
    }

    private synchronized void release() {
        users--;
        if (users == 0) {
            long millis;
            try {
                millis = settings.duration(Option.LINGER).toMillis();
            } catch (SQLException impossible) {
                throw new IllegalStateException("settings were validated", impossible);
            }
            closing = CLOSER.schedule(this::closeIfUnused, millis, TimeUnit.MILLISECONDS);
        }
    }

    private synchronized void closeIfUnused() {
        if (users == 0 && source != null) {
            source.close();
            forget();
        }
    }

    private void forget() {
        source = null;
        gone = true;
        OPEN.remove(key, this);
    }
}
