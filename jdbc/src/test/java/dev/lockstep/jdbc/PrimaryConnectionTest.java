package dev.lockstep.jdbc;

import static dev.lockstep.jdbc.Pair.ask;
import static dev.lockstep.jdbc.Pair.run;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.lockstep.Position;
import dev.lockstep.Primary;
import dev.lockstep.UnavailableException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLDataException;
import java.sql.SQLException;
import java.util.Properties;
import java.util.UUID;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PrimaryConnectionTest {

    @TempDir
    Path directory;

    private Path database;
    private String url = "";

    @BeforeEach
    void nameTheDatabase() {
        database = directory.resolve("app.db");
        url = "jdbc:lockstep:" + database + "?linger=0ms";
    }

    /** Nobody has the primary open: it can be opened here. */
    private void awaitClosed() {
        Awaitility.await()
                .ignoreExceptionsMatching(UnavailableException.class::isInstance)
                .until(() -> {
                    Primary.of(database).open().close();
                    return true;
                });
    }

    @Test
    void connectionsOfOneFileShareOnePrimaryWhichEndsWithTheLast() throws Exception {
        Connection first = DriverManager.getConnection(url);
        run(first, "CREATE TABLE t (a)");
        try (Connection second = DriverManager.getConnection(url)) {
            first.close();
            run(second, "INSERT INTO t VALUES (1)");
            assertThatThrownBy(() -> Primary.of(database).open()).isInstanceOf(UnavailableException.class);
        }
        awaitClosed();
        try (Primary primary = Primary.of(database).open()) {
            assertThat(primary.position().frameNo()).isPositive();
        }
    }

    @Test
    void whatIsCommittedIsInTheLog() throws Exception {
        try (Connection connection = DriverManager.getConnection(url)) {
            LockstepConnection lockstep = connection.unwrap(LockstepConnection.class);
            run(connection, "CREATE TABLE t (a)");
            Position created = lockstep.position();
            connection.setAutoCommit(false);
            run(connection, "INSERT INTO t VALUES (1)");
            connection.commit();
            Position inserted = lockstep.position();
            assertThat(inserted.frameNo()).isGreaterThan(created.frameNo());
            lockstep.awaitPosition(inserted.token());
        }
    }

    @Test
    void aTokenIsCheckedBeforeItIsWaitedFor() throws Exception {
        try (Connection connection = DriverManager.getConnection(url)) {
            LockstepConnection lockstep = connection.unwrap(LockstepConnection.class);
            Position here = lockstep.position();
            String token = here.token();
            String changed = token.substring(0, 20) + (token.charAt(20) == 'A' ? 'B' : 'A') + token.substring(21);
            assertThatThrownBy(() -> lockstep.awaitPosition(changed))
                    .isInstanceOf(SQLDataException.class)
                    .hasMessageContaining("changed on its way");
            assertThatThrownBy(() -> lockstep.awaitPosition("42")).hasMessageContaining("does not begin with");
            assertThatThrownBy(() -> lockstep.awaitPosition(new Position(new UUID(1, 2), 0, 0).token()))
                    .isInstanceOf(SQLDataException.class)
                    .hasMessageContaining("comes from another database");
            String future = new Position(here.logId(), here.frameNo() + 1, 0).token();
            assertThatThrownBy(() -> lockstep.awaitPosition(future)).hasMessageContaining("history ends at");
        }
    }

    @Test
    void aReadOnlyConnectionReadsAndSaysWhyItDoesNotWrite() throws Exception {
        try (Connection connection = DriverManager.getConnection(url + "&transaction_mode=IMMEDIATE")) {
            run(connection, "CREATE TABLE t (a)");
            connection.setReadOnly(true);
            connection.setAutoCommit(false);
            assertThat(ask(connection, "SELECT count(*) FROM t")).isEqualTo("0");
            assertThatThrownBy(() -> run(connection, "INSERT INTO t VALUES (1)"))
                    .hasMessageContaining("call setReadOnly(false)")
                    .extracting(e -> ((SQLException) e).getErrorCode())
                    .isEqualTo(8);
            connection.rollback();
            connection.setReadOnly(false);
            run(connection, "INSERT INTO t VALUES (1)");
            connection.commit();
            assertThat(ask(connection, "SELECT count(*) FROM t")).isEqualTo("1");
        }
    }

    @Test
    void aCommitThatWaitsForTheDiskIsDurableWhenItReturns() throws Exception {
        try (Primary primary = Primary.of(database).open();
                Connection connection = connect(primary, "durable")) {
            run(connection, "CREATE TABLE t (a)");
            for (int i = 0; i < 20; i++) {
                run(connection, "INSERT INTO t VALUES (" + i + ")");
                Primary.Status status = primary.status();
                assertThat(status.durable()).isEqualTo(status.head());
            }
        }
    }

    private static Connection connect(Primary primary, String ack) throws SQLException {
        Properties options = new Properties();
        options.setProperty("ack", ack);
        options.setProperty("ackTimeout", "50ms");
        return LockstepDataSource.of(primary, options).getConnection();
    }

    @Test
    void withoutReplicasACommitThatWaitsForThemSaysWhatIsKnown() throws Exception {
        try (Primary primary = Primary.of(database).open();
                Connection connection = connect(primary, "none")) {
            run(connection, "CREATE TABLE t (a)");
            connection.unwrap(LockstepConnection.class).setAcknowledgement(Acknowledgement.replicas(1));
            connection.setAutoCommit(false);
            run(connection, "INSERT INTO t VALUES (1)");
            assertThatThrownBy(connection::commit)
                    .isInstanceOfSatisfying(AcknowledgementTimeoutException.class, e -> {
                        assertThat(e.wanted()).isEqualTo(Acknowledgement.replicas(1));
                        assertThat(e.replicas()).isZero();
                        assertThat(e.position()).isEqualTo(primary.position());
                    })
                    .hasMessageContaining("is committed, do not repeat it")
                    .hasMessageContaining("Unknown: whether it would survive");
            connection.unwrap(LockstepConnection.class).setAcknowledgement(Acknowledgement.NONE);
            run(connection, "INSERT INTO t VALUES (2)");
            connection.commit();
            assertThat(ask(connection, "SELECT count(*) FROM t")).isEqualTo("2");
        }
    }

    @Test
    void anOptionThatDoesNotFitTheOpenPrimaryIsRefused() throws Exception {
        try (Connection connection = DriverManager.getConnection(url)) {
            assertThatThrownBy(() -> DriverManager.getConnection(url + "&name=other"))
                    .isInstanceOf(SQLException.class)
                    .hasMessageContaining("is open in this process as");
            assertThat(connection.isValid(1)).isTrue();
        }
    }

    @Test
    void aPoolHoldsThePrimaryOpenUntilItIsClosed() throws Exception {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(url);
        config.setMaximumPoolSize(3);
        try (HikariDataSource pool = new HikariDataSource(config)) {
            for (int i = 0; i < 10; i++) {
                try (Connection connection = pool.getConnection()) {
                    run(connection, "CREATE TABLE t" + i + " (a)");
                    assertThat(connection
                                    .unwrap(LockstepConnection.class)
                                    .position()
                                    .frameNo())
                            .isPositive();
                }
            }
        }
        awaitClosed();
    }

    @Test
    void aDataSourceHoldsThePrimaryOpenBetweenConnections() throws Exception {
        try (LockstepDataSource dataSource = new LockstepDataSource()) {
            dataSource.setUrl(url);
            dataSource.getConnection().close();
            assertThatThrownBy(() -> Primary.of(database).open()).isInstanceOf(UnavailableException.class);
        }
        awaitClosed();
    }
}
