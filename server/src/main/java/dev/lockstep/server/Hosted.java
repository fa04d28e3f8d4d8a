package dev.lockstep.server;

import dev.lockstep.server.libsql.LibsqlDatabase;
import dev.lockstep.server.sql.SqlDatabase;
import dev.lockstep.stream.Publication;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One database of a server, as each protocol serves it.
 *
 * @param sql runs SQL on it, or null where that is not allowed
 * @param capture says what the capture is doing now
 */
record Hosted(
        Publication publication,
        LibsqlDatabase libsql,
        @Nullable SqlDatabase sql,
        Supplier<ServerStatus.Capture> capture)
        implements AutoCloseable {

    String name() {
        return publication.name();
    }

    /** Ends the sessions of all its clients. Its origin stays open. */
    @Override
    public void close() {
        if (sql != null) {
            sql.close();
        }
        libsql.close();
        publication.close();
    }
}
