package dev.lockstep.jdbc;

import dev.lockstep.Position;
import dev.lockstep.Primary;
import dev.lockstep.UnavailableException;
import dev.lockstep.server.LockstepServer;
import dev.lockstep.server.sql.SqlLimits;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTimeoutException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A primary in this process. */
final class PrimarySource implements Source {

    private static final Logger logger = LoggerFactory.getLogger(PrimarySource.class);

    private final Primary primary;
    private final AutoCloseable[] owned;

    /** @param owned closed with this, in order */
    PrimarySource(Primary primary, AutoCloseable... owned) {
        this.primary = primary;
        this.owned = owned;
    }

    static PrimarySource open(Settings settings) throws SQLException, IOException {
        Primary.Builder builder = Primary.of(settings.path());
        if (!settings.text(Option.NAME).isEmpty()) {
            builder.name(settings.text(Option.NAME));
        }
        InetSocketAddress listen = settings.listen();
        Primary primary = builder.open();
        if (listen == null) {
            return new PrimarySource(primary, primary);
        }
        try {
            LockstepServer.Builder server =
                    LockstepServer.builder().listen(listen).database(primary).sql(SqlLimits.defaults());
            String keys = settings.text(Option.AUTH_JWT_KEY_FILE);
            if (!keys.isEmpty()) {
                server.authJwtKey(Path.of(keys));
            }
            return new PrimarySource(primary, server.start(), primary);
        } catch (IOException | RuntimeException e) {
            primary.close();
            throw e;
        }
    }

    @Override
    public Connection connect(Settings settings, Runnable closed) throws SQLException {
        return new PrimaryConnection(settings, closed);
    }

    @Override
    public void close() {
        for (AutoCloseable one : owned) {
            try {
                one.close();
            } catch (Exception e) {
                logger.warn("{}: could not be closed in order: {}", primary.database(), e.getMessage(), e);
            }
        }
    }

    private final class PrimaryConnection extends SqlConnection {

        private final Duration timeout;
        private final Duration ackTimeout;
        private final PrimaryDB database;

        PrimaryConnection(Settings settings, Runnable closed) throws SQLException {
            super(settings.url(), primary.database().toString(), settings.sqlite(), closed);
            timeout = settings.duration(Option.TIMEOUT);
            ackTimeout = settings.duration(Option.ACK_TIMEOUT);
            database = new PrimaryDB(nativeDatabase(), this::await);
            database.setAcknowledgement(settings.acknowledgement());
            use(database);
        }

        @Override
        void changeReadOnly(boolean on) throws SQLException {
            database.setReadOnly(on);
        }

        @Override
        public void setAcknowledgement(Acknowledgement acknowledgement) throws SQLException {
            checkOpen();
            database.setAcknowledgement(acknowledgement);
        }

        @Override
        public Position position() throws SQLException {
            checkOpen();
            try {
                return primary.awaitCaptured(timeout);
            } catch (UnavailableException e) {
                throw new SQLTimeoutException(e.getMessage(), "57014", e);
            }
        }

        /** A primary reads its own present; so the token only has to be of this history, and not from its future. */
        @Override
        public void awaitPosition(String token) throws SQLException {
            Position here = position();
            Position wanted = Tokens.parse(token, here);
            if (wanted.frameNo() > here.frameNo()) {
                throw new SQLTimeoutException(
                        "waited for " + wanted + ", but this is the primary, and its history ends at " + here
                                + ": it lost what the token's transaction wrote, or was restored from a backup",
                        "57014");
            }
        }

        private void await(Acknowledgement wanted) throws SQLException {
            long deadline = System.nanoTime() + ackTimeout.toNanos();
            Position position;
            try {
                position = primary.awaitCaptured(ackTimeout);
            } catch (UnavailableException e) {
                throw timedOut("it is not captured yet: " + e.getMessage(), null, wanted, false, 0);
            }
            Primary.Acknowledged acknowledged =
                    awaitAcknowledged(position, wanted, Duration.ofNanos(deadline - System.nanoTime()));
            if (!acknowledged.reaches(wanted.replicas())) {
                String known = "it is captured as " + position + ", "
                        + (acknowledged.durable()
                                ? "is on disk in the log, and "
                                : "is not known to be on disk in the log, and ")
                        + acknowledged.replicas() + " replicas have it";
                throw timedOut(known, position, wanted, acknowledged.durable(), acknowledged.replicas());
            }
        }

        private Primary.Acknowledged awaitAcknowledged(Position position, Acknowledgement wanted, Duration time)
                throws SQLException {
            try {
                return primary.awaitAcknowledged(position, wanted.replicas(), time);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw timedOut("the thread was interrupted while it waited", position, wanted, false, 0);
            }
        }

        private AcknowledgementTimeoutException timedOut(
                String known, @Nullable Position position, Acknowledgement wanted, boolean durable, int replicas) {
            return new AcknowledgementTimeoutException(
                    "the transaction is committed, do not repeat it; but ack=" + wanted + " was not reached within "
                            + ackTimeout.toMillis() + " ms (option ackTimeout). Known: " + known
                            + ". Unknown: whether it would survive the loss of this machine",
                    position,
                    wanted,
                    durable,
                    replicas);
        }
    }
}
