package org.sqlite.core;

import java.sql.SQLException;
import org.sqlite.BusyHandler;
import org.sqlite.Collation;
import org.sqlite.Function;
import org.sqlite.ProgressHandler;

/**
 * Lets {@code dev.lockstep.jdbc} stand between sqlite-jdbc's statements and result sets and the native library: everything goes to the
 * {@link NativeDB} below, unless a subclass decides otherwise.
 *
 * <p>It is in sqlite-jdbc's package because some of what a {@link DB} has to implement is visible there only. The price: both jars must be
 * loaded by one class loader, on the class path rather than the module path. In return Lockstep's connections have sqlite-jdbc's own
 * statements, result sets and metadata, and so behave alike whether a statement runs here or on a primary.
 */
public abstract class OpenDB extends DB {

    protected final NativeDB local;

    /** @param local the database of a connection that is open; closed with this */
    protected OpenDB(NativeDB local) throws SQLException {
        super(local.getUrl(), local.getUrl(), local.getConfig());
        this.local = local;
    }

    /** Compiles a statement below. */
    protected final long prepareLocal(String sql) throws SQLException {
        return local.prepare(sql).safeRunLong((db, statement) -> statement);
    }

    @Override
    protected final void _open(String file, int flags) {
        throw new UnsupportedOperationException("the connection below is open already");
    }

    @Override
    protected void _close() throws SQLException {
        local.close();
    }

    @Override
    protected SafeStmtPtr prepare(String sql) throws SQLException {
        return new SafeStmtPtr(this, prepareLocal(sql));
    }

    @Override
    protected int finalize(long statement) throws SQLException {
        return local.finalize(statement);
    }

    @Override
    public void interrupt() throws SQLException {
        local.interrupt();
    }

    @Override
    public void busy_timeout(int at) throws SQLException {
        local.busy_timeout(at);
    }

    @Override
    public void busy_handler(BusyHandler busyHandler) throws SQLException {
        local.busy_handler(busyHandler);
    }

    @Override
    public String errmsg() throws SQLException {
        return local.errmsg();
    }

    @Override
    public String libversion() throws SQLException {
        return local.libversion();
    }

    @Override
    public long changes() throws SQLException {
        return local.changes();
    }

    @Override
    public long total_changes() throws SQLException {
        return local.total_changes();
    }

    @Override
    public int shared_cache(boolean on) throws SQLException {
        return local.shared_cache(on);
    }

    @Override
    public int enable_load_extension(boolean on) throws SQLException {
        return local.enable_load_extension(on);
    }

    @Override
    public int _exec(String text) throws SQLException {
        return local._exec(text);
    }

    @Override
    public int step(long statement) throws SQLException {
        return local.step(statement);
    }

    @Override
    public int reset(long statement) throws SQLException {
        return local.reset(statement);
    }

    @Override
    public int clear_bindings(long statement) throws SQLException {
        return local.clear_bindings(statement);
    }

    @Override
    public int bind_parameter_count(long statement) throws SQLException {
        return local.bind_parameter_count(statement);
    }

    @Override
    public int column_count(long statement) throws SQLException {
        return local.column_count(statement);
    }

    @Override
    public int column_type(long statement, int at) throws SQLException {
        return local.column_type(statement, at);
    }

    @Override
    public String column_decltype(long statement, int at) throws SQLException {
        return local.column_decltype(statement, at);
    }

    @Override
    public String column_table_name(long statement, int at) throws SQLException {
        return local.column_table_name(statement, at);
    }

    @Override
    public String column_name(long statement, int at) throws SQLException {
        return local.column_name(statement, at);
    }

    @Override
    public String column_text(long statement, int at) throws SQLException {
        return local.column_text(statement, at);
    }

    @Override
    public byte[] column_blob(long statement, int at) throws SQLException {
        return local.column_blob(statement, at);
    }

    @Override
    public double column_double(long statement, int at) throws SQLException {
        return local.column_double(statement, at);
    }

    @Override
    public long column_long(long statement, int at) throws SQLException {
        return local.column_long(statement, at);
    }

    @Override
    public int column_int(long statement, int at) throws SQLException {
        return local.column_int(statement, at);
    }

    @Override
    public int bind_null(long statement, int at) throws SQLException {
        return local.bind_null(statement, at);
    }

    @Override
    public int bind_int(long statement, int at, int at2) throws SQLException {
        return local.bind_int(statement, at, at2);
    }

    @Override
    public int bind_long(long statement, int at, long statement2) throws SQLException {
        return local.bind_long(statement, at, statement2);
    }

    @Override
    public int bind_double(long statement, int at, double number) throws SQLException {
        return local.bind_double(statement, at, number);
    }

    @Override
    public int bind_text(long statement, int at, String text) throws SQLException {
        return local.bind_text(statement, at, text);
    }

    @Override
    public int bind_blob(long statement, int at, byte[] bytes) throws SQLException {
        return local.bind_blob(statement, at, bytes);
    }

    @Override
    public void result_null(long statement) throws SQLException {
        local.result_null(statement);
    }

    @Override
    public void result_text(long statement, String text) throws SQLException {
        local.result_text(statement, text);
    }

    @Override
    public void result_blob(long statement, byte[] bytes) throws SQLException {
        local.result_blob(statement, bytes);
    }

    @Override
    public void result_double(long statement, double number) throws SQLException {
        local.result_double(statement, number);
    }

    @Override
    public void result_long(long statement, long statement2) throws SQLException {
        local.result_long(statement, statement2);
    }

    @Override
    public void result_int(long statement, int at) throws SQLException {
        local.result_int(statement, at);
    }

    @Override
    public void result_error(long statement, String text) throws SQLException {
        local.result_error(statement, text);
    }

    @Override
    public String value_text(Function function, int at) throws SQLException {
        return local.value_text(function, at);
    }

    @Override
    public byte[] value_blob(Function function, int at) throws SQLException {
        return local.value_blob(function, at);
    }

    @Override
    public double value_double(Function function, int at) throws SQLException {
        return local.value_double(function, at);
    }

    @Override
    public long value_long(Function function, int at) throws SQLException {
        return local.value_long(function, at);
    }

    @Override
    public int value_int(Function function, int at) throws SQLException {
        return local.value_int(function, at);
    }

    @Override
    public int value_type(Function function, int at) throws SQLException {
        return local.value_type(function, at);
    }

    @Override
    public int create_function(String text, Function function, int at, int at2) throws SQLException {
        return local.create_function(text, function, at, at2);
    }

    @Override
    public int destroy_function(String text) throws SQLException {
        return local.destroy_function(text);
    }

    @Override
    public int create_collation(String text, Collation collation) throws SQLException {
        return local.create_collation(text, collation);
    }

    @Override
    public int destroy_collation(String text) throws SQLException {
        return local.destroy_collation(text);
    }

    @Override
    public int backup(String text, String text2, ProgressObserver progressObserver) throws SQLException {
        return local.backup(text, text2, progressObserver);
    }

    @Override
    public int backup(String text, String text2, ProgressObserver progressObserver, int at, int at2, int at3)
            throws SQLException {
        return local.backup(text, text2, progressObserver, at, at2, at3);
    }

    @Override
    public int restore(String text, String text2, ProgressObserver progressObserver) throws SQLException {
        return local.restore(text, text2, progressObserver);
    }

    @Override
    public int restore(String text, String text2, ProgressObserver progressObserver, int at, int at2, int at3)
            throws SQLException {
        return local.restore(text, text2, progressObserver, at, at2, at3);
    }

    @Override
    public int limit(int at, int at2) throws SQLException {
        return local.limit(at, at2);
    }

    @Override
    public void register_progress_handler(int at, ProgressHandler progressHandler) throws SQLException {
        local.register_progress_handler(at, progressHandler);
    }

    @Override
    public void clear_progress_handler() throws SQLException {
        local.clear_progress_handler();
    }

    @Override
    public boolean[][] column_metadata(long statement) throws SQLException {
        return local.column_metadata(statement);
    }

    @Override
    public void set_commit_listener(boolean on) {
        local.set_commit_listener(on);
    }

    @Override
    public void set_update_listener(boolean on) {
        local.set_update_listener(on);
    }

    @Override
    public byte[] serialize(String text) throws SQLException {
        return local.serialize(text);
    }

    @Override
    public void deserialize(String text, byte[] bytes) throws SQLException {
        local.deserialize(text, bytes);
    }
}
