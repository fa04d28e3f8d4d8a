package dev.lockstep.jdbc;

import java.sql.SQLException;

/** What a connection must know of the replica whose file it reads. Thread-safe. */
interface LocalReads {

    /**
     * Called before a read outside of transactions and before a read-only transaction begins.
     *
     * @param orPrimary whether it may run on the primary as well
     * @return false if it should do that
     * @throws SQLException if the replica is too far behind, and the options say so
     */
    boolean mayRead(boolean orPrimary) throws SQLException;

    /** Called before a statement goes to the primary. */
    void requireFollowing() throws SQLException;

    /** Waits until readers of the file see a frame, which the primary has just committed for this connection. */
    void awaitOwnWrite(long frameNo) throws SQLException;
}
