package dev.lockstep.jdbc;

import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/** A connection whose statements may run on a server. */
abstract class RoutedConnection extends SqlConnection {

    private final RoutedDB routed;

    RoutedConnection(
            String url, String file, Properties sqlite, HranaServer server, @Nullable LocalReads reads, Runnable closed)
            throws SQLException {
        super(url, file, sqlite, closed);
        routed = new RoutedDB(nativeDatabase(), new HranaStream(server), reads);
        use(routed);
    }

    @Override
    void changeReadOnly(boolean on) throws SQLException {
        routed.setReadOnly(on);
    }

    @Override
    public PreparedStatement prepareStatement(String sql, int type, int concurrency, int holdability)
            throws SQLException {
        checkOpen();
        checkCursor(type, concurrency, holdability);
        return new RoutedPreparedStatement(this, routed, sql);
    }

    @Override
    public void setAcknowledgement(Acknowledgement acknowledgement) throws SQLException {
        throw new SQLFeatureNotSupportedException(
                "what commits wait for is decided on the primary, with option ack there; here they wait until they are committed");
    }
}
