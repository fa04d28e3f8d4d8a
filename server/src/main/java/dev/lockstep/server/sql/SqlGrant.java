package dev.lockstep.server.sql;

/**
 * A database, as far as a client may use it.
 *
 * @param writable whether it may write, or only read
 */
public record SqlGrant(SqlDatabase database, boolean writable) {

    /** A new session. It costs nothing until it is used, and must be closed. */
    public SqlSession session() {
        return new SqlSession(database, writable);
    }
}
