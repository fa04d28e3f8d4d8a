package dev.lockstep.jdbc;

import java.sql.SQLException;
import org.jspecify.annotations.Nullable;
import org.sqlite.SQLiteConnection;
import org.sqlite.jdbc4.JDBC4PreparedStatement;

/** sqlite-jdbc's prepared statement, whose batches go to a server in one request. */
final class RoutedPreparedStatement extends JDBC4PreparedStatement {

    private final RoutedDB routed;

    RoutedPreparedStatement(SQLiteConnection connection, RoutedDB routed, String sql) throws SQLException {
        super(connection, sql);
        this.routed = routed;
    }

    @Override
    public long[] executeLargeBatch() throws SQLException {
        if (batchQueryCount == 0) {
            return new long[0];
        }
        long @Nullable [] changes = batchOnServer();
        if (changes == null) {
            return super.executeLargeBatch();
        }
        clearBatch();
        updateGeneratedKeys();
        return changes;
    }

    private long @Nullable [] batchOnServer() throws SQLException {
        try {
            return pointer.<long @Nullable [], SQLException>safeRun(
                    (db, handle) -> routed.batch(handle, batchQueryCount, batch));
        } catch (SQLException e) {
            clearBatch();
            throw e;
        }
    }
}
