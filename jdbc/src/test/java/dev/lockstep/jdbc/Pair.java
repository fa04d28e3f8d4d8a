package dev.lockstep.jdbc;

import dev.lockstep.LocalUpstream;
import dev.lockstep.Primary;
import dev.lockstep.Replica;
import dev.lockstep.server.LockstepServer;
import dev.lockstep.server.sql.SqlLimits;
import dev.lockstep.stream.ToReplica;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;
import java.util.concurrent.locks.ReentrantLock;

/** A primary that is served for SQL, and a replica of it whose frames can be held up or replaced on their way. */
final class Pair implements AutoCloseable {

    private final ReentrantLock way = new ReentrantLock();
    private final Primary primary;
    private final LocalUpstream upstream;
    private final Replica replica;
    private final int port;
    private LockstepServer server;

    Pair(Path directory) throws IOException {
        primary = Primary.of(directory.resolve("app.db")).open();
        server = serve(0);
        port = server.port();
        upstream = new LocalUpstream(primary);
        upstream.through(this::pass);
        replica = Replica.of(directory.resolve("copy.db"), upstream).open();
    }

    private LockstepServer serve(int onPort) throws IOException {
        return LockstepServer.builder()
                .listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), onPort))
                .database(primary)
                .sql(SqlLimits.defaults())
                .start();
    }

    private ToReplica pass(ToReplica message) {
        way.lock();
        try {
            return message;
        } finally {
            way.unlock();
        }
    }

    Primary primary() {
        return primary;
    }

    Replica replica() {
        return replica;
    }

    String url() {
        return "http://127.0.0.1:" + port;
    }

    /** Nothing reaches the replica until {@link #release}, by the same thread. */
    void hold() {
        way.lock();
    }

    void release() {
        way.unlock();
    }

    /** The replica is told that its history is another. */
    void diverge() {
        upstream.through(
                message -> new ToReplica.Refused(ToReplica.Refused.Reason.DIVERGED, "a", "b", "the histories differ"));
    }

    /** The server of the primary cannot be reached until {@link #restartServer}. */
    void stopServer() {
        server.close();
    }

    void restartServer() throws IOException {
        server = serve(port);
    }

    /** A connection of the replica. */
    Connection connect(String... options) throws SQLException {
        return LockstepDataSource.of(replica, url(), properties(options)).getConnection();
    }

    /** A connection of the primary, in this process. */
    Connection connectPrimary(String... options) throws SQLException {
        return LockstepDataSource.of(primary, properties(options)).getConnection();
    }

    private static Properties properties(String... options) {
        Properties properties = new Properties();
        for (String option : options) {
            int equals = option.indexOf('=');
            properties.setProperty(option.substring(0, equals), option.substring(equals + 1));
        }
        return properties;
    }

    static void run(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** The first value of the first row. */
    static String ask(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return String.valueOf(rows.getString(1));
        }
    }

    @Override
    public void close() throws IOException {
        if (way.isHeldByCurrentThread()) {
            release();
        }
        replica.close();
        upstream.close();
        server.close();
        primary.close();
    }
}
