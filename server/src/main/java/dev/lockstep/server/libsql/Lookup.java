package dev.lockstep.server.libsql;

/** Finds what a service needs of the database that a request means. Thread-safe. */
@FunctionalInterface
public interface Lookup<T> {

    T find(RequestedDatabase request) throws UnknownDatabaseException;
}
