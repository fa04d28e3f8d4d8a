package dev.lockstep.server.sql;

import dev.lockstep.Primary;
import dev.lockstep.UnavailableException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * SQL on one hosted database. One session writes at a time, in the order in which they asked; readers do not wait for it. A bounded
 * number of sessions is at work at once, and a watchdog ends what lasts too long.
 *
 * <p>Thread-safe.
 */
public final class SqlDatabase implements AutoCloseable {

    private static final Logger logger = LoggerFactory.getLogger(SqlDatabase.class);
    private static final long WATCH_MILLIS = 20;

    private static final ScheduledExecutorService WATCHDOG = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "lockstep-sql-watchdog");
        thread.setDaemon(true);
        return thread;
    });

    /** The log into which the database is captured. */
    interface Log {

        /** A frame by which it has what was committed before the call. */
        long awaitCaptured() throws IOException;

        /** @return false if the frame was not durable in time */
        boolean awaitDurable(long frameNo) throws InterruptedException;
    }

    private final Path path;
    private final SqlLimits limits;
    private final Log log;
    private final ConnectionPool writers;
    private final ConnectionPool readers;

    /** One place, that of the writer. */
    private final FairQueue turns = new FairQueue(1);

    /** One place for each connection in use, but that of a writer who had none before its turn came. */
    private final FairQueue places;

    /** Sessions that run something or hold a transaction. */
    private final Set<SqlSession> active = ConcurrentHashMap.newKeySet();

    private final ScheduledFuture<?> watch;
    private volatile boolean closed;

    /** SQL on the database that {@code primary} captures; closing this leaves the primary open. */
    public static SqlDatabase of(Primary primary, SqlLimits limits) {
        return new SqlDatabase(primary.database(), limits, new Log() {
            @Override
            public long awaitCaptured() throws IOException {
                return primary.awaitCaptured(limits.captureWait()).frameNo();
            }

            @Override
            public boolean awaitDurable(long frameNo) throws InterruptedException {
                return primary.log()
                        .await(frameNo - 1, true, limits.captureWait().toNanos());
            }
        });
    }

    SqlDatabase(Path path, SqlLimits limits, Log log) {
        this.path = path;
        this.limits = limits;
        this.log = log;
        this.writers = new ConnectionPool(path, limits, false);
        this.readers = new ConnectionPool(path, limits, true);
        this.places = new FairQueue(limits.connections());
        this.watch = WATCHDOG.scheduleWithFixedDelay(this::watch, WATCH_MILLIS, WATCH_MILLIS, TimeUnit.MILLISECONDS);
    }

    /** A new session, which may write. It costs nothing until it is used, and must be closed. */
    public SqlSession session() {
        return new SqlSession(this, true);
    }

    SqlLimits limits() {
        return limits;
    }

    /** @param writable whether its connections may write */
    ConnectionPool pool(boolean writable) {
        return writable ? writers : readers;
    }

    FairQueue turns() {
        return turns;
    }

    FairQueue places() {
        return places;
    }

    boolean isClosed() {
        return closed;
    }

    void setActive(SqlSession session, boolean isActive) {
        if (isActive) {
            active.add(session);
        } else {
            active.remove(session);
        }
    }

    /** The frame by which everything committed so far is in the log; null if capture cannot tell now. */
    @Nullable
    Long capturedFrame() {
        try {
            return log.awaitCaptured();
        } catch (IOException e) {
            logger.warn("{}: a write is committed, but its frame is not known: {}", path, e.getMessage());
            return null;
        }
    }

    /**
     * Waits until a frame of an {@link Outcome} is durable in the log, so that replicas can have it.
     *
     * @throws UnavailableException if that takes too long; the write is committed all the same
     */
    public void awaitDurable(long frameNo) throws UnavailableException {
        boolean durable = false;
        try {
            durable = log.awaitDurable(frameNo);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (!durable) {
            throw new UnavailableException(path + ": the write is committed, but frame " + frameNo
                    + " was not durable in the log within "
                    + limits.captureWait().toMillis()
                    + " ms; look for a full or slow disk");
        }
    }

    private void watch() {
        long now = System.nanoTime();
        for (SqlSession session : active) {
            try {
                session.watch(now);
            } catch (RuntimeException e) {
                logger.error("{}: watching a session", path, e);
            }
        }
    }

    /** Ends all sessions, interrupting what they run, and closes the connections. */
    @Override
    public void close() {
        closed = true;
        active.forEach(SqlSession::close);
        watch.cancel(false);
        writers.close();
        readers.close();
    }
}
