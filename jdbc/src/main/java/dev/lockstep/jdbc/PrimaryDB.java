package dev.lockstep.jdbc;

import java.sql.SQLException;
import org.jspecify.annotations.Nullable;
import org.sqlite.SQLiteCommitListener;
import org.sqlite.core.NativeDB;
import org.sqlite.core.OpenDB;

/**
 * The database of a primary's connection: SQLite's own, but a call that commits returns only when the commit is acknowledged as asked.
 *
 * <p>Not thread-safe, but for {@link #interrupt}; sqlite-jdbc holds this object's monitor.
 */
final class PrimaryDB extends OpenDB {

    /** Called after a commit. */
    interface Commits {
        void await(Acknowledgement acknowledgement) throws SQLException;
    }

    private final Commits commits;
    private final SQLiteCommitListener listener = new SQLiteCommitListener() {
        @Override
        public void onCommit() {
            committing = true;
        }

        @Override
        public void onRollback() {
            committing = false;
        }
    };

    private Acknowledgement acknowledgement = Acknowledgement.NONE;
    private boolean committing;
    private boolean readOnly;
    private @Nullable String message;

    PrimaryDB(NativeDB local, Commits commits) throws SQLException {
        super(local);
        this.commits = commits;
    }

    /** SQLite is asked for a call at each commit only while there is something to wait for. */
    void setAcknowledgement(Acknowledgement asked) {
        if (acknowledgement.equals(Acknowledgement.NONE) != asked.equals(Acknowledgement.NONE)) {
            if (asked.equals(Acknowledgement.NONE)) {
                local.removeCommitListener(listener);
            } else {
                local.addCommitListener(listener);
            }
        }
        acknowledgement = asked;
    }

    void setReadOnly(boolean on) throws SQLException {
        local._exec("PRAGMA query_only = " + on);
        readOnly = on;
    }

    @Override
    public int step(long statement) throws SQLException {
        message = null;
        int code = super.step(statement);
        if (code == SQLITE_READONLY && readOnly) {
            message = super.errmsg()
                    + ": this connection is read-only (setReadOnly(true)); call setReadOnly(false) before a"
                    + " transaction that writes";
        }
        awaitCommit();
        return code;
    }

    @Override
    public int _exec(String script) throws SQLException {
        message = null;
        int code = super._exec(script);
        awaitCommit();
        return code;
    }

    @Override
    public String errmsg() throws SQLException {
        String ours = message;
        return ours != null ? ours : super.errmsg();
    }

    private void awaitCommit() throws SQLException {
        if (committing) {
            committing = false;
            commits.await(acknowledgement);
        }
    }
}
