package dev.lockstep.server.sql;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The connections that no session uses now. Each session gets back the one it used last, if no other session had to take it, so that
 * last_insert_rowid() and changes() answer as on a connection of its own.
 *
 * <p>Thread-safe. How many are in use is for the callers to bound; of those that are idle, the least recently used beyond {@code capacity} are
 * closed.
 */
final class ConnectionPool {

    private record Idle(SqlConnection connection, @Nullable Object lastUser) {}

    private final Path database;
    private final SqlLimits limits;
    private final boolean readOnly;

    /** The most recently used last. Guarded by the monitor, as {@link #closed} is. */
    private final Deque<Idle> idle = new ArrayDeque<>();

    private boolean closed;

    /** @param readOnly whether its connections can only read, as SQLite sees to it */
    ConnectionPool(Path database, SqlLimits limits, boolean readOnly) {
        this.database = database;
        this.limits = limits;
        this.readOnly = readOnly;
    }

    /** A connection for {@code user}: its own, else a new one, else one that another session used. */
    SqlConnection take(Object user) throws SqlFailure {
        SqlConnection found = find(user);
        if (found != null) {
            return found;
        }
        try {
            return SqlConnection.open(database, limits, readOnly);
        } catch (IOException e) {
            throw SqlFailure.sqlite(SqlFailure.CANTOPEN, String.valueOf(e.getMessage()));
        }
    }

    private synchronized @Nullable SqlConnection find(Object user) {
        Idle free = null;
        for (Iterator<Idle> all = idle.descendingIterator(); all.hasNext(); ) {
            Idle one = all.next();
            if (one.lastUser == user) {
                all.remove();
                return one.connection;
            }
            free = one.lastUser == null ? one : free;
        }
        if (free == null && idle.size() >= limits.connections()) {
            free = idle.peekFirst();
        }
        if (free != null) {
            idle.remove(free);
            return free.connection;
        }
        return null;
    }

    /** Takes back a connection without a transaction; {@code user} may want it again. */
    void give(SqlConnection connection, Object user) {
        SqlConnection surplus = connection.isChanged() ? connection : keep(connection, user);
        if (surplus != null) {
            surplus.close();
        }
    }

    private synchronized @Nullable SqlConnection keep(SqlConnection connection, Object user) {
        if (closed) {
            return connection;
        }
        idle.addLast(new Idle(connection, user));
        return idle.size() > limits.connections() ? idle.removeFirst().connection : null;
    }

    /** {@code user} will not come again. */
    synchronized void forget(Object user) {
        for (Idle one : idle) {
            if (one.lastUser == user) {
                idle.remove(one);
                idle.addLast(new Idle(one.connection, null));
                return;
            }
        }
    }

    /** Closes what is idle now, and later whatever is given back. */
    void close() {
        List<Idle> rest;
        synchronized (this) {
            closed = true;
            rest = new ArrayList<>(idle);
            idle.clear();
        }
        rest.forEach(one -> one.connection.close());
    }
}
