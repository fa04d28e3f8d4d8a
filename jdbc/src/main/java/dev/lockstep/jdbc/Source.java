package dev.lockstep.jdbc;

import java.sql.Connection;
import java.sql.SQLException;

/** What connections come from: a primary or replica in this process, or a server. Thread-safe. */
interface Source {

    /**
     * @param settings of this connection
     * @param closed runs once when it is closed
     */
    Connection connect(Settings settings, Runnable closed) throws SQLException;

    /** Ends what was opened for the connections, all of which are closed. */
    void close();
}
