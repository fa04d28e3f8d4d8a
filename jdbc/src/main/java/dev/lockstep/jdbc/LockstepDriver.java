package dev.lockstep.jdbc;

import java.sql.Connection;
import java.sql.Driver;
import java.sql.DriverManager;
import java.sql.DriverPropertyInfo;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.util.Arrays;
import java.util.Properties;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * The driver of {@code jdbc:lockstep:}, found by {@link DriverManager} itself. docs/jdbc.md tells the forms of the URL and the options.
 *
 * <p>Thread-safe.
 */
public final class LockstepDriver implements Driver {

    static {
        try {
            DriverManager.registerDriver(new LockstepDriver());
        } catch (SQLException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    @Override
    public @Nullable Connection connect(String url, @Nullable Properties properties) throws SQLException {
        if (!acceptsURL(url)) {
            return null;
        }
        Settings settings = Settings.parse(url, properties == null ? new Properties() : properties);
        return SharedSource.connect(settings);
    }

    @Override
    public boolean acceptsURL(@Nullable String url) {
        return Settings.accepts(url);
    }

    @Override
    public DriverPropertyInfo[] getPropertyInfo(String url, @Nullable Properties given) {
        return Arrays.stream(Option.values())
                .map(option -> {
                    String value = given == null ? null : given.getProperty(option.key());
                    DriverPropertyInfo info =
                            new DriverPropertyInfo(option.key(), value == null ? option.standard() : value);
                    info.description = option.description();
                    return info;
                })
                .toArray(DriverPropertyInfo[]::new);
    }

    @Override
    public int getMajorVersion() {
        return 0;
    }

    @Override
    public int getMinorVersion() {
        return 1;
    }

    /** False: SQLite has types and functions of its own. */
    @Override
    public boolean jdbcCompliant() {
        return false;
    }

    @Override
    public Logger getParentLogger() throws SQLFeatureNotSupportedException {
        throw new SQLFeatureNotSupportedException("Lockstep logs through SLF4J");
    }
}
