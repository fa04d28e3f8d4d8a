package dev.lockstep.jdbc;

import java.sql.SQLException;
import java.util.Properties;
import org.jspecify.annotations.Nullable;
import org.sqlite.SQLiteConfig;
import org.sqlite.core.DB;
import org.sqlite.core.NativeDB;
import org.sqlite.core.OpenDB;
import org.sqlite.jdbc4.JDBC4Connection;

/**
 * A connection of sqlite-jdbc with another database beneath. Where the superclass uses the native one directly, and it matters, this
 * class goes the other way.
 *
 * <p>One thread at a time, but for cancelling.
 */
abstract class SqlConnection extends JDBC4Connection implements LockstepConnection {

    private final Runnable closed;

    /** Null while the superclass opens the native database. */
    private @Nullable OpenDB database;

    private boolean readOnly;

    /**
     * @param file what the native library opens
     * @param closed runs once when this is closed
     */
    SqlConnection(String url, String file, Properties sqlite, Runnable closed) throws SQLException {
        super(url, file, sqlite);
        this.closed = closed;
    }

    NativeDB nativeDatabase() {
        return (NativeDB) super.getDatabase();
    }

    void use(OpenDB beneath) {
        database = beneath;
    }

    @Override
    public DB getDatabase() {
        OpenDB beneath = database;
        return beneath == null ? super.getDatabase() : beneath;
    }

    /** Makes the database below accept reads only, or writes again. */
    abstract void changeReadOnly(boolean on) throws SQLException;

    @Override
    public void setReadOnly(boolean on) throws SQLException {
        checkOpen();
        if (on != readOnly) {
            changeReadOnly(on);
            readOnly = on;
        }
    }

    @Override
    public boolean isReadOnly() {
        return readOnly;
    }

    @Override
    protected String transactionPrefix() {
        return readOnly ? "begin;" : super.transactionPrefix();
    }

    @Override
    public void setAutoCommit(boolean on) throws SQLException {
        checkOpen();
        if (getConnectionConfig().isAutoCommit() != on) {
            getConnectionConfig().setAutoCommit(on);
            getDatabase().exec(on ? "commit;" : transactionPrefix(), on);
            setCurrentTransactionMode(on ? null : getConnectionConfig().getTransactionMode());
        }
    }

    @Override
    public void commit() throws SQLException {
        next("commit;");
    }

    @Override
    public void rollback() throws SQLException {
        next("rollback;");
    }

    /** Ends the transaction and begins the next one. */
    private void next(String end) throws SQLException {
        checkOpen();
        if (getConnectionConfig().isAutoCommit()) {
            throw new SQLException("database in auto-commit mode");
        }
        try {
            getDatabase().exec(end, false);
        } catch (SQLException e) {
            try {
                beginNext(); // it may have ended nevertheless
            } catch (SQLException stillOpen) {
                e.addSuppressed(stillOpen);
            }
            throw e;
        }
        beginNext();
    }

    private void beginNext() throws SQLException {
        getDatabase().exec(transactionPrefix(), false);
        setFirstStatementExecuted(false);
        setCurrentTransactionMode(getConnectionConfig().getTransactionMode());
    }

    @Override
    public <T> T unwrap(Class<T> type) throws ClassCastException {
        return type.cast(this);
    }

    @Override
    public void close() throws SQLException {
        if (!isClosed()) {
            try {
                getDatabase().close();
            } finally {
                closed.run();
            }
        }
    }

    /** The options of sqlite-jdbc, with those added that every connection here has. */
    static Properties readOnly(Properties sqlite) {
        SQLiteConfig config = new SQLiteConfig(sqlite);
        config.setReadOnly(true);
        return config.toProperties();
    }
}
