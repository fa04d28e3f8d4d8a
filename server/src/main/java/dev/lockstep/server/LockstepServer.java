package dev.lockstep.server;

import com.linecorp.armeria.server.Server;
import com.linecorp.armeria.server.ServerBuilder;
import com.linecorp.armeria.server.grpc.GrpcService;
import dev.lockstep.Primary;
import dev.lockstep.UnavailableException;
import dev.lockstep.server.hrana.Hrana;
import dev.lockstep.server.libsql.LibsqlDatabase;
import dev.lockstep.server.libsql.LibsqlRoutes;
import dev.lockstep.server.libsql.ReplicationLogService;
import dev.lockstep.server.libsql.UnknownDatabaseException;
import dev.lockstep.server.sql.SqlDatabase;
import dev.lockstep.server.sql.SqlLimits;
import dev.lockstep.stream.Origin;
import dev.lockstep.stream.Publication;
import dev.lockstep.stream.SenderOptions;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Serves databases to replicas, on one port: Lockstep's own over HTTP/2, libSQL's over HTTP/2 and HTTP/1.1.
 *
 * <pre>{@code
 * try (Primary primary = Primary.of(Path.of("app.db")).open();
 *         LockstepServer server = LockstepServer.builder().database(primary).start()) {
 *     ...
 * }
 * }</pre>
 *
 * Event loops only move bytes; what reads files runs on threads of the sessions that are at work, no more than there are replicas.
 *
 * <p>Thread-safe.
 */
public final class LockstepServer implements AutoCloseable {

    /** The port that is used when none is named. */
    public static final int DEFAULT_PORT = 7878;

    /** A replica's messages are small; more than this is not one. */
    private static final int MAX_REQUEST_MESSAGE = 64 << 10;

    /** For those HTTP requests that are not sessions. */
    private static final long MAX_REQUEST = 1 << 20;

    private static final long STOP_MILLIS = 2_000;

    private final Databases databases;
    private final ExecutorService sessions;
    private final ReplicationLogService libsql;
    private final @Nullable Hrana hrana;
    private final Server server;

    private LockstepServer(
            Databases databases,
            ExecutorService sessions,
            ReplicationLogService libsql,
            @Nullable Hrana hrana,
            Server server) {
        this.databases = databases;
        this.sessions = sessions;
        this.libsql = libsql;
        this.hrana = hrana;
        this.server = server;
    }

    public static Builder builder() {
        return new Builder();
    }

    /** The port it listens on. */
    public int port() {
        return server.activeLocalPort();
    }

    /** What {@link RemotePrimary#status} tells from afar. */
    public ServerStatus status() {
        try {
            return databases.status("");
        } catch (UnknownDatabaseException impossible) {
            throw new IllegalStateException("all databases are found", impossible);
        }
    }

    static String version() {
        String version = LockstepServer.class.getPackage().getImplementationVersion();
        return version == null ? "development" : version;
    }

    /** Ends the sessions and stops listening. The primaries stay open. */
    @Override
    public void close() {
        if (hrana != null) {
            hrana.close();
        }
        databases.all().forEach(Hosted::close);
        server.closeAsync()
                .orTimeout(2 * STOP_MILLIS, TimeUnit.MILLISECONDS)
                .handle((done, failure) -> null)
                .join();
        libsql.close();
        sessions.shutdown();
    }

    /** Describes a server. Not thread-safe. */
    public static final class Builder {

        private record Offer(
                Origin origin,
                Path spoolDirectory,
                Supplier<ServerStatus.Capture> capture,
                @Nullable Primary primary) {}

        private final List<Offer> offers = new ArrayList<>();
        private InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), DEFAULT_PORT);
        private SenderOptions options = SenderOptions.defaults();
        private boolean ownProtocol = true;
        private @Nullable SqlLimits sql;
        private long maxRequest = MAX_REQUEST;

        private Builder() {}

        /** Where to listen; by default 127.0.0.1 and {@link #DEFAULT_PORT}. Port 0 takes any that is free. */
        public Builder listen(InetSocketAddress value) {
            address = value;
            return this;
        }

        /** Adds a database. */
        public Builder database(Primary primary) {
            offers.add(new Offer(primary, primary.dataDirectory(), () -> capture(primary), primary));
            return this;
        }

        private static ServerStatus.Capture capture(Primary primary) {
            Primary.Status status = primary.status();
            return new ServerStatus.Capture(status.state().name(), Objects.requireNonNullElse(status.failure(), ""));
        }

        /** Adds a database that comes from elsewhere than a primary. */
        public Builder database(Origin origin, Supplier<ServerStatus.Capture> capture) {
            offers.add(new Offer(origin, Path.of(System.getProperty("java.io.tmpdir")), capture, null));
            return this;
        }

        /** Whether Lockstep's own protocol is served beside libSQL's; it is by default. */
        public Builder ownProtocol(boolean on) {
            ownProtocol = on;
            return this;
        }

        /**
         * Lets clients run SQL on the primaries, over Hrana (HTTP and WebSocket). Without this they cannot. Whoever reaches the
         * port can then read and write everything.
         */
        public Builder sql(SqlLimits limits) {
            sql = limits;
            return this;
        }

        /** How replicas are served. */
        public Builder sender(SenderOptions value) {
            options = value;
            return this;
        }

        /** For tests: the most that an HTTP request which is no session may hold. */
        Builder maxRequest(long bytes) {
            maxRequest = bytes;
            return this;
        }

        /**
         * Starts to listen.
         *
         * @throws UnavailableException if the address is in use or not of this machine
         */
        public LockstepServer start() throws IOException {
            AtomicInteger threads = new AtomicInteger();
            ExecutorService sessions = Executors.newCachedThreadPool(task -> {
                Thread thread = new Thread(task, "lockstep-session-" + threads.incrementAndGet());
                thread.setDaemon(true);
                return thread;
            });
            Databases databases = new Databases(true);
            ReplicationLogService libsql =
                    new ReplicationLogService(request -> databases.find(request).libsql(), sessions);
            Hrana hrana = sql == null
                    ? null
                    : Hrana.of(databases::findSql, EventLoops.shared().next());
            boolean started = false;
            try {
                for (Offer offer : offers) {
                    databases.add(host(offer, sessions));
                }
                Server server = server(databases, sessions, libsql, hrana);
                listen(server);
                started = true;
                return new LockstepServer(databases, sessions, libsql, hrana, server);
            } finally {
                if (!started) {
                    if (hrana != null) {
                        hrana.close();
                    }
                    databases.all().forEach(Hosted::close);
                    libsql.close();
                    sessions.shutdown();
                }
            }
        }

        private Hosted host(Offer offer, ExecutorService sessions) {
            return new Hosted(
                    new Publication(offer.origin, options, sessions),
                    new LibsqlDatabase(offer.origin, offer.spoolDirectory),
                    sql == null || offer.primary == null ? null : SqlDatabase.of(offer.primary, sql),
                    offer.capture);
        }

        private Server server(
                Databases databases, ExecutorService sessions, ReplicationLogService libsql, @Nullable Hrana hrana) {
            ServerBuilder builder = Server.builder()
                    .http(address)
                    .maxRequestLength(maxRequest)
                    .gracefulShutdownTimeoutMillis(0, STOP_MILLIS)
                    .workerGroup(EventLoops.shared(), false);
            if (ownProtocol) {
                builder.service(GrpcService.builder()
                        .addService(new ReplicationService(databases, sessions))
                        .maxRequestMessageLength(MAX_REQUEST_MESSAGE)
                        .build());
            }
            GrpcService grpc = GrpcService.builder()
                    .addService(libsql)
                    .maxRequestMessageLength(MAX_REQUEST_MESSAGE)
                    .build();
            LibsqlRoutes.add(builder, grpc);
            if (hrana != null) {
                hrana.addTo(builder, version());
            }
            return builder.build();
        }

        private void listen(Server server) throws UnavailableException {
            try {
                server.start().join();
            } catch (CompletionException e) {
                throw Failures.ofListening(address, e);
            }
        }
    }
}
