package dev.lockstep.server.sql;

import static dev.lockstep.server.sql.TestDatabase.execute;
import static dev.lockstep.server.sql.TestDatabase.failure;
import static dev.lockstep.server.sql.TestDatabase.value;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.lockstep.sqlite.SqliteConnections;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who may write when, and how transactions end that nobody ends. */
class TransactionTest {

    private static final Duration LONG = Duration.ofSeconds(30);
    private static final Duration SHORT = Duration.ofMillis(200);
    private static final String ENDLESS =
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

    @TempDir
    Path directory;

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private TestDatabase database;

    @BeforeEach
    void open() throws Exception {
        open(SqlLimits.defaults().withTransactions(LONG, LONG));
    }

    private void reopen(SqlLimits limits) throws Exception {
        database.close();
        open(limits);
    }

    private void open(SqlLimits limits) throws Exception {
        database = new TestDatabase(directory.resolve("app.db"), limits);
        database.run("CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, v UNIQUE)");
    }

    @AfterEach
    void close() throws Exception {
        threads.shutdownNow();
        database.close();
    }

    private Future<?> inBackground(SqlSession session, String sql) {
        return threads.submit(() -> execute(session, sql));
    }

    private static SqlFailure failureOf(Future<?> running) throws Exception {
        try {
            running.get(LONG.toSeconds(), TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof SqlFailure failure) {
                return failure;
            }
            throw e;
        }
        throw new AssertionError("it succeeded");
    }

    private void awaitWaiting(int count) {
        await().atMost(LONG).until(() -> database.sql.turns().waiting() == count);
    }

    @Test
    void writersGetTheirTurnInTheOrderInWhichTheyCame() throws Exception {
        List<Integer> order = Collections.synchronizedList(new ArrayList<>());
        try (SqlSession first = database.session()) {
            execute(first, "BEGIN IMMEDIATE");
            List<Future<?>> others = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                int number = i;
                others.add(threads.submit(() -> {
                    try (SqlSession session = database.session()) {
                        execute(session, "BEGIN IMMEDIATE");
                        order.add(number);
                        execute(session, "INSERT INTO t(v) VALUES (?)", new Value.Int(number));
                        execute(session, "COMMIT");
                    }
                    return null;
                }));
                awaitWaiting(i + 1);
            }
            assertThat(database.value("SELECT count(*) FROM t")).isEqualTo(new Value.Int(0));
            execute(first, "COMMIT");
            for (Future<?> other : others) {
                other.get(LONG.toSeconds(), TimeUnit.SECONDS);
            }
        }
        assertThat(order).isSorted().hasSize(20);
    }

    @Test
    void manyWritersAtOnceNeverMeetALockedDatabase() throws Exception {
        List<Future<?>> writers = new ArrayList<>();
        for (int w = 0; w < 8; w++) {
            writers.add(threads.submit(() -> {
                try (SqlSession session = database.session()) {
                    for (int i = 0; i < 50; i++) {
                        Outcome outcome = execute(session, "INSERT INTO t(v) VALUES (NULL)");
                        assertThat(outcome.frameNo()).isNotNull();
                    }
                }
                return null;
            }));
        }
        for (Future<?> writer : writers) {
            writer.get(LONG.toSeconds(), TimeUnit.SECONDS);
        }
        assertThat(database.value("SELECT count(*) FROM t")).isEqualTo(new Value.Int(400));
    }

    @Test
    void aDeferredTransactionWhoseSnapshotIsOldCannotWrite() throws Exception {
        try (SqlSession old = database.session()) {
            execute(old, "BEGIN DEFERRED");
            assertThat(value(old, "SELECT count(*) FROM t")).isEqualTo(new Value.Int(0));
            database.run("INSERT INTO t(v) VALUES (1)");
            SqlFailure failure = failure(() -> execute(old, "INSERT INTO t(v) VALUES (2)"));
            assertThat(failure.code()).isEqualTo("SQLITE_BUSY_SNAPSHOT");
            assertThat(failure.extended()).isEqualTo(517);
            assertThat(value(old, "SELECT count(*) FROM t")).isEqualTo(new Value.Int(0));
            execute(old, "ROLLBACK");
            execute(old, "INSERT INTO t(v) VALUES (2)");
        }
    }

    @Test
    void aReadOnlyTransactionIsASnapshotFromItsBeginAndRefusesWrites() throws Exception {
        try (SqlSession reader = database.session()) {
            execute(reader, "BEGIN TRANSACTION READONLY");
            database.run("INSERT INTO t(v) VALUES (1)");
            assertThat(value(reader, "SELECT count(*) FROM t")).isEqualTo(new Value.Int(0));
            for (String write : List.of(
                    "INSERT INTO t(v) VALUES (2)",
                    "WITH x AS (SELECT 1) DELETE FROM t",
                    "CREATE TABLE u (a)",
                    "PRAGMA user_version = 3")) {
                SqlFailure failure = failure(() -> execute(reader, write));
                assertThat(failure.code()).isEqualTo("SQLITE_READONLY");
                assertThat(failure.primary()).isEqualTo(8);
            }
            assertThat(reader.isAutocommit()).isFalse();
            execute(reader, "COMMIT");
            execute(reader, "INSERT INTO t(v) VALUES (2)");
        }
    }

    @Test
    void savepointsOpenAndEndTransactions() throws Exception {
        try (SqlSession session = database.session()) {
            execute(session, "SAVEPOINT a");
            assertThat(session.isAutocommit()).isFalse();
            execute(session, "INSERT INTO t(v) VALUES (1)");
            execute(session, "SAVEPOINT b");
            execute(session, "INSERT INTO t(v) VALUES (2)");
            execute(session, "ROLLBACK TO b");
            assertThat(execute(session, "RELEASE b").frameNo()).isNull();
            assertThat(session.isAutocommit()).isFalse();
            assertThat(execute(session, "RELEASE a").frameNo()).isNotNull();
            assertThat(session.isAutocommit()).isTrue();
            assertThat(value(session, "SELECT group_concat(v) FROM t")).isEqualTo(new Value.Text("1"));
        }
    }

    @Test
    void anErrorThatRollsBackGivesTheTurnBack() throws Exception {
        try (SqlSession session = database.session()) {
            execute(session, "BEGIN IMMEDIATE");
            execute(session, "INSERT INTO t(v) VALUES (1)");
            failure(() -> execute(session, "INSERT OR ROLLBACK INTO t(v) VALUES (1)"));
            assertThat(session.isAutocommit()).isTrue();
            database.run("INSERT INTO t(v) VALUES (1)");
        }
    }

    @Test
    void anIdleTransactionIsRolledBackAndItsClientTold() throws Exception {
        reopen(SqlLimits.defaults().withTransactions(SHORT, LONG));
        try (SqlSession idle = database.session();
                SqlSession rolling = database.session()) {
            execute(idle, "BEGIN IMMEDIATE");
            execute(idle, "INSERT INTO t(v) VALUES (1)");
            database.run("INSERT INTO t(v) VALUES (1)"); // waits until the other is gone
            assertThat(idle.isAutocommit()).isTrue();
            SqlFailure failure = failure(() -> execute(idle, "INSERT INTO t(v) VALUES (2)"));
            assertThat(failure.code()).isEqualTo(SqlFailure.TRANSACTION_TIMEOUT);
            execute(idle, "INSERT INTO t(v) VALUES (3)");

            execute(rolling, "BEGIN");
            await().atMost(LONG).until(rolling::isAutocommit);
            execute(rolling, "ROLLBACK");
            assertThat(value(rolling, "SELECT group_concat(v) FROM t")).isEqualTo(new Value.Text("1,3"));
        }
    }

    @Test
    void whatLastsTooLongIsInterrupted() throws Exception {
        reopen(SqlLimits.defaults().withTransactions(SHORT, SHORT));
        try (SqlSession session = database.session()) {
            SqlFailure alone = failure(() -> execute(session, ENDLESS));
            assertThat(alone.code()).isEqualTo(SqlFailure.TRANSACTION_TIMEOUT);
            execute(session, "BEGIN IMMEDIATE");
            SqlFailure inside = failure(() -> execute(session, ENDLESS));
            assertThat(inside.code()).isEqualTo(SqlFailure.TRANSACTION_TIMEOUT);
            assertThat(session.isAutocommit()).isTrue();
            database.run("INSERT INTO t(v) VALUES (1)");
        }
    }

    @Test
    void cancelInterruptsARunningStatementAndTheSessionGoesOn() throws Exception {
        try (SqlSession session = database.session()) {
            Future<?> running = inBackground(session, ENDLESS);
            await().atMost(LONG).until(() -> {
                session.cancel();
                return running.isDone();
            });
            assertThat(failureOf(running).code()).isEqualTo("SQLITE_INTERRUPT");
            assertThat(value(session, "SELECT 1")).isEqualTo(new Value.Int(1));
        }
    }

    @Test
    void cancelEndsTheWaitForATurn() throws Exception {
        try (SqlSession holder = database.session();
                SqlSession waiter = database.session()) {
            execute(holder, "BEGIN IMMEDIATE");
            Future<?> waiting = inBackground(waiter, "INSERT INTO t(v) VALUES (1)");
            awaitWaiting(1);
            waiter.cancel();
            assertThat(failureOf(waiting).code()).isEqualTo("SQLITE_INTERRUPT");
            awaitWaiting(0);
            execute(holder, "COMMIT");
            execute(waiter, "INSERT INTO t(v) VALUES (2)");
        }
    }

    @Test
    void closingInterruptsRollsBackAndLetsTheNextWriterIn() throws Exception {
        SqlSession session = database.session();
        execute(session, "BEGIN IMMEDIATE");
        execute(session, "INSERT INTO t(v) VALUES (1)");
        Future<?> running = inBackground(session, ENDLESS);
        CompletableFuture<Void> other = CompletableFuture.runAsync(
                () -> {
                    try {
                        database.run("INSERT INTO t(v) VALUES (2)");
                    } catch (SqlFailure e) {
                        throw new IllegalStateException(e);
                    }
                },
                threads);
        awaitWaiting(1);
        session.close();
        assertThat(failureOf(running).code()).isIn("SQLITE_INTERRUPT", SqlFailure.SESSION_CLOSED);
        other.get(LONG.toSeconds(), TimeUnit.SECONDS);
        assertThat(database.value("SELECT group_concat(v) FROM t")).isEqualTo(new Value.Text("2"));
        assertThat(failure(() -> execute(session, "SELECT 1")).code()).isEqualTo(SqlFailure.SESSION_CLOSED);
    }

    @Test
    void aLockOfAnotherProgramIsWaitedForWithALimit() throws Exception {
        reopen(SqlLimits.defaults().withLockWait(SHORT));
        try (Connection foreign = DriverManager.getConnection("jdbc:sqlite:" + database.path);
                SqlSession session = database.session()) {
            SqliteConnections.execute(foreign, "BEGIN IMMEDIATE");
            SqlFailure failure = failure(() -> execute(session, "INSERT INTO t(v) VALUES (1)"));
            assertThat(failure.code()).isEqualTo("SQLITE_BUSY");
            assertThat(failure).hasMessage("database is locked");
            assertThat(value(session, "SELECT count(*) FROM t")).isEqualTo(new Value.Int(0));
            SqliteConnections.execute(foreign, "ROLLBACK");
            execute(session, "INSERT INTO t(v) VALUES (1)");
        }
    }

    @Test
    void aForeignLockThatIsLetGoInTimeIsNoFailure() throws Exception {
        try (Connection foreign = DriverManager.getConnection("jdbc:sqlite:" + database.path);
                SqlSession session = database.session()) {
            SqliteConnections.execute(foreign, "BEGIN IMMEDIATE");
            Future<?> waiting = inBackground(session, "INSERT INTO t(v) VALUES (1)");
            assertThat(database.value("SELECT count(*) FROM t")).isEqualTo(new Value.Int(0));
            SqliteConnections.execute(foreign, "COMMIT");
            waiting.get(LONG.toSeconds(), TimeUnit.SECONDS);
        }
    }

    @Test
    void connectionsAreBoundedAndWritersStillGetOn() throws Exception {
        reopen(SqlLimits.defaults().withConnections(1).withLockWait(SHORT).withTransactions(LONG, LONG));
        try (SqlSession reader = database.session();
                SqlSession other = database.session()) {
            execute(reader, "BEGIN");
            assertThat(value(reader, "SELECT count(*) FROM t")).isEqualTo(new Value.Int(0));
            assertThat(failure(() -> execute(other, "SELECT 1")).code()).isEqualTo("SQLITE_BUSY");
            execute(other, "INSERT INTO t(v) VALUES (1)");
            execute(reader, "COMMIT");
            assertThat(value(other, "SELECT count(*) FROM t")).isEqualTo(new Value.Int(1));
        }
    }
}
