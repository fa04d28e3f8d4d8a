package dev.lockstep.jdbc;

import dev.lockstep.jdbc.RemoteRows.Column;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A prepared statement that may run here or on a server. Not thread-safe. */
final class RoutedStatement {

    final String sql;
    final SqlText.Kind kind;

    /** Whether SQLite compiled it here too, under the same handle. */
    final boolean isLocal;

    /** Whether it has rows left that SQLite reads here. */
    boolean running;

    private @Nullable String first;
    private @Nullable Object[] arguments = new @Nullable Object[0];
    private int bound;

    /** As the server said when it ran or described the statement. */
    @Nullable
    List<Column> columns;

    /** The rows of its last run on a server; null when it was reset since. */
    private @Nullable List<@Nullable Object[]> rows;

    private int row;

    RoutedStatement(String sql, boolean isLocal) {
        this.sql = sql;
        this.kind = SqlText.kind(sql);
        this.isLocal = isLocal;
    }

    /** @param at 1 for the first parameter, as in SQLite */
    void bind(int at, @Nullable Object value) {
        if (at > arguments.length) {
            arguments = Arrays.copyOf(arguments, Math.max(at, 2 * arguments.length));
        }
        arguments[at - 1] = value;
        bound = Math.max(bound, at);
    }

    void clearBindings() {
        Arrays.fill(arguments, null);
    }

    /** The text without what follows the first statement, which SQLite ignores and servers refuse. */
    String first() {
        String text = first;
        if (text == null) {
            text = SqlText.first(sql);
            first = text;
        }
        return text;
    }

    RemoteStatement remote() {
        return new RemoteStatement(first(), Arrays.asList(Arrays.copyOf(arguments, bound)));
    }

    void ran(RemoteRows result) {
        columns = result.columns();
        rows = result.rows();
        row = -1;
    }

    void reset() {
        rows = null;
        running = false;
    }

    boolean hasRemoteRows() {
        return rows != null;
    }

    /** Whether SQLite here is to be asked for values; it must never be asked for a statement that it did not compile. */
    boolean rowsAreHere() {
        return isLocal && rows == null;
    }

    /** Steps to the next row of a remote result. */
    boolean next() {
        return rows != null && ++row < rows.size();
    }

    /** A value of the current row of a remote result; null without one. */
    @Nullable
    Object value(int column) {
        return rows == null || row < 0 || row >= rows.size() ? null : rows.get(row)[column];
    }
}
