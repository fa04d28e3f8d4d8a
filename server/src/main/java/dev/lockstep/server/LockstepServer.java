package dev.lockstep.server;

import com.linecorp.armeria.server.Server;
import com.linecorp.armeria.server.ServerBuilder;
import com.linecorp.armeria.server.grpc.GrpcService;
import dev.lockstep.Primary;
import dev.lockstep.UnavailableException;
import dev.lockstep.stream.Origin;
import dev.lockstep.stream.Publication;
import dev.lockstep.stream.SenderOptions;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * Serves databases to replicas, on one port, over HTTP/2 without TLS.
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

    private final List<Hosted> hosted;
    private final ExecutorService sessions;
    private final Server server;

    private LockstepServer(List<Hosted> hosted, ExecutorService sessions, Server server) {
        this.hosted = hosted;
        this.sessions = sessions;
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
            return new Databases(hosted).status("");
        } catch (io.grpc.StatusException impossible) {
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
        hosted.forEach(one -> one.publication().close());
        server.closeAsync()
                .orTimeout(2 * STOP_MILLIS, TimeUnit.MILLISECONDS)
                .handle((done, failure) -> null)
                .join();
        sessions.shutdown();
    }

    /** Describes a server. Not thread-safe. */
    public static final class Builder {

        private record Offer(Origin origin, Supplier<ServerStatus.Capture> capture) {}

        private final List<Offer> offers = new ArrayList<>();
        private InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), DEFAULT_PORT);
        private SenderOptions options = SenderOptions.defaults();
        private long maxRequest = MAX_REQUEST;

        private Builder() {}

        /** Where to listen; by default 127.0.0.1 and {@link #DEFAULT_PORT}. Port 0 takes any that is free. */
        public Builder listen(InetSocketAddress value) {
            address = value;
            return this;
        }

        /** Adds a database. */
        public Builder database(Primary primary) {
            return database(primary, () -> capture(primary));
        }

        private static ServerStatus.Capture capture(Primary primary) {
            Primary.Status status = primary.status();
            return new ServerStatus.Capture(status.state().name(), Objects.requireNonNullElse(status.failure(), ""));
        }

        /** Adds a database that comes from elsewhere than a primary. */
        public Builder database(Origin origin, Supplier<ServerStatus.Capture> capture) {
            offers.add(new Offer(origin, capture));
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
            List<Hosted> hosted = new ArrayList<>();
            boolean started = false;
            try {
                for (Offer offer : offers) {
                    Publication publication = new Publication(offer.origin, options, sessions);
                    hosted.add(new Hosted(publication, offer.capture));
                }
                Server server = server(new Databases(hosted), sessions);
                listen(server);
                started = true;
                return new LockstepServer(List.copyOf(hosted), sessions, server);
            } finally {
                if (!started) {
                    hosted.forEach(one -> one.publication().close());
                    sessions.shutdown();
                }
            }
        }

        private Server server(Databases databases, ExecutorService sessions) {
            ServerBuilder builder = Server.builder()
                    .http(address)
                    .maxRequestLength(maxRequest)
                    .gracefulShutdownTimeoutMillis(0, STOP_MILLIS)
                    .workerGroup(EventLoops.shared(), false);
            builder.service(GrpcService.builder()
                    .addService(new ReplicationService(databases, sessions))
                    .maxRequestMessageLength(MAX_REQUEST_MESSAGE)
                    .build());
            return builder.build();
        }

        private void listen(Server server) throws UnavailableException {
            try {
                server.start().join();
            } catch (CompletionException e) {
                throw new UnavailableException("cannot listen on " + address + ": " + Failures.rootMessage(e)
                        + "; is another server running there?");
            }
        }
    }
}
