package dev.lockstep.jdbc;

import dev.lockstep.jdbc.RemoteRows.Column;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.sqlite.Function;
import org.sqlite.core.NativeDB;
import org.sqlite.core.OpenDB;
import org.sqlite.core.SafeStmtPtr;

/**
 * Prepared statements that run here or on a server: their parameters, columns and values, wherever the rows are. {@link RoutedDB} decides
 * where a statement runs.
 *
 * <p>Not thread-safe; sqlite-jdbc holds this object's monitor.
 */
abstract class StatementsDB extends OpenDB {

    /** For what servers know of statements that SQLite here did not compile. */
    final HranaStream stream;

    private final boolean hasFile;
    private final Map<Long, RoutedStatement> statements = new HashMap<>();
    private final Conversion conversion = new Conversion();

    private long nextHandle = -1;
    private long cachedHandle;
    private @Nullable RoutedStatement cached;

    /** @param hasFile whether {@code local} has the file of a replica open, and is not only there to be asked for its version */
    StatementsDB(NativeDB local, HranaStream stream, boolean hasFile) throws SQLException {
        super(local);
        this.stream = stream;
        this.hasFile = hasFile;
    }

    /** Takes up a statement that SQLite here compiled. */
    final SafeStmtPtr add(String sql, long handle) {
        statements.put(handle, new RoutedStatement(sql, true));
        return new SafeStmtPtr(this, handle);
    }

    /** Takes up a statement that only a server knows. SQLite's own handles are addresses, above 0. */
    final SafeStmtPtr addRemote(String sql) {
        long handle = nextHandle--;
        statements.put(handle, new RoutedStatement(sql, false));
        return new SafeStmtPtr(this, handle);
    }

    final RoutedStatement statement(long handle) {
        RoutedStatement last = cached;
        if (last == null || handle != cachedHandle) {
            last = Objects.requireNonNull(statements.get(handle), "no such statement");
            cached = last;
            cachedHandle = handle;
        }
        return last;
    }

    @Override
    protected int finalize(long handle) throws SQLException {
        RoutedStatement statement = statements.remove(handle);
        cached = null;
        return statement != null && statement.isLocal ? super.finalize(handle) : 0;
    }

    @Override
    public int reset(long handle) throws SQLException {
        RoutedStatement statement = statement(handle);
        statement.reset();
        return statement.isLocal ? super.reset(handle) : 0;
    }

    @Override
    protected void _close() throws SQLException {
        stream.close();
        conversion.close();
        super._close();
    }

    // Parameters

    @Override
    public int bind_parameter_count(long handle) throws SQLException {
        RoutedStatement statement = statement(handle);
        return statement.isLocal
                ? super.bind_parameter_count(handle)
                : stream.describe(statement.first()).parameters();
    }

    private boolean bind(long handle, int at, @Nullable Object value) {
        RoutedStatement statement = statement(handle);
        statement.bind(at, value);
        return statement.isLocal;
    }

    @Override
    public int clear_bindings(long handle) throws SQLException {
        RoutedStatement statement = statement(handle);
        statement.clearBindings();
        return statement.isLocal ? super.clear_bindings(handle) : SQLITE_OK;
    }

    @Override
    public int bind_null(long handle, int at) throws SQLException {
        return bind(handle, at, null) ? super.bind_null(handle, at) : SQLITE_OK;
    }

    @Override
    public int bind_int(long handle, int at, int value) throws SQLException {
        return bind(handle, at, value) ? super.bind_int(handle, at, value) : SQLITE_OK;
    }

    @Override
    public int bind_long(long handle, int at, long value) throws SQLException {
        return bind(handle, at, value) ? super.bind_long(handle, at, value) : SQLITE_OK;
    }

    @Override
    public int bind_double(long handle, int at, double value) throws SQLException {
        return bind(handle, at, value) ? super.bind_double(handle, at, value) : SQLITE_OK;
    }

    @Override
    public int bind_text(long handle, int at, String value) throws SQLException {
        return bind(handle, at, value) ? super.bind_text(handle, at, value) : SQLITE_OK;
    }

    @Override
    public int bind_blob(long handle, int at, byte[] value) throws SQLException {
        return bind(handle, at, value) ? super.bind_blob(handle, at, value) : SQLITE_OK;
    }

    // Columns

    private List<Column> columns(RoutedStatement statement) throws SQLException {
        List<Column> known = statement.columns;
        if (known == null) {
            known = stream.describe(statement.first()).columns();
            statement.columns = known;
        }
        return known;
    }

    @Override
    public int column_count(long handle) throws SQLException {
        RoutedStatement statement = statement(handle);
        return statement.isLocal
                ? super.column_count(handle)
                : columns(statement).size();
    }

    @Override
    public String column_name(long handle, int at) throws SQLException {
        RoutedStatement statement = statement(handle);
        return statement.isLocal
                ? super.column_name(handle, at)
                : columns(statement).get(at).name();
    }

    @Override
    public @Nullable String column_decltype(long handle, int at) throws SQLException {
        RoutedStatement statement = statement(handle);
        return statement.isLocal
                ? super.column_decltype(handle, at)
                : columns(statement).get(at).declaredType();
    }

    /** Null where there is no file, since servers do not tell. */
    @Override
    public @Nullable String column_table_name(long handle, int at) throws SQLException {
        return statement(handle).isLocal ? super.column_table_name(handle, at) : null;
    }

    /** All false where there is no file, since servers do not tell. */
    @Override
    public boolean[][] column_metadata(long handle) throws SQLException {
        return statement(handle).isLocal ? super.column_metadata(handle) : new boolean[column_count(handle)][3];
    }

    @Override
    public int column_type(long handle, int at) throws SQLException {
        RoutedStatement statement = statement(handle);
        if (statement.rowsAreHere()) {
            return super.column_type(handle, at);
        }
        Object value = statement.value(at);
        if (value == null) {
            return SQLITE_NULL;
        }
        return value instanceof Long
                ? SQLITE_INTEGER
                : value instanceof Double ? SQLITE_FLOAT : value instanceof String ? SQLITE_TEXT : SQLITE_BLOB;
    }

    @Override
    public @Nullable String column_text(long handle, int at) throws SQLException {
        RoutedStatement statement = statement(handle);
        if (statement.rowsAreHere()) {
            return super.column_text(handle, at);
        }
        Object value = statement.value(at);
        return value == null || value instanceof String
                ? (String) value
                : conversion.<@Nullable String>convert(value, row -> row.getString(1));
    }

    @Override
    public byte @Nullable [] column_blob(long handle, int at) throws SQLException {
        RoutedStatement statement = statement(handle);
        if (statement.rowsAreHere()) {
            return super.column_blob(handle, at);
        }
        Object value = statement.value(at);
        if (value == null || value instanceof byte[]) {
            return (byte[]) value;
        }
        return value instanceof String text
                ? text.getBytes(StandardCharsets.UTF_8)
                : conversion.<byte @Nullable []>convert(value, row -> row.getBytes(1));
    }

    @Override
    public double column_double(long handle, int at) throws SQLException {
        RoutedStatement statement = statement(handle);
        if (statement.rowsAreHere()) {
            return super.column_double(handle, at);
        }
        Object value = statement.value(at);
        return value instanceof Double number ? number : conversion.convert(value, row -> row.getDouble(1));
    }

    @Override
    public long column_long(long handle, int at) throws SQLException {
        RoutedStatement statement = statement(handle);
        if (statement.rowsAreHere()) {
            return super.column_long(handle, at);
        }
        Object value = statement.value(at);
        return value instanceof Long number ? number : conversion.convert(value, row -> row.getLong(1));
    }

    @Override
    public int column_int(long handle, int at) throws SQLException {
        RoutedStatement statement = statement(handle);
        if (statement.rowsAreHere()) {
            return super.column_int(handle, at);
        }
        Object value = statement.value(at);
        return value instanceof Long number ? number.intValue() : conversion.convert(value, row -> row.getInt(1));
    }

    // What only makes sense where the database is

    private void requireFile(String what) throws SQLException {
        if (!hasFile) {
            throw new SQLFeatureNotSupportedException(what + " needs the database file, which is at "
                    + stream.server().address() + "; use a primary or replica in this process");
        }
    }

    @Override
    public int create_function(String name, Function function, int arguments, int flags) throws SQLException {
        requireFile("a function in Java");
        return super.create_function(name, function, arguments, flags);
    }

    @Override
    public int backup(String name, String file, ProgressObserver observer) throws SQLException {
        requireFile("backup");
        return super.backup(name, file, observer);
    }

    @Override
    public int backup(String name, String file, ProgressObserver observer, int sleep, int tries, int pages)
            throws SQLException {
        requireFile("backup");
        return super.backup(name, file, observer, sleep, tries, pages);
    }

    @Override
    public byte[] serialize(String schema) throws SQLException {
        requireFile("serialize");
        return super.serialize(schema);
    }
}
