package dev.lockstep.jdbc;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/** Lets SQLite itself convert a value of a server from its own type to another, so that the result is what a local read gives. */
final class Conversion {

    interface Getter<T> {
        T of(ResultSet row) throws SQLException;
    }

    private @Nullable Connection connection;
    private @Nullable PreparedStatement identity;

    <T> T convert(@Nullable Object value, Getter<T> getter) throws SQLException {
        PreparedStatement statement = identity;
        if (statement == null) {
            Connection memory = DriverManager.getConnection("jdbc:sqlite::memory:");
            connection = memory;
            statement = memory.prepareStatement("SELECT ?");
            identity = statement;
        }
        statement.setObject(1, value);
        try (ResultSet row = statement.executeQuery()) {
            row.next();
            return getter.of(row);
        }
    }

    void close() throws SQLException {
        if (connection != null) {
            connection.close();
            connection = null;
            identity = null;
        }
    }
}
