package dev.lockstep.server.libsql;

/** No database of this server is the one that a request means. The message says what was asked for and what to do. */
public final class UnknownDatabaseException extends Exception {

    private static final long serialVersionUID = 1L;

    public UnknownDatabaseException(String message) {
        super(message);
    }
}
