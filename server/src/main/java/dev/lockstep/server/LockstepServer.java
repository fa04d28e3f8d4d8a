package dev.lockstep.server;

import com.linecorp.armeria.common.TlsKeyPair;
import com.linecorp.armeria.common.grpc.GrpcSerializationFormats;
import com.linecorp.armeria.server.Server;
import com.linecorp.armeria.server.ServerBuilder;
import com.linecorp.armeria.server.grpc.GrpcService;
import dev.lockstep.Primary;
import dev.lockstep.UnavailableException;
import dev.lockstep.UnsupportedException;
import dev.lockstep.server.auth.Authentication;
import dev.lockstep.server.auth.Rights;
import dev.lockstep.server.auth.Tokens;
import dev.lockstep.server.hrana.Hrana;
import dev.lockstep.server.libsql.LibsqlRoutes;
import dev.lockstep.server.libsql.ProxyService;
import dev.lockstep.server.libsql.ReplicationLogService;
import dev.lockstep.server.libsql.UnknownDatabaseException;
import dev.lockstep.server.sql.SqlLimits;
import dev.lockstep.stream.Origin;
import dev.lockstep.stream.SenderOptions;
import io.grpc.BindableService;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

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

    private static final Logger logger = LoggerFactory.getLogger(LockstepServer.class);

    private final Hosting hosting;
    private final ReplicationLogService libsql;
    private final @Nullable Hrana hrana;
    private final @Nullable ProxyService proxy;
    private final Port port;
    private final @Nullable Port admin;

    private LockstepServer(
            Hosting hosting,
            ReplicationLogService libsql,
            @Nullable Hrana hrana,
            @Nullable ProxyService proxy,
            Port port,
            @Nullable Port admin) {
        this.hosting = hosting;
        this.libsql = libsql;
        this.hrana = hrana;
        this.proxy = proxy;
        this.port = port;
        this.admin = admin;
    }

    public static Builder builder() {
        return new Builder();
    }

    /** The port it listens on. */
    public int port() {
        return port.number();
    }

    /** The port of the admin API, which must have been asked for. */
    public int adminPort() {
        return Objects.requireNonNull(admin, "no admin API").number();
    }

    /** What {@link RemotePrimary#status} tells from afar. */
    public ServerStatus status() {
        try {
            return hosting.databases().status("", Rights.ALL);
        } catch (UnknownDatabaseException impossible) {
            throw new IllegalStateException("all databases are found", impossible);
        }
    }

    static String version() {
        String version = LockstepServer.class.getPackage().getImplementationVersion();
        return version == null ? "development" : version;
    }

    /** Ends the sessions and stops listening. Primaries that were added stay open. */
    @Override
    public void close() {
        CompletableFuture<?> adminStopped = admin == null ? CompletableFuture.completedFuture(null) : admin.stop();
        if (hrana != null) {
            hrana.close();
        }
        if (proxy != null) {
            proxy.close();
        }
        try {
            hosting.close();
        } catch (IOException e) {
            logger.warn("a database could not be closed in order: {}", e.getMessage(), e);
        }
        CompletableFuture.allOf(adminStopped, port.stop()).join();
        libsql.close();
    }

    /** Describes a server. Not thread-safe. */
    public static final class Builder {

        private final List<Consumer<Hosting>> databases = new ArrayList<>();
        private static final int DEFAULT_LIMIT = 1000;

        private record TlsFiles(Path certificates, Path key) {}

        private InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), DEFAULT_PORT);
        private SenderOptions options = SenderOptions.defaults();
        private @Nullable Path directory;
        private int maxDatabases = DEFAULT_LIMIT;
        private @Nullable InetSocketAddress adminAddress;
        private @Nullable TlsFiles tls;
        private @Nullable Path jwtKeys;
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
            databases.add(hosting -> hosting.add(primary));
            return this;
        }

        /** Adds a database that comes from elsewhere than a primary. */
        public Builder database(Origin origin, Supplier<ServerStatus.Capture> capture) {
            Path spool = Path.of(System.getProperty("java.io.tmpdir"));
            databases.add(hosting -> hosting.add(origin, spool, null, capture));
            return this;
        }

        /**
         * A directory of databases that come and go through the admin API; those that are in it are served. Where a request names
         * none, the one named "default" is meant.
         */
        public Builder databaseDirectory(Path value) {
            directory = value;
            return this;
        }

        /**
         * How many databases the directory may have; by default {@value #DEFAULT_LIMIT}. Each that nobody uses costs about a megabyte of
         * memory, 16 descriptors and no thread.
         */
        public Builder maxDatabases(int value) {
            maxDatabases = value;
            return this;
        }

        /** Where to serve the admin API, which needs a {@link #databaseDirectory}. Whoever can connect there may use it. */
        public Builder admin(InetSocketAddress value) {
            adminAddress = value;
            return this;
        }

        /** Serves over TLS only, with a certificate chain and its key, without password, in PEM files. */
        public Builder tls(Path certificates, Path key) {
            tls = new TlsFiles(certificates, key);
            return this;
        }

        /**
         * Asks every client for a token that one of these keys has signed, as libSQL's server does; without this, whoever can connect may
         * do everything. docs/operations.md tells which claims count. The admin API asks for none.
         *
         * @param file public keys of Ed25519, P-256 or RSA as PEM, or one of Ed25519 in URL-safe base64
         */
        public Builder authJwtKey(Path file) {
            jwtKeys = file;
            return this;
        }

        /** Whether Lockstep's own protocol is served beside libSQL's; it is by default. */
        public Builder ownProtocol(boolean on) {
            ownProtocol = on;
            return this;
        }

        /**
         * Lets clients run SQL on the primaries, over Hrana (HTTP and WebSocket) and through libSQL's embedded replicas. Without this
         * they cannot. Whoever reaches the port can then read and write everything, unless {@link #authJwtKey} asks for tokens.
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
         * Refuses what {@link #start} would refuse, for those who want to know before they open databases. Nothing is served, and nothing is
         * changed on disk.
         *
         * @throws UnavailableException if an address is in use or not of this machine
         * @throws UnsupportedException if a certificate or key cannot be used, or there is no key to verify tokens with
         */
        public void check() throws IOException {
            if (adminAddress != null && directory == null) {
                throw new IllegalStateException("the admin API makes databases in a directory; name one");
            }
            authentication();
            listening();
            Port.requireFree(adminAddress == null ? List.of(address) : List.of(address, adminAddress));
        }

        private @Nullable Authentication authentication() throws IOException {
            return jwtKeys == null ? null : Authentication.with(jwtKeys);
        }

        /**
         * Starts to listen.
         *
         * @throws UnavailableException if an address is in use or not of this machine
         * @throws UnsupportedException if a certificate or key cannot be used, or there is no key to verify tokens with
         */
        public LockstepServer start() throws IOException {
            check(); // before databases of the directory are opened
            Authentication authentication = authentication();
            DatabaseDirectory opened = directory == null ? null : DatabaseDirectory.open(directory, maxDatabases);
            Hosting hosting = new Hosting(options, sql, opened);
            ReplicationLogService libsql = new ReplicationLogService(
                    (request, rights) ->
                            hosting.databases().find(request, rights).libsql(),
                    hosting.sessions());
            Hrana hrana = sql == null
                    ? null
                    : Hrana.of(
                            hosting.databases()::findSql,
                            authentication == null ? Tokens.UNASKED : authentication,
                            EventLoops.servers().next());
            ProxyService proxy =
                    sql == null ? null : new ProxyService(hosting.databases()::findSql, hosting.sessions());
            Port port = null;
            boolean started = false;
            try {
                databases.forEach(database -> database.accept(hosting));
                port = listen(server(hosting, libsql, hrana, proxy, authentication), address);
                Port admin = adminAddress == null ? null : listen(adminServer(hosting, adminAddress), adminAddress);
                started = true;
                return new LockstepServer(hosting, libsql, hrana, proxy, port, admin);
            } finally {
                if (!started) {
                    if (hrana != null) {
                        hrana.close();
                    }
                    if (proxy != null) {
                        proxy.close();
                    }
                    if (port != null) {
                        port.stop().join();
                    }
                    libsql.close();
                    hosting.close();
                }
            }
        }

        private static ServerBuilder adminServer(Hosting hosting, InetSocketAddress address) {
            ServerBuilder builder = Server.builder().http(address);
            new AdminService(hosting.sessions()).addTo(builder, hosting);
            return builder;
        }

        private ServerBuilder listening() throws UnsupportedException {
            TlsFiles files = tls;
            if (files == null) {
                return Server.builder().http(address);
            }
            try {
                return Server.builder()
                        .https(address)
                        .tls(TlsKeyPair.of(files.key.toFile(), files.certificates.toFile()));
            } catch (RuntimeException e) {
                throw new UnsupportedException("the certificate " + files.certificates + " with the key " + files.key
                        + " cannot be used: " + Failures.rootMessage(e)
                        + "; both are PEM files, the key is without password and belongs to the first certificate");
            }
        }

        private ServerBuilder server(
                Hosting hosting,
                ReplicationLogService libsql,
                @Nullable Hrana hrana,
                @Nullable ProxyService proxy,
                @Nullable Authentication authentication)
                throws UnsupportedException {
            ServerBuilder builder = listening().maxRequestLength(maxRequest);
            if (authentication != null) {
                builder.decorator(authentication);
            }
            if (ownProtocol) {
                builder.service(
                        grpc(new ReplicationService(hosting.databases(), hosting.sessions()), MAX_REQUEST_MESSAGE));
            }
            LibsqlRoutes.addProbe(builder);
            LibsqlRoutes.add(builder, grpc(libsql, MAX_REQUEST_MESSAGE));
            if (proxy != null) {
                LibsqlRoutes.addUnlimited(builder, grpc(proxy, ProxyService.MAX_REQUEST));
            }
            if (hrana != null) {
                hrana.addTo(builder, version());
            }
            return builder;
        }

        /** Protobuf only: for JSON, Armeria would generate classes for each message when it starts. */
        private static GrpcService grpc(BindableService service, int maxMessage) {
            return GrpcService.builder()
                    .addService(service)
                    .maxRequestMessageLength(maxMessage)
                    .supportedSerializationFormats(
                            GrpcSerializationFormats.PROTO,
                            GrpcSerializationFormats.PROTO_WEB,
                            GrpcSerializationFormats.PROTO_WEB_TEXT)
                    .build();
        }

        private static Port listen(ServerBuilder server, InetSocketAddress address) throws UnavailableException {
            Port port = new Port(server);
            port.listen(address);
            return port;
        }
    }
}
