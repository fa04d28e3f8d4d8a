package dev.lockstep.server.sql;

import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sqlite.core.CoreStatement;
import org.sqlite.core.DB;

/** A compiled statement of one connection. Not thread-safe. */
final class Prepared implements AutoCloseable {

    // SQLite's numbers (sqlite3.h).
    private static final int ROW = 100;
    private static final int DONE = 101;
    private static final int INTEGER = 1;
    private static final int FLOAT = 2;
    private static final int TEXT = 3;
    private static final int BLOB = 4;

    private final DB db;
    private final PreparedStatement owner;
    private final CoreStatement core;
    private int columns;

    Prepared(DB db, PreparedStatement owner) throws SQLException {
        this.db = db;
        this.owner = owner;
        this.core = (CoreStatement) owner;
        this.columns = core.pointer.safeRunInt(DB::column_count);
    }

    int columnCount() {
        return columns;
    }

    List<Column> columns() throws SqlFailure {
        try {
            List<Column> list = new ArrayList<>(columns);
            for (int i = 0; i < columns; i++) {
                int column = i;
                list.add(core.pointer.safeRun((DB d, long statement) ->
                        new Column(d.column_name(statement, column), d.column_decltype(statement, column))));
            }
            return list;
        } catch (SQLException e) {
            throw SqlFailure.of(e);
        }
    }

    /**
     * Binds and takes the first step.
     *
     * @return whether there is a row
     */
    boolean execute(@Nullable Object[] values) throws SqlFailure {
        try {
            boolean row = db.execute(core, values);
            columns = core.pointer.safeRunInt(DB::column_count); // SQLite has now seen what others did to the schema
            return row;
        } catch (SQLException e) {
            throw SqlFailure.of(e);
        }
    }

    /** Goes to the next row, if there is one. */
    boolean step() throws SqlFailure {
        try {
            int result = core.pointer.safeRunInt(DB::step);
            if (result != ROW && result != DONE) {
                db.throwex(result);
            }
            return result == ROW;
        } catch (SQLException e) {
            throw SqlFailure.of(e);
        }
    }

    /** Makes it ready to be executed again. */
    void reset() throws SqlFailure {
        try {
            core.pointer.safeRunInt(DB::reset);
        } catch (SQLException e) {
            throw SqlFailure.of(e);
        }
    }

    /** Runs a statement without rows, and makes it ready again; an error is an answer here. */
    boolean succeeds() throws SqlFailure {
        try {
            int result = core.pointer.safeRunInt(DB::step);
            core.pointer.safeRunInt(DB::reset);
            return result == DONE;
        } catch (SQLException e) {
            throw SqlFailure.of(e);
        }
    }

    /** The values of the row it stands on. */
    List<Value> row() throws SqlFailure {
        Value[] row = new Value[columns];
        try {
            core.pointer.safeRunConsume((DB d, long statement) -> {
                for (int i = 0; i < columns; i++) {
                    row[i] = value(d, statement, i);
                }
            });
        } catch (SQLException e) {
            throw SqlFailure.of(e);
        }
        return Arrays.asList(row);
    }

    private static Value value(DB db, long statement, int column) throws SQLException {
        return switch (db.column_type(statement, column)) {
            case INTEGER -> new Value.Int(db.column_long(statement, column));
            case FLOAT -> new Value.Real(db.column_double(statement, column));
            case TEXT -> new Value.Text(db.column_text(statement, column));
            case BLOB -> new Value.Blob(blob(db.column_blob(statement, column)));
            default -> Value.NULL;
        };
    }

    /** SQLite gives no address for a blob without bytes. */
    private static byte[] blob(byte @Nullable [] bytes) {
        return bytes == null ? new byte[0] : bytes;
    }

    @Override
    public void close() {
        try {
            owner.close();
        } catch (SQLException e) {
            // Closing repeats the error of the last step, which was reported.
        }
    }
}
