package dev.lockstep.jdbc;

import static dev.lockstep.jdbc.Pair.ask;
import static dev.lockstep.jdbc.Pair.run;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.lockstep.testing.JwtSigner;
import dev.lockstep.testing.Ports;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Replicas and remote connections as their URLs open them. */
class ReplicaUrlTest {

    @TempDir
    Path directory;

    private static HikariDataSource pool(String url) {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(url);
        config.setMaximumPoolSize(3);
        return new HikariDataSource(config);
    }

    @Test
    void aPrimaryThatListensServesReplicasAndRemoteConnectionsByUrlAlone() throws Exception {
        int port = Ports.free();
        String primaryUrl = "jdbc:lockstep:" + directory.resolve("app.db") + "?listen=127.0.0.1:" + port;
        String server = "http://127.0.0.1:" + port;
        try (HikariDataSource primary = pool(primaryUrl);
                HikariDataSource replica =
                        pool("jdbc:lockstep:" + directory.resolve("copy.db") + "?primary=" + server + "/app");
                HikariDataSource remote = pool("jdbc:lockstep:" + server)) {
            try (Connection a = primary.getConnection();
                    Connection b = replica.getConnection();
                    Connection c = remote.getConnection()) {
                run(c, "CREATE TABLE t (a)");
                run(b, "INSERT INTO t VALUES (1)");
                assertThat(ask(a, "SELECT count(*) FROM t")).isEqualTo("1");
                assertThat(ask(b, "SELECT count(*) FROM t")).isEqualTo("1");
                assertThat(ask(c, "SELECT count(*) FROM t")).isEqualTo("1");
                assertThatThrownBy(() -> c.unwrap(LockstepConnection.class).position())
                        .hasMessageContaining("knows no positions");
                assertThatThrownBy(() -> b.unwrap(LockstepConnection.class).setAcknowledgement(Acknowledgement.DURABLE))
                        .hasMessageContaining("on the primary");
            }
        }
    }

    @Test
    void aReplicaShowsItsTokenWhereItFollowsAndWhereItWrites() throws Exception {
        JwtSigner signer = JwtSigner.ed25519();
        String server = "127.0.0.1:" + Ports.free();
        try (Connection primary = DriverManager.getConnection("jdbc:lockstep:" + directory.resolve("app.db")
                        + "?listen=" + server + "&authJwtKeyFile=" + signer.writePem(directory));
                Connection replica = DriverManager.getConnection("jdbc:lockstep:" + directory.resolve("copy.db")
                        + "?primary=http://" + server + "&authToken=" + signer.sign("{}"));
                Connection remote = DriverManager.getConnection("jdbc:lockstep:http://" + server)) {
            run(replica, "CREATE TABLE t (a)");
            assertThat(ask(replica, "SELECT count(*) FROM t")).isEqualTo("0");
            assertThat(ask(primary, "SELECT count(*) FROM t")).isEqualTo("0");
            assertThatThrownBy(() -> ask(remote, "SELECT count(*) FROM t"))
                    .hasMessageContaining("check option authToken");
        }
    }

    @Test
    void aReplicaWithoutItsFirstCopySaysWhyThereIsNoConnection() throws Exception {
        String url = "jdbc:lockstep:" + directory.resolve("copy.db")
                + "?timeout=100ms&linger=0ms&primary=http://127.0.0.1:" + Ports.free();
        assertThatThrownBy(() -> DriverManager.getConnection(url))
                .isInstanceOf(SQLException.class)
                .hasMessageContaining("first copy was not finished within 100 ms");
    }

    @Test
    void aServerThatHangsUpLeavesItUnknownWhatWasDone() throws Exception {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            CompletableFuture<Void> unused = CompletableFuture.runAsync(() -> {
                try (Socket client = socket.accept()) {
                    assertThat(client.getInputStream().read()).isNotNegative();
                } catch (Exception e) {
                    throw new IllegalStateException(e);
                }
            });
            try (Connection connection =
                    DriverManager.getConnection("jdbc:lockstep:http://127.0.0.1:" + socket.getLocalPort())) {
                assertThatThrownBy(() -> run(connection, "INSERT INTO t VALUES (1)"))
                        .hasMessageContaining("It is unknown whether the statement was executed")
                        .extracting(e -> ((SQLException) e).getSQLState())
                        .isEqualTo("08007");
            }
            unused.join();
        }
    }

    @Test
    void aServerThatDoesNotAnswerIsGivenUpInTime() throws Exception {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                Connection connection = DriverManager.getConnection(
                        "jdbc:lockstep:http://127.0.0.1:" + socket.getLocalPort() + "?timeout=200ms")) {
            assertThatThrownBy(() -> run(connection, "INSERT INTO t VALUES (1)"))
                    .hasMessageContaining("did not answer within")
                    .hasMessageContaining("option timeout");
        }
    }
}
