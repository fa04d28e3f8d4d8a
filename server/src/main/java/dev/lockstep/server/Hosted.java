package dev.lockstep.server;

import dev.lockstep.server.libsql.LibsqlDatabase;
import dev.lockstep.stream.Publication;
import java.util.function.Supplier;

/**
 * One database of a server, as each protocol serves it.
 *
 * @param capture says what the capture is doing now
 */
record Hosted(Publication publication, LibsqlDatabase libsql, Supplier<ServerStatus.Capture> capture)
        implements AutoCloseable {

    String name() {
        return publication.name();
    }

    /** Ends the sessions of all its clients. Its origin stays open. */
    @Override
    public void close() {
        libsql.close();
        publication.close();
    }
}
