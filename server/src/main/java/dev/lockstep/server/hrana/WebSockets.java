package dev.lockstep.server.hrana;

import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.HttpMethod;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.common.websocket.WebSocket;
import com.linecorp.armeria.common.websocket.WebSocketWriter;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.ServerBuilder;
import com.linecorp.armeria.server.ServiceRequestContext;
import com.linecorp.armeria.server.websocket.WebSocketService;
import dev.lockstep.server.auth.AuthException;
import dev.lockstep.server.auth.Rights;
import dev.lockstep.server.auth.Tokens;
import dev.lockstep.server.libsql.Lookup;
import dev.lockstep.server.libsql.RequestedDatabase;
import dev.lockstep.server.sql.SqlGrant;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Hrana over WebSocket: agrees on a subprotocol and starts a connection. Thread-safe. */
final class WebSockets implements AutoCloseable {

    private static final long STOP_MILLIS = 2_000;
    private static final String PROTOBUF = "hrana3-protobuf";
    private static final List<String> SUBPROTOCOLS = List.of("hrana3", PROTOBUF, "hrana2", "hrana1");

    /** What all connections share. */
    record Shared(Memory memory, Workers workers, OpenStreams open, Limits limits) {}

    private final Lookup<SqlGrant> databases;
    private final Tokens tokens;
    private final Shared shared;
    private final Set<WebSocketConnection> connections = ConcurrentHashMap.newKeySet();

    WebSockets(Lookup<SqlGrant> databases, Tokens tokens, Shared shared) {
        this.databases = databases;
        this.tokens = tokens;
        this.shared = shared;
    }

    void addTo(ServerBuilder server) {
        WebSocketService service = WebSocketService.builder(this::connect)
                .subprotocols(SUBPROTOCOLS)
                .maxFramePayloadLength(shared.limits().requestBytes())
                // Programs send no Origin; check() looks at those of browsers.
                .allowedOrigins("*")
                .fallbackService((ctx, request) ->
                        HttpResponse.of(HttpStatus.OK, MediaType.PLAIN_TEXT_UTF_8, "Lockstep; Hrana over WebSocket\n"))
                .build();
        // The last one because over HTTP libSQL's client loses a name without a slash behind it.
        for (String path : new String[] {"/", Hrana.UNDER_NAME, Hrana.UNDER_NAME + "/"}) {
            server.route()
                    .path(path)
                    .methods(HttpMethod.GET, HttpMethod.CONNECT)
                    .decorator(this::check)
                    .build(service);
        }
    }

    private HttpResponse check(HttpService delegate, ServiceRequestContext ctx, HttpRequest request) throws Exception {
        if (request.headers().contains(HttpHeaderNames.SEC_WEBSOCKET_VERSION)) {
            try {
                HttpRequests.requireSameOrigin(request.headers());
                subprotocol(request);
            } catch (RequestFailure e) {
                return e.toResponse();
            }
            return delegate.serve(ctx, request.mapData(new WholeHeaders()));
        }
        return delegate.serve(ctx, request);
    }

    /** The first offered that is known here, as the handshake answers; without an offer it is version 1. */
    private static String subprotocol(HttpRequest request) throws RequestFailure {
        String offered = request.headers().get(HttpHeaderNames.SEC_WEBSOCKET_PROTOCOL, "");
        if (offered.isBlank()) {
            return "hrana1";
        }
        return Arrays.stream(offered.split(","))
                .map(String::trim)
                .filter(SUBPROTOCOLS::contains)
                .findFirst()
                .orElseThrow(() -> new RequestFailure(
                        HttpStatus.BAD_REQUEST,
                        "UNKNOWN_SUBPROTOCOL",
                        "of the subprotocols offered, " + offered + ", none is known; there are "
                                + String.join(", ", SUBPROTOCOLS)));
    }

    private WebSocket connect(ServiceRequestContext ctx, WebSocket incoming) {
        RequestedDatabase requested = RequestedDatabase.of(ctx);
        WebSocketWriter outgoing = WebSocket.streaming();
        try {
            boolean protobuf = PROTOBUF.equals(subprotocol(ctx.request()));
            WebSocketConnection connection = new WebSocketConnection(
                    ctx.eventLoop(),
                    outgoing,
                    protobuf ? new ProtobufCodec() : new JsonCodec(),
                    protobuf,
                    jwt -> HttpRequests.find(databases, requested, rights(jwt)),
                    shared);
            connections.add(connection);
            connection.start(() -> connections.remove(connection));
            incoming.subscribe(connection, ctx.eventLoop());
        } catch (RequestFailure e) {
            outgoing.close(e);
        }
        return outgoing;
    }

    private Rights rights(@Nullable String jwt) throws RequestFailure {
        try {
            return tokens.rights(jwt);
        } catch (AuthException e) {
            throw new RequestFailure(HttpStatus.UNAUTHORIZED, e.code(), e.getMessage());
        }
    }

    @Override
    public void close() {
        CompletableFuture<?>[] gone =
                connections.stream().map(WebSocketConnection::goAway).toArray(CompletableFuture[]::new);
        CompletableFuture.allOf(gone)
                .orTimeout(STOP_MILLIS, TimeUnit.MILLISECONDS)
                .handle((done, failure) -> null)
                .join();
    }
}
