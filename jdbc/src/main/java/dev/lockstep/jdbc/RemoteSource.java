package dev.lockstep.jdbc;

import dev.lockstep.Position;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;

/** A server somewhere else. */
final class RemoteSource implements Source {

    /** Never used for data; it answers what a driver asks of SQLite itself. */
    private static final String NO_FILE = ":memory:";

    private final HranaServer server;

    RemoteSource(Settings settings) throws SQLException {
        this.server = new HranaServer(settings);
    }

    @Override
    public Connection connect(Settings settings, Runnable closed) throws SQLException {
        return new RoutedConnection(settings.url(), NO_FILE, settings.sqlite(), server, null, closed) {
            @Override
            public Position position() throws SQLException {
                throw noPositions();
            }

            @Override
            public void awaitPosition(String token) throws SQLException {
                throw noPositions();
            }
        };
    }

    private static SQLException noPositions() {
        return new SQLFeatureNotSupportedException(
                "a remote connection reads the server's present state, and knows no positions; use a primary or replica in this process");
    }

    @Override
    public void close() {}
}
