package dev.lockstep.server.sql;

import dev.lockstep.server.sql.Execution.Counts;
import dev.lockstep.server.sql.SqlStatement.Kind;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * One client's conversation with a database: a stream of Hrana, a client of libSQL's Proxy.
 *
 * <p>It has a connection while it runs a statement, while a transaction is open, and from the moment it changed the connection's settings
 * or made temporary tables until its end. It has its turn to write from its first write, or BEGIN IMMEDIATE, to the end of the transaction.
 *
 * <p>One thread at a time, but {@link #cancel} and {@link #close} may be called by any. The watchdog, too, may end a transaction; the next
 * statement then fails with {@link SqlFailure#TRANSACTION_TIMEOUT}, unless it is the ROLLBACK that was to end it anyway.
 */
public final class SqlSession implements AutoCloseable {

    private static final Counts NOTHING = new Counts(0, 0, 0, 0);

    private final SqlDatabase database;
    private final SqlLimits limits;
    private final boolean writable;

    /** Held by whoever uses the fields below: the client's thread, the watchdog, or who closes. */
    private final ReentrantLock lock = new ReentrantLock();

    private @Nullable SqlConnection connection;
    private boolean hasPlace;
    private boolean hasTurn;
    private boolean inTransaction;
    private boolean readOnly;
    private long transactionNanos;
    private long usedNanos;

    /** Why a transaction was rolled back that the client does not know of yet. */
    private @Nullable SqlFailure expired;

    /** What runs now; written by the client's thread. */
    private volatile @Nullable Run run;

    private volatile boolean closed;

    /** @param writable whether the client may write */
    SqlSession(SqlDatabase database, boolean writable) {
        this.database = database;
        this.writable = writable;
        this.limits = database.limits();
    }

    /**
     * Runs one statement to its end.
     *
     * @param rows gets the columns and rows, if the query wants them
     */
    public Outcome execute(Query query, RowSink rows) throws SqlFailure {
        requireLength(query.sql());
        SqlStatement statement = Script.single(query.sql());
        refuse(statement);
        @Nullable Object[] values = statement.parameters().bind(query.args(), query.named());
        RowSink sink = query.wantRows() ? new LimitedRows(rows, limits) : RowSink.NONE;
        long start = System.nanoTime();
        enter();
        try {
            Done done = perform(statement, values, sink);
            Long frame = done.committed ? database.capturedFrame() : null;
            return new Outcome(
                    done.counts.affected(),
                    done.counts.lastRowid(),
                    done.counts.read(),
                    done.counts.written(),
                    Duration.ofNanos(System.nanoTime() - start),
                    done.committed,
                    frame);
        } finally {
            exit();
        }
    }

    /**
     * Runs the statements of a script, without values, until one fails. Their rows are dropped.
     *
     * @return the frame by which all that it committed is in the log, or null if it committed nothing
     */
    public @Nullable Long sequence(String script) throws SqlFailure {
        requireLength(script);
        Script statements = new Script(script);
        boolean committed = false;
        int count = 0;
        enter();
        try {
            for (SqlStatement one = statements.next(); one != null; one = statements.next()) {
                if (++count > limits.scriptStatements()) {
                    throw SqlFailure.of(
                            SqlFailure.SQL_MANY_STATEMENTS,
                            "the script has more than " + limits.scriptStatements()
                                    + " statements; those before were run");
                }
                refuse(one);
                committed |= perform(one, one.parameters().bind(List.of(), List.of()), RowSink.NONE).committed;
            }
            return committed ? database.capturedFrame() : null;
        } finally {
            exit();
        }
    }

    /** What a statement is, without running it. */
    public Description describe(String sql) throws SqlFailure {
        requireLength(sql);
        SqlStatement statement = Script.single(sql);
        refuse(statement);
        enter();
        try {
            return new Description(
                    statement.parameters().names(), columns(statement), statement.explain(), !statement.needsTurn());
        } finally {
            exit();
        }
    }

    private List<Column> columns(SqlStatement statement) throws SqlFailure {
        Pragma pragma = statement.pragma();
        if (pragma != null && pragma.actsWhenCompiled()) {
            return List.of();
        }
        Run current = begin();
        try (Prepared prepared = connect(current).prepare(statement.sql())) {
            return prepared.columns();
        } catch (SqlFailure failure) {
            throw explain(failure, current);
        } finally {
            end(current);
            settle();
        }
    }

    /** Whether no transaction is open. */
    public boolean isAutocommit() {
        lock.lock();
        try {
            return !inTransaction;
        } finally {
            unlock();
        }
    }

    /** Interrupts the statement that runs now, or waits for its turn; it fails with SQLITE_INTERRUPT. Nothing if none runs. */
    public void cancel() {
        Run current = run;
        if (current != null) {
            current.stop(Run.Stop.CANCELLED);
        }
    }

    /** Interrupts what runs, rolls back, and gives the connection back. */
    @Override
    public void close() {
        closed = true;
        cancel();
        releaseIfClosed();
    }

    // One statement.

    /** @param committed whether a write of this session became lasting by it */
    private record Done(Counts counts, boolean committed) {}

    private void requireLength(String sql) throws SqlFailure {
        if (sql.length() > limits.sqlLength()) {
            throw SqlFailure.of(
                    SqlFailure.SQL_TOO_LONG,
                    "the SQL has " + sql.length() + " characters; " + limits.sqlLength() + " are allowed");
        }
    }

    private static void refuse(SqlStatement statement) throws SqlFailure {
        String refusal = statement.refusal();
        if (refusal != null) {
            throw SqlFailure.of(SqlFailure.SQL_REFUSED, refusal);
        }
    }

    private Done perform(SqlStatement statement, @Nullable Object[] values, RowSink sink) throws SqlFailure {
        SqlFailure timeout = expired;
        if (timeout != null) {
            expired = null;
            if (statement.kind() != Kind.ROLLBACK) {
                throw timeout;
            }
            return new Done(NOTHING, false);
        }
        if (!writable && statement.needsTurn()) {
            throw SqlFailure.sqlite(SqlFailure.READONLY, "the token of this client is for reading only");
        }
        if (readOnly && statement.writes()) {
            throw SqlFailure.sqlite(SqlFailure.READONLY, "attempt to write a readonly database");
        }
        Run current = begin();
        boolean succeeded = false;
        try {
            Counts counts = prepareFor(statement, current).run(values, sink);
            succeeded = true;
            boolean hadTurn = hasTurn;
            afterwards(statement, current, true);
            return new Done(counts, hadTurn && !inTransaction && statement.kind() != Kind.ROLLBACK);
        } catch (SqlFailure failure) {
            throw explain(failure, current);
        } finally {
            if (!succeeded) {
                afterwards(statement, current, false);
            }
        }
    }

    /** Gets a connection, and the turn to write where that is needed: the turn first, so that connections do not wait for it. */
    private Execution prepareFor(SqlStatement statement, Run current) throws SqlFailure {
        if (statement.changesConnection()) {
            connect(current);
        }
        if (statement.needsTurn() && !hasTurn) {
            takeTurn(current);
        }
        return new Execution(connect(current), statement);
    }

    private void takeTurn(Run current) throws SqlFailure {
        if (!current.await(database.turns(), limits.lockWait().toNanos())) {
            throw SqlFailure.sqlite(
                    SqlFailure.BUSY,
                    "database is locked: other sessions wrote for "
                            + limits.lockWait().toMillis() + " ms");
        }
        hasTurn = true;
    }

    /** The connection, which is taken if there is none; with the turn to write one needs no place, so that writers always get on. */
    private SqlConnection connect(Run current) throws SqlFailure {
        SqlConnection usable = connection;
        if (usable == null) {
            if (!hasTurn && !hasPlace) {
                takePlace(current);
            }
            usable = database.pool(writable).take(this);
            connection = usable;
        }
        usable.waitForLocks(System.nanoTime() + limits.lockWait().toNanos(), current::isStopped);
        current.use(usable);
        return usable;
    }

    private void takePlace(Run current) throws SqlFailure {
        if (!current.await(database.places(), limits.lockWait().toNanos())) {
            throw SqlFailure.sqlite(
                    SqlFailure.BUSY,
                    "all " + limits.connections() + " connections were in use for "
                            + limits.lockWait().toMillis() + " ms");
        }
        hasPlace = true;
    }

    private void afterwards(SqlStatement statement, Run current, boolean succeeded) {
        end(current);
        if (!succeeded && current.stop() == Run.Stop.TIMED_OUT) {
            rollback();
        } else if (!succeeded || statement.controlsTransaction()) {
            boolean before = inTransaction;
            inTransaction = askWhetherInTransaction();
            readOnly |= succeeded && inTransaction && statement.kind() == Kind.BEGIN_READ_ONLY;
            transactionNanos = before ? transactionNanos : System.nanoTime();
        }
        settle();
    }

    /** What a failure means, where the statement was stopped from outside. */
    private SqlFailure explain(SqlFailure failure, Run current) {
        boolean byStop = failure.primary() == SqlFailure.INTERRUPT || failure.primary() == SqlFailure.BUSY;
        return switch (byStop ? current.stop() : Run.Stop.NO) {
            case NO -> failure;
            case CANCELLED -> SqlFailure.sqlite(SqlFailure.INTERRUPT, "interrupted");
            case TIMED_OUT -> timeout("lasted longer than " + limits.total().toMillis() + " ms");
        };
    }

    private static SqlFailure timeout(String what) {
        return SqlFailure.of(SqlFailure.TRANSACTION_TIMEOUT, "the transaction " + what + " and was rolled back");
    }

    // Places, turns and connections.

    private void enter() throws SqlFailure {
        lock.lock();
        database.setActive(this, true);
        if (closed || database.isClosed()) {
            exit();
            throw SqlFailure.of(SqlFailure.SESSION_CLOSED, "the session was closed");
        }
    }

    private void exit() {
        database.setActive(this, connection != null);
        unlock();
    }

    private void unlock() {
        lock.unlock();
        releaseIfClosed();
    }

    private Run begin() throws SqlFailure {
        long now = System.nanoTime();
        Run current = new Run(
                (inTransaction ? transactionNanos : now) + limits.total().toNanos());
        run = current;
        if (closed) { // who closed may have looked for it before it was there
            end(current);
            throw SqlFailure.of(SqlFailure.SESSION_CLOSED, "the session was closed");
        }
        return current;
    }

    private void end(Run current) {
        current.use(null);
        run = null;
    }

    /** Gives back what is not needed any more. */
    private void settle() {
        usedNanos = System.nanoTime();
        if (inTransaction) {
            return;
        }
        readOnly = false;
        SqlConnection used = connection;
        if (used != null && !used.isChanged()) {
            connection = null;
            database.pool(writable).give(used, this);
        }
        if (hasTurn) {
            hasTurn = false;
            database.turns().leave();
        }
        if (connection == null && hasPlace) {
            hasPlace = false;
            database.places().leave();
        } else if (connection != null && !hasPlace) {
            hasPlace = true;
            database.places().force();
        }
    }

    private void rollback() {
        boolean open = askWhetherInTransaction();
        SqlConnection used = connection;
        if (used != null && open) {
            try {
                used.run("ROLLBACK");
            } catch (SqlFailure e) {
                discard(used);
            }
        }
        inTransaction = false;
    }

    private boolean askWhetherInTransaction() {
        SqlConnection used = connection;
        if (used == null) {
            return false;
        }
        try {
            return used.inTransaction();
        } catch (SqlFailure e) { // it is beyond use
            discard(used);
            return false;
        }
    }

    /** Closing rolls back in any case. */
    private void discard(SqlConnection used) {
        used.close();
        connection = null;
    }

    private void expire(String what) {
        rollback();
        expired = timeout(what);
        settle();
    }

    /** Called by the watchdog from time to time. */
    void watch(long now) {
        Run current = run;
        if (current != null) {
            current.watch(now);
        } else if (lock.tryLock()) {
            try {
                if (inTransaction && now - transactionNanos >= limits.total().toNanos()) {
                    expire("lasted longer than " + limits.total().toMillis() + " ms");
                } else if (inTransaction && now - usedNanos >= limits.idle().toNanos()) {
                    expire("was idle for " + limits.idle().toMillis() + " ms");
                }
            } finally {
                exit();
            }
        }
    }

    /** Whoever lets go of the lock last sees that the session was closed. */
    private void releaseIfClosed() {
        if (closed && !lock.isHeldByCurrentThread() && lock.tryLock()) {
            try {
                rollback();
                SqlConnection used = connection;
                connection = null;
                if (used != null) {
                    database.pool(writable).give(used, this);
                }
                settle();
                database.pool(writable).forget(this);
                database.setActive(this, false);
            } finally {
                lock.unlock();
            }
        }
    }
}
