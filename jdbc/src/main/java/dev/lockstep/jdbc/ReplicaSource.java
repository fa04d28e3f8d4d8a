package dev.lockstep.jdbc;

import dev.lockstep.Position;
import dev.lockstep.Replica;
import dev.lockstep.server.RemotePrimary;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLNonTransientConnectionException;
import java.sql.SQLTimeoutException;
import java.sql.SQLTransientConnectionException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** A replica in this process, whose primary executes the writes. */
final class ReplicaSource implements Source {

    private final Replica replica;
    private final HranaServer server;
    private final Runnable ending;

    ReplicaSource(Replica replica, HranaServer server, Runnable ending) {
        this.replica = replica;
        this.server = server;
        this.ending = ending;
    }

    static ReplicaSource open(Settings settings) throws SQLException, IOException {
        HranaServer server = new HranaServer(settings);
        RemotePrimary primary;
        try {
            primary = RemotePrimary.builder(server.address())
                    .authToken(settings.text(Option.AUTH_TOKEN))
                    .build();
        } catch (IllegalArgumentException e) {
            throw new SQLNonTransientConnectionException(String.valueOf(e.getMessage()), "08001", e);
        }
        try {
            Replica.Builder builder = Replica.of(settings.path(), primary);
            if (!settings.text(Option.NAME).isEmpty()) {
                builder.name(settings.text(Option.NAME));
            }
            Replica replica = builder.open();
            return new ReplicaSource(replica, server, () -> {
                replica.close();
                primary.close();
            });
        } catch (IOException | RuntimeException e) {
            primary.close();
            throw e;
        }
    }

    @Override
    public Connection connect(Settings settings, Runnable closed) throws SQLException {
        Reads reads = new Reads(settings);
        reads.awaitFirstCopy();
        return new RoutedConnection(
                settings.url(),
                replica.database().toString(),
                SqlConnection.readOnly(settings.sqlite()),
                server,
                reads,
                closed) {
            @Override
            public Position position() throws SQLException {
                return reads.position();
            }

            @Override
            public void awaitPosition(String token) throws SQLException {
                reads.awaitToken(token);
            }
        };
    }

    @Override
    public void close() {
        ending.run();
    }

    /** The replica as one connection sees it. */
    private final class Reads implements LocalReads {

        private final Duration timeout;
        private final @Nullable Duration maxLag;
        private final Settings.WhenStale whenStale;

        Reads(Settings settings) throws SQLException {
            this.timeout = settings.duration(Option.TIMEOUT);
            this.maxLag = settings.maxLag();
            this.whenStale = settings.whenStale();
        }

        @Override
        public boolean mayRead(boolean orPrimary) throws SQLException {
            if (maxLag == null) {
                return true;
            }
            Duration lag = replica.lag();
            if (lag != null && lag.compareTo(maxLag) <= 0) {
                return true;
            }
            if (whenStale == Settings.WhenStale.PRIMARY && orPrimary) {
                return false;
            }
            if (whenStale != Settings.WhenStale.REFUSE && await(() -> replica.awaitLag(maxLag, timeout))) {
                return true;
            }
            throw new SQLTransientConnectionException(
                    state() + ", and "
                            + (lag == null ? "never yet" : lag.toMillis() + " ms ago")
                            + " had everything that the primary had; maxLag allows " + maxLag.toMillis() + " ms"
                            + (whenStale == Settings.WhenStale.REFUSE
                                    ? " (whenStale=refuse)"
                                    : ", and waiting " + timeout.toMillis() + " ms did not help (option timeout)"),
                    "57014");
        }

        @Override
        public void requireFollowing() throws SQLException {
            Exception refusal = replica.refusal();
            if (refusal != null) {
                throw new SQLNonTransientConnectionException(
                        state()
                                + " for good, so what was written would never be readable here; nothing was sent to the primary. "
                                + refusal.getMessage(),
                        "25006",
                        refusal);
            }
        }

        @Override
        public void awaitOwnWrite(long frameNo) throws SQLException {
            if (!await(() -> replica.awaitFrame(frameNo, timeout))) {
                throw new SQLTimeoutException(
                        "the write is committed on " + server.address() + " as frame " + frameNo
                                + ", do not repeat it; but "
                                + state() + " and did not get there within " + timeout.toMillis()
                                + " ms (option timeout), so it is not readable here yet",
                        "57014");
            }
        }

        void awaitFirstCopy() throws SQLException {
            if (replica.status().position() == null && !await(() -> replica.awaitFrame(-1, timeout))) {
                throw new SQLTransientConnectionException(
                        state() + "; its first copy was not finished within " + timeout.toMillis()
                                + " ms (option timeout). It goes on while a connection or data source is open",
                        "08001",
                        replica.refusal());
            }
        }

        Position position() throws SQLException {
            Position position = replica.status().position();
            if (position == null) {
                throw new SQLTransientConnectionException(state() + ", and has no position yet", "08001");
            }
            return position;
        }

        void awaitToken(String token) throws SQLException {
            Position wanted = Tokens.parse(token, position());
            if (!await(() -> replica.awaitFrame(wanted.frameNo(), timeout))) {
                throw new SQLTimeoutException(
                        "waited " + timeout.toMillis() + " ms (option timeout) for " + wanted + ", but " + state(),
                        "57014");
            }
        }

        private String state() {
            Replica.Status status = replica.status();
            Position at = status.position();
            return "replica " + replica.database() + " is " + status.state()
                    + (at == null ? " with nothing yet" : " at frame " + at.frameNo())
                    + " of " + status.head()
                    + (status.problem() == null ? "" : " (" + status.problem() + ")");
        }
    }

    private interface Condition {
        boolean await() throws InterruptedException;
    }

    private static boolean await(Condition condition) throws SQLException {
        try {
            return condition.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new SQLException("the thread was interrupted while it waited for the replica", "57014", e);
        }
    }
}
