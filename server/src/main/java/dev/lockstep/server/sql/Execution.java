package dev.lockstep.server.sql;

import dev.lockstep.server.sql.SqlStatement.Kind;
import org.jspecify.annotations.Nullable;

/** Runs one statement on a connection that is ready for it. Not thread-safe. */
final class Execution {

    /** Of one statement: what {@link Outcome} says about rows. */
    record Counts(long affected, long lastRowid, long read, long written) {}

    private static final @Nullable Object[] NO_VALUES = {};

    private final SqlConnection connection;
    private final SqlStatement statement;

    Execution(SqlConnection connection, SqlStatement statement) {
        this.connection = connection;
        this.statement = statement;
    }

    Counts run(@Nullable Object[] values, RowSink sink) throws SqlFailure {
        long changesBefore = connection.totalChanges();
        long read;
        try {
            read = runKind(values, sink);
        } finally {
            if (statement.changesConnection()) {
                connection.markChanged();
            }
        }
        boolean changes = statement.kind() == Kind.CHANGE && !statement.explain();
        return new Counts(
                changes ? connection.changes() : 0,
                connection.lastInsertRowid(),
                read,
                connection.totalChanges() - changesBefore);
    }

    private long runKind(@Nullable Object[] values, RowSink sink) throws SqlFailure {
        if (statement.returning() && !statement.explain()) {
            return runUndoably(values, sink);
        }
        return switch (statement.kind()) {
            case VACUUM -> vacuum(sink);
            case BEGIN_READ_ONLY -> beginReadOnly(sink);
            default -> rows(statement.sql(), values, sink);
        };
    }

    /**
     * SQLite changes everything before it hands out the first row of RETURNING. Should the rows find no taker, nothing may have
     * happened.
     */
    private long runUndoably(@Nullable Object[] values, RowSink sink) throws SqlFailure {
        connection.run("SAVEPOINT lockstep_statement");
        boolean done = false;
        try {
            long read = rows(statement.sql(), values, sink);
            done = true;
            return read;
        } finally {
            // An error may have ended the whole transaction, and the savepoint with it.
            if (done || connection.inTransaction()) {
                if (!done) {
                    connection.run("ROLLBACK TO lockstep_statement");
                }
                connection.run("RELEASE lockstep_statement");
            }
        }
    }

    private long vacuum(RowSink sink) throws SqlFailure {
        connection.allowAttached(true);
        try {
            return rows(statement.sql(), NO_VALUES, sink);
        } finally {
            connection.allowAttached(false);
        }
    }

    /** SQLite takes a snapshot with the first read only. */
    private long beginReadOnly(RowSink sink) throws SqlFailure {
        long read = rows("BEGIN", NO_VALUES, sink);
        connection.run("PRAGMA user_version");
        return read;
    }

    private long rows(String sql, @Nullable Object[] values, RowSink sink) throws SqlFailure {
        try (Prepared prepared = connection.prepare(sql)) {
            boolean row = prepared.execute(values);
            if (sink != RowSink.NONE) {
                sink.columns(prepared.columns());
            }
            long count = 0;
            while (row) {
                if (sink != RowSink.NONE) {
                    sink.row(prepared.row());
                }
                count++;
                row = prepared.step();
            }
            return count;
        }
    }
}
