package dev.lockstep.jdbc;

import static dev.lockstep.jdbc.Pair.ask;
import static dev.lockstep.jdbc.Pair.run;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.lockstep.Position;
import dev.lockstep.Replica;
import dev.lockstep.server.RemotePrimary;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTimeoutException;
import java.sql.SQLTransientConnectionException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReplicaConnectionTest {

    @TempDir
    Path directory;

    private Pair pair;

    @BeforeEach
    void open() throws Exception {
        pair = new Pair(directory);
        try (Connection connection = pair.connect()) {
            run(connection, "CREATE TABLE t (a)");
        }
    }

    @AfterEach
    void close() throws Exception {
        pair.close();
    }

    @Test
    void aWriteIsReadableWhereverItWasWrittenFromAsSoonAsItReturns() throws Exception {
        try (Connection writer = pair.connect();
                Connection open = pair.connect()) {
            for (int i = 1; i <= 200; i++) {
                run(writer, "INSERT INTO t VALUES (" + i + ")");
                assertThat(ask(writer, "SELECT count(*) FROM t")).isEqualTo("" + i);
                assertThat(ask(open, "SELECT count(*) FROM t")).isEqualTo("" + i);
                try (Connection later = pair.connect()) {
                    assertThat(ask(later, "SELECT max(a) FROM t")).isEqualTo("" + i);
                }
            }
        }
    }

    @Test
    void aWriteThatDoesNotArriveInTimeSaysThatItIsCommitted() throws Exception {
        try (Connection connection = pair.connect("timeout=300ms")) {
            pair.hold();
            assertThatThrownBy(() -> run(connection, "INSERT INTO t VALUES (1)"))
                    .isInstanceOf(SQLTimeoutException.class)
                    .hasMessageContaining("is committed on " + pair.url() + " as frame ")
                    .hasMessageContaining("do not repeat it")
                    .hasMessageContaining("within 300 ms (option timeout)");
            assertThat(ask(connection, "SELECT count(*) FROM t")).isEqualTo("0");
            pair.release();
            await().until(() -> ask(connection, "SELECT count(*) FROM t").equals("1"));
        }
    }

    @Test
    void aTransactionRunsOnThePrimaryAlsoWhereItReads() throws Exception {
        try (Connection connection = pair.connect();
                Connection other = pair.connect()) {
            connection.setAutoCommit(false);
            run(connection, "INSERT INTO t VALUES (1)");
            assertThat(ask(connection, "SELECT count(*) FROM t")).isEqualTo("1");
            assertThat(ask(other, "SELECT count(*) FROM t")).isEqualTo("0");
            connection.commit();
            assertThat(ask(other, "SELECT count(*) FROM t")).isEqualTo("1");
            assertThat(ask(connection, "SELECT count(*) FROM t")).isEqualTo("1");
            connection.rollback();
        }
    }

    @Test
    void aReadOnlyTransactionStaysOnOneSnapshotHere() throws Exception {
        try (Connection connection = pair.connect();
                Connection writer = pair.connect()) {
            run(writer, "INSERT INTO t VALUES (1)");
            connection.setReadOnly(true);
            connection.setAutoCommit(false);
            assertThat(ask(connection, "SELECT count(*) FROM t")).isEqualTo("1");
            pair.stopServer();
            assertThat(ask(connection, "SELECT count(*) FROM t")).isEqualTo("1");
            pair.restartServer();
            run(writer, "INSERT INTO t VALUES (2)");
            assertThat(ask(connection, "SELECT count(*) FROM t")).isEqualTo("1");
            assertThatThrownBy(() -> connection.setReadOnly(false)).hasMessageContaining("comes too late");
            assertThatThrownBy(() -> run(connection, "INSERT INTO t VALUES (3)"))
                    .hasMessageContaining("call setReadOnly(false) before a transaction that writes")
                    .extracting(e -> ((SQLException) e).getErrorCode())
                    .isEqualTo(8);
            connection.commit();
            assertThat(ask(connection, "SELECT count(*) FROM t")).isEqualTo("2");
            connection.commit();
            connection.setReadOnly(false);
            run(connection, "INSERT INTO t VALUES (4)");
            connection.commit();
        }
    }

    @Test
    void aReadOnlyConnectionDoesNotWriteOutsideOfTransactionsEither() throws Exception {
        try (Connection connection = pair.connect()) {
            connection.setReadOnly(true);
            assertThatThrownBy(() -> run(connection, "CREATE TABLE u (a)")).hasMessageContaining("setReadOnly(true)");
            assertThat(ask(connection, "SELECT count(*) FROM sqlite_schema")).isEqualTo("1");
        }
    }

    @Test
    void temporaryTablesStayHere() throws Exception {
        try (Connection connection = pair.connect()) {
            run(connection, "CREATE TEMP TABLE mine (a)");
            run(connection, "INSERT INTO mine VALUES (7)");
            assertThat(ask(connection, "SELECT a FROM mine")).isEqualTo("7");
            assertThat(ask(connection, "SELECT last_insert_rowid()")).isEqualTo("1");
        }
    }

    @Test
    void aTableThatHasNotArrivedYetCanBeWrittenTo() throws Exception {
        try (Connection connection = pair.connect("timeout=200ms");
                Connection primary = pair.connectPrimary()) {
            pair.hold();
            run(primary, "CREATE TABLE late (a)");
            assertThatThrownBy(() -> run(connection, "INSERT INTO late VALUES (1)"))
                    .hasMessageContaining("is committed on");
            pair.release();
            await().ignoreExceptions()
                    .until(() -> ask(connection, "SELECT a FROM late").equals("1"));
        }
    }

    @Test
    void withoutThePrimaryReadsGoOnAndWritesFailAtOnce() throws Exception {
        try (Connection connection = pair.connect()) {
            run(connection, "INSERT INTO t VALUES (1)");
            pair.stopServer();
            assertThatThrownBy(() -> run(connection, "INSERT INTO t VALUES (2)"))
                    .isInstanceOf(SQLTransientConnectionException.class)
                    .hasMessageContaining("cannot be reached; nothing was done there");
            connection.setAutoCommit(false);
            assertThatThrownBy(() -> run(connection, "INSERT INTO t VALUES (3)"))
                    .hasMessageContaining("nothing was done");
            connection.rollback();
            connection.setAutoCommit(true);
            assertThat(ask(connection, "SELECT count(*) FROM t")).isEqualTo("1");
            pair.restartServer();
            run(connection, "INSERT INTO t VALUES (4)");
        }
    }

    @Test
    void aWriteMayWaitForThePrimary() throws Exception {
        try (Connection connection = pair.connect("whenUnreachable=wait", "timeout=30s")) {
            pair.stopServer();
            CompletableFuture<Void> write = CompletableFuture.runAsync(() -> {
                try {
                    run(connection, "INSERT INTO t VALUES (1)");
                } catch (SQLException e) {
                    throw new IllegalStateException(e);
                }
            });
            pair.restartServer();
            write.join();
            assertThat(ask(connection, "SELECT count(*) FROM t")).isEqualTo("1");
        }
    }

    @Test
    void aTransactionThatItsServerLostFailsUntilItIsRolledBack() throws Exception {
        try (Connection connection = pair.connect()) {
            connection.setAutoCommit(false);
            run(connection, "INSERT INTO t VALUES (1)");
            pair.stopServer();
            pair.restartServer();
            assertThatThrownBy(() -> run(connection, "INSERT INTO t VALUES (2)"))
                    .isInstanceOf(SQLException.class);
            assertThatThrownBy(() -> run(connection, "INSERT INTO t VALUES (3)"))
                    .hasMessageContaining("the transaction was lost");
            assertThatThrownBy(() -> ask(connection, "SELECT count(*) FROM t")).hasMessageContaining("was lost");
            connection.rollback();
            run(connection, "INSERT INTO t VALUES (4)");
            connection.commit();
            connection.setAutoCommit(true);
            assertThat(ask(connection, "SELECT group_concat(a) FROM t")).isEqualTo("4");
        }
    }

    @Test
    void aDivergedReplicaReadsItsLastGoodStateAndSaysWhyItDoesNotWrite() throws Exception {
        try (Connection connection = pair.connect()) {
            run(connection, "INSERT INTO t VALUES (1)");
            pair.diverge();
            await().until(() -> pair.replica().status().state() == Replica.State.REFUSED);
            assertThat(ask(connection, "SELECT count(*) FROM t")).isEqualTo("1");
            assertThatThrownBy(() -> run(connection, "INSERT INTO t VALUES (2)"))
                    .hasMessageContaining("is REFUSED")
                    .hasMessageContaining("nothing was sent to the primary")
                    .hasMessageContaining("the histories differ");
            try (Connection primary = pair.connectPrimary()) {
                assertThat(ask(primary, "SELECT count(*) FROM t")).isEqualTo("1");
            }
        }
    }

    @Test
    void aTokenCarriesAWriteFromOneReplicaToAnother() throws Exception {
        try (Replica second = Replica.of(directory.resolve("second.db"), RemotePrimary.of(pair.url()))
                        .open();
                Connection writer = pair.connect();
                Connection reader = LockstepDataSource.of(second, pair.url(), new Properties())
                        .getConnection()) {
            for (int i = 1; i <= 50; i++) {
                run(writer, "INSERT INTO t VALUES (" + i + ")");
                String token =
                        writer.unwrap(LockstepConnection.class).position().token();
                reader.unwrap(LockstepConnection.class).awaitPosition(token);
                assertThat(ask(reader, "SELECT count(*) FROM t")).isEqualTo("" + i);
            }
        }
    }

    @Test
    void aTokenThatIsNotReachedSaysHowFarTheReplicaIs() throws Exception {
        try (Connection connection = pair.connect("timeout=100ms")) {
            LockstepConnection lockstep = connection.unwrap(LockstepConnection.class);
            Position here = lockstep.position();
            String future = new Position(here.logId(), here.frameNo() + 1000, 0).token();
            assertThatThrownBy(() -> lockstep.awaitPosition(future))
                    .isInstanceOf(SQLTimeoutException.class)
                    .hasMessageContaining("frame " + (here.frameNo() + 1000))
                    .hasMessageContaining("at frame " + here.frameNo());
        }
    }

    @Test
    void aReplicaThatLagsRefusesWaitsOrReadsFromThePrimaryAsAsked() throws Exception {
        try (Connection refusing = pair.connect("maxLag=2s", "whenStale=refuse");
                Connection waiting = pair.connect("maxLag=2s", "timeout=100ms");
                Connection elsewhere = pair.connect("maxLag=2s", "whenStale=primary");
                Connection primary = pair.connectPrimary()) {
            assertThat(pair.replica().awaitLag(Duration.ofSeconds(2), Duration.ofSeconds(20)))
                    .isTrue();
            assertThat(ask(refusing, "SELECT count(*) FROM t")).isEqualTo("0");
            pair.hold();
            run(primary, "INSERT INTO t VALUES (1)");
            await().until(() -> !pair.replica().awaitLag(Duration.ofSeconds(2), Duration.ZERO));
            assertThatThrownBy(() -> ask(refusing, "SELECT count(*) FROM t"))
                    .hasMessageContaining("maxLag allows 2000 ms (whenStale=refuse)");
            assertThatThrownBy(() -> ask(waiting, "SELECT count(*) FROM t"))
                    .hasMessageContaining("waiting 100 ms did not help");
            assertThat(ask(elsewhere, "SELECT count(*) FROM t")).isEqualTo("1");
            pair.release();
            assertThat(pair.replica().awaitLag(Duration.ofSeconds(2), Duration.ofSeconds(20)))
                    .isTrue();
            await().until(() -> ask(refusing, "SELECT count(*) FROM t").equals("1"));
        }
    }

    @Test
    void aCommitThatWaitsForAReplicaIsThereWhenItReturns() throws Exception {
        try (Connection primary = pair.connectPrimary("ack=replicas(1)");
                Connection replica = pair.connect()) {
            for (int i = 1; i <= 50; i++) {
                run(primary, "INSERT INTO t VALUES (" + i + ")");
                assertThat(ask(replica, "SELECT count(*) FROM t")).isEqualTo("" + i);
            }
        }
    }

    @Test
    void aRunningStatementCanBeCancelledHereAndOnThePrimary() throws Exception {
        String endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
        for (boolean autocommit : new boolean[] {true, false}) {
            try (Connection connection = pair.connect();
                    Statement statement = connection.createStatement()) {
                connection.setAutoCommit(autocommit);
                CompletableFuture<Throwable> outcome = CompletableFuture.supplyAsync(() -> {
                    try {
                        statement.execute(endless);
                        return new AssertionError("it ended");
                    } catch (SQLException e) {
                        return e;
                    }
                });
                // Cancelling before it runs has no effect, in SQLite as well.
                await().until(() -> {
                    statement.cancel();
                    return outcome.isDone();
                });
                assertThat(outcome.join())
                        .isInstanceOfSatisfying(
                                SQLException.class,
                                e -> assertThat(e.getErrorCode())
                                        .as(e.toString())
                                        .isEqualTo(9));
            }
        }
    }
}
