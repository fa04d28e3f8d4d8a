package dev.lockstep.jdbc;

import dev.lockstep.Primary;
import dev.lockstep.Replica;
import java.io.PrintWriter;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.sql.SQLNonTransientConnectionException;
import java.util.Properties;
import java.util.logging.Logger;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Gives connections to one database: by URL, or to a {@link Primary} or {@link Replica} that the program opened itself. It does not pool
 * them; a pool may stand before it.
 *
 * <p>With a URL, the first connection opens the primary or replica in this process, and {@link #close} lets go of it. With one of the
 * program's own, that stays open.
 *
 * <p>Thread-safe once it is configured.
 */
public final class LockstepDataSource implements DataSource, AutoCloseable {

    private String url = "";
    private Properties properties = new Properties();
    private volatile int loginTimeout;

    /** The fields below are guarded by this. */
    private @Nullable Settings settings;

    private @Nullable Source source;
    private SharedSource.@Nullable Lease lease;
    private boolean closed;

    /** A data source whose URL is set afterwards. */
    public LockstepDataSource() {}

    /** Connections to the database of {@code primary}, with options as in URLs. */
    public static LockstepDataSource of(Primary primary, Properties options) throws SQLException {
        LockstepDataSource dataSource = new LockstepDataSource();
        dataSource.settings = Settings.of(primary.database(), options);
        dataSource.source = new PrimarySource(primary);
        return dataSource;
    }

    /**
     * Connections to {@code replica}, with options as in URLs.
     *
     * @param primary URL of the server that executes the writes, which serves this replica's primary
     */
    public static LockstepDataSource of(Replica replica, String primary, Properties options) throws SQLException {
        Properties all = new Properties();
        all.putAll(options);
        all.setProperty(Option.PRIMARY.key(), primary);
        LockstepDataSource dataSource = new LockstepDataSource();
        Settings settings = Settings.of(replica.database(), all);
        dataSource.settings = settings;
        dataSource.source = new ReplicaSource(replica, new HranaServer(settings), () -> {});
        return dataSource;
    }

    /** The URL, {@code jdbc:lockstep:...}. */
    public String getUrl() {
        return url;
    }

    /** To be set before the first connection. */
    public void setUrl(String value) {
        url = value;
    }

    /** Options that the URL does not give. */
    public Properties getProperties() {
        return properties;
    }

    /** To be set before the first connection. */
    public void setProperties(Properties value) {
        properties = value;
    }

    @Override
    public Connection getConnection() throws SQLException {
        Source there = source();
        return there != null ? there.connect(settings(), () -> {}) : SharedSource.connect(settings());
    }

    /** SQLite knows no users; the password is a remote server's token, as option {@code authToken} is. */
    @Override
    public Connection getConnection(String user, String password) throws SQLException {
        properties.setProperty("password", password);
        return getConnection();
    }

    private synchronized Settings settings() throws SQLException {
        Settings parsed = settings;
        if (parsed == null) {
            if (!Settings.accepts(url)) {
                throw new SQLNonTransientConnectionException(
                        "\"" + url + "\" is no URL of this driver; it begins with " + Settings.PREFIX, "08001");
            }
            parsed = Settings.parse(url, properties);
            settings = parsed;
        }
        return parsed;
    }

    /** What connections come from; null for the shared source of a path, which is then held open. */
    private synchronized @Nullable Source source() throws SQLException {
        if (closed) {
            throw new SQLNonTransientConnectionException(
                    "the data source of " + settings().url() + " is closed", "08003");
        }
        if (source == null && lease == null) {
            if (settings().mode() == Settings.Mode.REMOTE) {
                source = new RemoteSource(settings());
            } else {
                lease = SharedSource.lease(settings());
            }
        }
        return source;
    }

    /** Lets go of a primary or replica that this opened, which ends when its last connection is closed. */
    @Override
    public synchronized void close() {
        closed = true;
        if (lease != null) {
            lease.end();
        }
    }

    @Override
    public @Nullable PrintWriter getLogWriter() {
        return null;
    }

    @Override
    public void setLogWriter(PrintWriter out) throws SQLException {
        throw new SQLFeatureNotSupportedException("Lockstep logs through SLF4J");
    }

    /** Is only kept, for pools that read it back: option {@code timeout} says how long connecting may take. */
    @Override
    public void setLoginTimeout(int seconds) {
        loginTimeout = seconds;
    }

    @Override
    public int getLoginTimeout() {
        return loginTimeout;
    }

    @Override
    public Logger getParentLogger() throws SQLFeatureNotSupportedException {
        throw new SQLFeatureNotSupportedException("Lockstep logs through SLF4J");
    }

    @Override
    public <T> T unwrap(Class<T> type) throws SQLException {
        if (!type.isInstance(this)) {
            throw new SQLException("this data source is no " + type.getName());
        }
        return type.cast(this);
    }

    @Override
    public boolean isWrapperFor(Class<?> type) {
        return type.isInstance(this);
    }
}
