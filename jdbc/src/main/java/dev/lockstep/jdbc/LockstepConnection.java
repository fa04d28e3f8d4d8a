package dev.lockstep.jdbc;

import dev.lockstep.Position;
import java.sql.SQLException;

/**
 * What a connection of Lockstep can do beyond JDBC: {@code connection.unwrap(LockstepConnection.class)}, also through a pool.
 *
 * <p>Used by one thread at a time, as the connection is.
 */
public interface LockstepConnection {

    /**
     * A position that includes everything this connection has committed, and everything it has read outside of transactions. Its
     * {@link Position#token} can be handed to a connection of another replica.
     *
     * @throws java.sql.SQLTimeoutException if the primary did not capture the last commit in time
     * @throws java.sql.SQLFeatureNotSupportedException on a remote connection, which knows no positions
     */
    Position position() throws SQLException;

    /**
     * Waits until this connection reads everything up to a position, at most for the time of option {@code timeout}.
     *
     * @param token from {@link Position#token}
     * @throws java.sql.SQLDataException if the token is damaged, or of another database
     * @throws java.sql.SQLTimeoutException which says what was waited for, and how far this database is
     */
    void awaitPosition(String token) throws SQLException;

    /**
     * What the following commits of this connection wait for, until this is called again; by default option {@code ack} says it.
     *
     * @throws java.sql.SQLFeatureNotSupportedException on connections that are not of a primary
     */
    void setAcknowledgement(Acknowledgement acknowledgement) throws SQLException;
}
