package dev.lockstep.server.libsql;

import dev.lockstep.server.auth.Rights;

/** Finds what a service needs of the database that a request means. Thread-safe. */
@FunctionalInterface
public interface Lookup<T> {

    /** @throws UnknownDatabaseException also if the client may not read it */
    T find(RequestedDatabase request, Rights rights) throws UnknownDatabaseException;
}
