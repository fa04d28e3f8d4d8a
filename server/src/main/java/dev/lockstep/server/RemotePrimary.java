package dev.lockstep.server;

import com.linecorp.armeria.client.ClientFactory;
import com.linecorp.armeria.client.ClientFactoryBuilder;
import com.linecorp.armeria.client.grpc.GrpcClientBuilder;
import com.linecorp.armeria.client.grpc.GrpcClients;
import com.linecorp.armeria.common.HttpHeaderNames;
import dev.lockstep.server.libsql.PrimaryUrl;
import dev.lockstep.server.v1.Proto;
import dev.lockstep.server.v1.ReplicationGrpc.ReplicationBlockingStub;
import dev.lockstep.server.v1.ReplicationGrpc.ReplicationStub;
import dev.lockstep.stream.SenderOptions;
import dev.lockstep.stream.Upstream;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * A primary that is reached over the network: {@code http://HOST:PORT[/NAME]} or {@code https://...}. The name may be left out when the server has one
 * database only. Each session has a connection of its own, so that a replica that stops reading holds up no other.
 *
 * <p>Thread-safe.
 */
public final class RemotePrimary implements Upstream, AutoCloseable {

    /** A message's frames or pages and what comes with them: commit records at most 1 for each frame of 536 bytes. */
    private static final int MAX_MESSAGE = 2 * SenderOptions.MAX_MESSAGE_BYTES;

    /** Read ahead of the replica by the network layer, on top of the messages that a connection holds. */
    private static final int STREAM_WINDOW = 2 << 20;

    private final String address;
    private final String database;
    private final boolean compression;
    private final ClientFactory factory;
    private final ReplicationStub following;
    private final ReplicationBlockingStub asking;
    private final Set<RemoteConnection> connections = ConcurrentHashMap.newKeySet();

    private RemotePrimary(Builder builder) {
        this.address = builder.url.toString();
        this.database = builder.url.name();
        this.compression = builder.compression;
        this.factory = trusting(builder.authorities)
                .connectTimeout(builder.connectTimeout)
                .maxNumRequestsPerConnection(1) // one that died without a word must not get the next session, too
                .http2InitialStreamWindowSize(STREAM_WINDOW)
                .http2InitialConnectionWindowSize(STREAM_WINDOW)
                .http2MaxFrameSize(EventLoops.HTTP2_FRAME)
                .workerGroup(EventLoops.clients(), false)
                .build();
        this.following = client(builder)
                .responseTimeoutMillis(0)
                .enableUnsafeWrapResponseBuffers(true)
                .build(ReplicationStub.class);
        this.asking = client(builder)
                .responseTimeout(builder.connectTimeout.plus(builder.connectTimeout))
                .build(ReplicationBlockingStub.class);
    }

    private static ClientFactoryBuilder trusting(@Nullable Path authorities) {
        ClientFactoryBuilder builder = ClientFactory.builder();
        return authorities == null
                ? builder
                : builder.tlsCustomizer(context -> context.trustManager(authorities.toFile()));
    }

    private GrpcClientBuilder client(Builder builder) {
        GrpcClientBuilder client = GrpcClients.builder(builder.url.grpc())
                .factory(factory)
                .maxResponseLength(0)
                .maxResponseMessageLength(MAX_MESSAGE);
        if (builder.authToken != null) {
            client.addHeader(HttpHeaderNames.AUTHORIZATION, "Bearer " + builder.authToken);
        }
        return client;
    }

    /** @throws IllegalArgumentException if it is no URL of the form {@code http://HOST:PORT[/NAME]} or {@code https://...} */
    public static RemotePrimary of(String url) {
        return builder(url).build();
    }

    /** @throws IllegalArgumentException if it is no URL of the form {@code http://HOST:PORT[/NAME]} or {@code https://...} */
    public static Builder builder(String url) {
        return new Builder(url);
    }

    @Override
    public String address() {
        return address;
    }

    @Override
    public Connection connect() {
        RemoteConnection connection = new RemoteConnection(address, database, compression);
        following.follow(connection);
        connections.add(connection);
        var unused = connection.over().whenComplete((ok, late) -> connections.remove(connection));
        return connection;
    }

    /**
     * Asks the server about its databases, or the one that the URL names.
     *
     * @throws dev.lockstep.UnavailableException if it cannot be reached
     * @throws dev.lockstep.UnsupportedException if there is no such database, or it is no Lockstep server
     */
    public ServerStatus status() throws IOException {
        try {
            return StatusCodec.decode(asking.status(
                    Proto.StatusRequest.newBuilder().setDatabase(database).build()));
        } catch (StatusRuntimeException e) {
            throw Failures.translate(e, address);
        }
    }

    /** Waits, some seconds at most, for the primary to take what a replica that was closed before has told it of a refusal. */
    @Override
    public void close() {
        connections.forEach(RemoteConnection::awaitTold);
        factory.close();
    }

    /** Describes a way to a primary. Not thread-safe. */
    public static final class Builder {

        private final PrimaryUrl url;
        private boolean compression;
        private @Nullable Path authorities;
        private @Nullable String authToken;
        private Duration connectTimeout = Duration.ofSeconds(5);

        private Builder(String text) {
            this.url = PrimaryUrl.parse(text, "");
        }

        /** Whether frames and pages come compressed: for slow networks. Off by default. */
        public Builder compression(boolean value) {
            compression = value;
            return this;
        }

        /** The authorities whose certificates are trusted, in a PEM file; null for those that the JVM trusts. */
        public Builder trust(@Nullable Path value) {
            authorities = value;
            return this;
        }

        /** What shows the primary who asks, where it wants to know; null or empty for nothing. It goes in the clear unless the URL says https. */
        public Builder authToken(@Nullable String value) {
            authToken = value == null || value.isEmpty() ? null : value;
            return this;
        }

        /** How long to wait for a connection; by default 5 s. */
        public Builder connectTimeout(Duration value) {
            connectTimeout = value;
            return this;
        }

        public RemotePrimary build() {
            return new RemotePrimary(this);
        }
    }
}
