package dev.lockstep.jdbc;

import dev.lockstep.jdbc.RemoteRows.Column;
import dev.lockstep.jdbc.SqlText.Kind;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.sqlite.core.NativeDB;
import org.sqlite.core.SafeStmtPtr;

/**
 * A database whose statements run on a server, and on a replica's file where that serves.
 *
 * <p>Where a statement runs, with {@link LocalReads}:
 * <ul>
 *   <li>outside of transactions: here; SQLite opened the file for reading only, and if it answers SQLITE_READONLY, which it does before it
 *       did anything, the statement runs on the primary;
 *   <li>in a transaction of a read-only connection: here, always;
 *   <li>in another transaction: on the primary, always.
 * </ul>
 * Without a file all run on the server.
 *
 * <pre>
 * NONE --BEGIN--> BEGUN --first statement--> LOCAL or REMOTE --COMMIT, ROLLBACK--> NONE
 *      --SAVEPOINT--------------------------> LOCAL or REMOTE --RELEASE of the outermost--> NONE
 * REMOTE --no answer--> LOST, where every statement fails --ROLLBACK--> NONE
 * </pre>
 * BEGIN itself goes out with the first statement, because sqlite-jdbc begins a transaction as soon as the one before has ended.
 *
 * <p>Not thread-safe, but for {@link #interrupt}; sqlite-jdbc holds this object's monitor.
 */
final class RoutedDB extends StatementsDB {

    private enum Transaction {
        NONE,
        BEGUN,
        LOCAL,
        REMOTE,
        /** The server does not have it any more, or it is unknown whether it has. */
        LOST
    }

    /** What sqlite-jdbc asks after each INSERT, and Hibernate as well: questions about this connection's last change. */
    private static final Pattern LAST_CHANGE =
            Pattern.compile("\\s*select\\s+((last_insert_rowid|changes)\\(\\))\\s*;?\\s*", Pattern.CASE_INSENSITIVE);

    private final @Nullable LocalReads reads;

    private Transaction transaction = Transaction.NONE;
    private String beginSql = "";
    private boolean readOnly;

    /** Of a remote failure; null when SQLite here has the message. */
    private @Nullable String message;

    private boolean lastChangeWasRemote;
    private long remoteChanges;
    private long remoteTotalChanges;
    private long remoteRowid;

    /** @param reads of the replica whose file {@code local} has open; null if {@code local} is only there to be asked for its version */
    RoutedDB(NativeDB local, HranaStream stream, @Nullable LocalReads reads) throws SQLException {
        super(local, stream, reads != null);
        this.reads = reads;
        this.lastChangeWasRemote = reads == null;
    }

    /** @throws SQLException inside of a transaction, whose place is settled */
    void setReadOnly(boolean on) throws SQLException {
        if (on != readOnly && transaction != Transaction.NONE && transaction != Transaction.BEGUN) {
            throw new SQLException(
                    "setReadOnly(" + on + ") comes too late: the transaction runs "
                            + (transaction == Transaction.LOCAL ? "on this replica" : "on the primary")
                            + " already; commit or roll back first",
                    "25001");
        }
        readOnly = on;
    }

    // Statements

    @Override
    protected SafeStmtPtr prepare(String sql) throws SQLException {
        message = null;
        if (reads != null) {
            try {
                return add(sql, prepareLocal(sql));
            } catch (SQLException e) {
                // The primary may know a table that has not arrived here yet.
                if (staysHere() || SqlText.split(sql).isEmpty() || !describes(SqlText.first(sql))) {
                    throw e;
                }
            }
        }
        return addRemote(sql);
    }

    private boolean describes(String sql) {
        try {
            stream.describe(sql);
            return true;
        } catch (SQLException e) {
            return false;
        }
    }

    private boolean staysHere() {
        return transaction == Transaction.LOCAL || readOnly;
    }

    @Override
    public int _exec(String script) throws SQLException {
        for (String sql : SqlText.split(script)) {
            SafeStmtPtr pointer = prepare(sql);
            try {
                int code = SQLITE_ROW;
                while (code == SQLITE_ROW) {
                    code = pointer.safeRunInt((db, handle) -> db.step(handle));
                }
                if (code != SQLITE_DONE) {
                    throw newSQLException(code, errmsg());
                }
            } finally {
                pointer.close();
            }
        }
        return SQLITE_OK;
    }

    @Override
    public int step(long handle) throws SQLException {
        RoutedStatement statement = statement(handle);
        if (statement.hasRemoteRows()) {
            return statement.next() ? SQLITE_ROW : SQLITE_DONE;
        } else if (statement.running) {
            return stepHere(handle, statement);
        }
        message = null;
        RemoteRows known = lastChangeWasRemote ? lastChange(statement.sql) : null;
        if (known != null) {
            return answered(statement, known);
        }
        return switch (statement.kind) {
            case BEGIN -> begin(statement);
            case END, ROLLBACK -> end(handle, statement);
            case SAVEPOINT, RELEASE, ROLLBACK_TO, CHANGE, OTHER -> run(handle, statement);
        };
    }

    private @Nullable RemoteRows lastChange(String sql) {
        Matcher question = LAST_CHANGE.matcher(sql);
        if (!question.matches()) {
            return null;
        }
        Object answer = question.group(2).equalsIgnoreCase("changes") ? remoteChanges : remoteRowid;
        return new RemoteRows(
                List.of(new Column(question.group(1), null)),
                List.<@Nullable Object[]>of(new @Nullable Object[] {answer}),
                0,
                remoteRowid);
    }

    // Transactions

    private int begin(RoutedStatement statement) {
        if (transaction != Transaction.NONE) {
            return failed(SQLITE_ERROR, "cannot start a transaction within a transaction");
        }
        beginSql = statement.sql;
        transaction = Transaction.BEGUN;
        return SQLITE_DONE;
    }

    private int end(long handle, RoutedStatement statement) throws SQLException {
        switch (transaction) {
            case NONE -> {
                return failed(
                        SQLITE_ERROR,
                        "cannot " + (statement.kind == Kind.END ? "commit" : "rollback")
                                + " - no transaction is active");
            }
            case BEGUN -> {
                transaction = Transaction.NONE;
                return SQLITE_DONE;
            }
            case LOCAL -> {
                int code = stepHere(handle, statement);
                if (code == SQLITE_DONE) {
                    transaction = Transaction.NONE;
                }
                return code;
            }
            case LOST -> {
                transaction = Transaction.NONE;
                return statement.kind == Kind.ROLLBACK ? SQLITE_DONE : lost();
            }
            default -> {
                return runThere(List.of(statement.remote()), statement);
            }
        }
    }

    // Running

    private int run(long handle, RoutedStatement statement) throws SQLException {
        if (transaction == Transaction.LOST) {
            return lost();
        }
        if (transaction == Transaction.NONE && statement.kind == Kind.SAVEPOINT && staysHere()) {
            beginSql = "BEGIN";
            transaction = Transaction.BEGUN;
        }
        if (statement.isLocal && mayRunHere(statement)) {
            return runHere(handle, statement);
        } else if (readOnly
                && !(reads == null && stream.describe(statement.first()).readOnly())) {
            return refused();
        }
        return runThere(statement);
    }

    private boolean mayRunHere(RoutedStatement statement) throws SQLException {
        return switch (transaction) {
            case NONE ->
                switch (statement.kind) {
                    case SAVEPOINT, RELEASE, ROLLBACK_TO -> false;
                    case CHANGE -> true; // of a temporary table; otherwise SQLite answers that it may not
                    default -> mayRead();
                };
            case BEGUN -> readOnly && mayRead();
            case LOCAL -> true;
            case REMOTE, LOST -> false;
        };
    }

    private boolean mayRead() throws SQLException {
        return reads != null && reads.mayRead(!readOnly);
    }

    private int runHere(long handle, RoutedStatement statement) throws SQLException {
        if (transaction == Transaction.BEGUN) {
            super._exec("BEGIN");
            transaction = Transaction.LOCAL;
        }
        int code = stepHere(handle, statement);
        if (code == SQLITE_READONLY) {
            super.reset(handle);
            return staysHere() ? refused() : runThere(statement);
        }
        if (statement.kind == Kind.CHANGE) {
            lastChangeWasRemote = false;
        }
        return code;
    }

    private int stepHere(long handle, RoutedStatement statement) throws SQLException {
        int code = super.step(handle);
        statement.running = code == SQLITE_ROW;
        return code;
    }

    private int refused() {
        return failed(
                SQLITE_READONLY,
                "attempt to write a readonly database: this connection is read-only (setReadOnly(true))"
                        + (reads == null ? "" : ", so that its statements run on this replica alone")
                        + "; call setReadOnly(false) before a transaction that writes");
    }

    private int runThere(RoutedStatement statement) throws SQLException {
        List<RemoteStatement> remote = new ArrayList<>(2);
        if (transaction == Transaction.BEGUN) {
            remote.add(RemoteStatement.of(beginSql));
        }
        remote.add(statement.remote());
        return runThere(remote, statement);
    }

    /** Runs statements on the server, of which {@code statement} is the last. */
    private int runThere(List<RemoteStatement> remote, RoutedStatement statement) throws SQLException {
        RemoteAnswer answer = ask(remote, statement.kind != Kind.CHANGE && statement.kind != Kind.OTHER);
        RemoteAnswer.Failure failure = answer.failure();
        if (failure != null) {
            return failed(failure.code(), failure.message());
        }
        RemoteRows rows = answer.results().get(remote.size() - 1);
        if (statement.kind == Kind.CHANGE || rows.affectedRows() > 0) {
            changed(rows);
        }
        awaitOwnWrite(answer);
        return answered(statement, rows);
    }

    private RemoteAnswer ask(List<RemoteStatement> remote, boolean controlsTransaction) throws SQLException {
        if (reads != null) {
            reads.requireFollowing();
        }
        boolean keep = transaction != Transaction.NONE || controlsTransaction;
        RemoteAnswer answer;
        try {
            answer = stream.run(remote, keep);
        } catch (CancellationException e) {
            lose();
            throw newSQLException(SQLITE_INTERRUPT, "interrupted");
        } catch (SQLException e) {
            lose();
            throw e;
        }
        boolean beginFailed =
                transaction == Transaction.BEGUN && answer.results().isEmpty();
        if (!beginFailed) {
            transaction = answer.autocommit() ? Transaction.NONE : Transaction.REMOTE;
        }
        if (keep && answer.autocommit()) {
            stream.close();
        }
        return answer;
    }

    private void lose() {
        if (transaction == Transaction.REMOTE) {
            transaction = Transaction.LOST;
        }
    }

    private int lost() {
        return failed(
                SQLITE_ERROR,
                "the transaction was lost when its server did not answer, and is rolled back there unless that happened to its COMMIT;"
                        + " roll back here, then begin anew");
    }

    private void awaitOwnWrite(RemoteAnswer answer) throws SQLException {
        if (reads != null && answer.autocommit() && answer.frameNo() >= 0) {
            reads.awaitOwnWrite(answer.frameNo());
        }
    }

    private void changed(RemoteRows rows) {
        lastChangeWasRemote = true;
        remoteChanges = rows.affectedRows();
        remoteTotalChanges += rows.affectedRows();
        remoteRowid = rows.lastInsertRowid();
    }

    private static int answered(RoutedStatement statement, RemoteRows rows) {
        statement.ran(rows);
        return statement.next() ? SQLITE_ROW : SQLITE_DONE;
    }

    private int failed(int code, String why) {
        message = why;
        return code;
    }

    /**
     * Runs one statement many times on the server in one request.
     *
     * @param values of all runs, one after the other
     * @return the rows that each changed; null if the statement may have to run here
     */
    synchronized long @Nullable [] batch(long handle, int runs, @Nullable Object[] values) throws SQLException {
        RoutedStatement statement = statement(handle);
        if (statement.kind != Kind.CHANGE || staysHere() || transaction == Transaction.LOST) {
            return null; // step() knows what to do
        }
        int parameters = bind_parameter_count(handle);
        List<RemoteStatement> remote = new ArrayList<>(runs + 1);
        int begins = transaction == Transaction.BEGUN ? 1 : 0;
        if (begins == 1) {
            remote.add(RemoteStatement.of(beginSql));
        }
        for (int run = 0; run < runs; run++) {
            List<@Nullable Object> arguments = new ArrayList<>(parameters);
            for (int i = 0; i < parameters; i++) {
                arguments.add(values[run * parameters + i]);
            }
            remote.add(new RemoteStatement(statement.first(), arguments));
        }
        RemoteAnswer answer = ask(remote, false);
        long[] changes = new long[runs];
        for (int run = 0; run + begins < answer.results().size(); run++) {
            RemoteRows rows = answer.results().get(run + begins);
            changed(rows);
            changes[run] = rows.affectedRows();
        }
        awaitOwnWrite(answer);
        RemoteAnswer.Failure failure = answer.failure();
        if (failure != null) {
            throw newSQLException(failure.code(), failure.message());
        }
        return changes;
    }

    @Override
    public void interrupt() throws SQLException {
        super.interrupt();
        stream.cancel();
    }

    // What is known of the last statement

    @Override
    public String errmsg() throws SQLException {
        String remote = message;
        return remote != null ? remote : super.errmsg();
    }

    @Override
    public long changes() throws SQLException {
        return lastChangeWasRemote ? remoteChanges : super.changes();
    }

    @Override
    public long total_changes() throws SQLException {
        return super.total_changes() + remoteTotalChanges;
    }
}
