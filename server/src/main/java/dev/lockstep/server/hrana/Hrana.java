package dev.lockstep.server.hrana;

import com.linecorp.armeria.common.HttpMethod;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.Route;
import com.linecorp.armeria.server.ServerBuilder;
import dev.lockstep.server.auth.Tokens;
import dev.lockstep.server.libsql.Lookup;
import dev.lockstep.server.libsql.RequestedDatabase;
import dev.lockstep.server.sql.SqlGrant;
import java.util.concurrent.ScheduledExecutorService;

/**
 * SQL over the network: Hrana over HTTP and WebSocket on a server's port, for each database at the root and below its name.
 *
 * <p>Thread-safe.
 */
public final class Hrana implements AutoCloseable {

    /** A path that begins with a database's name. */
    static final String UNDER_NAME = "/{" + RequestedDatabase.PATH_PARAMETER + "}";

    /** Until a request has come in whole; how long SQL may take is for the database to say. */
    private static final long RECEIVE_MILLIS = 60_000;

    private final Limits limits;
    private final Workers workers;
    private final OpenStreams open;
    private final HttpStreams streams;
    private final HttpRequests requests;
    private final WebSockets webSockets;

    private Hrana(Lookup<SqlGrant> databases, Tokens tokens, ScheduledExecutorService timer, Limits limits) {
        this.limits = limits;
        workers = new Workers(limits);
        open = new OpenStreams(limits.streams());
        streams = new HttpStreams(limits, open, workers, timer);
        Memory memory = new Memory(limits.memory());
        requests = new HttpRequests(databases, memory, workers);
        webSockets = new WebSockets(databases, tokens, new WebSockets.Shared(memory, workers, open, limits));
    }

    /**
     * @param tokens that come in the hello of a WebSocket; those of HTTP requests are looked at before
     * @param timer its tasks are short
     */
    public static Hrana of(Lookup<SqlGrant> databases, Tokens tokens, ScheduledExecutorService timer) {
        return new Hrana(databases, tokens, timer, Limits.defaults());
    }

    static Hrana of(Lookup<SqlGrant> databases, ScheduledExecutorService timer, Limits limits) {
        return new Hrana(databases, Tokens.UNASKED, timer, limits);
    }

    /** Puts the endpoints into a server that is being built. */
    public void addTo(ServerBuilder server, String version) {
        JsonCodec json = new JsonCodec();
        ProtobufCodec protobuf = new ProtobufCodec();
        post(server, "/", new VersionZeroService(requests, streams)::query);
        VersionOneService one = new VersionOneService(requests, streams, json);
        post(server, "/v1/execute", one::execute);
        post(server, "/v1/batch", one::batch);
        PipelineService inJson = new PipelineService(requests, streams, json, limits);
        PipelineService inProtobuf = new PipelineService(requests, streams, protobuf, limits);
        post(server, "/v2/pipeline", inJson::pipeline);
        post(server, "/v3/pipeline", inJson::pipeline);
        post(server, "/v3/cursor", inJson::cursor);
        post(server, "/v3-protobuf/pipeline", inProtobuf::pipeline);
        post(server, "/v3-protobuf/cursor", inProtobuf::cursor);
        for (String protocol : new String[] {"/v1", "/v2", "/v3", "/v3-protobuf"}) {
            text(server, protocol, "Hrana over HTTP, " + protocol.substring(1) + "\n");
            text(server, UNDER_NAME + protocol, "Hrana over HTTP, " + protocol.substring(1) + "\n");
        }
        text(server, "/version", "lockstep " + version + "\n");
        text(server, "/health", "");
        webSockets.addTo(server);
    }

    private void post(ServerBuilder server, String path, HttpService service) {
        for (String full : new String[] {path, path.equals("/") ? UNDER_NAME : UNDER_NAME + path}) {
            server.route()
                    .post(full)
                    .maxRequestLength(limits.requestBytes())
                    .requestTimeoutMillis(RECEIVE_MILLIS)
                    .errorHandler(new JsonErrors(limits.requestBytes()))
                    .build(service);
        }
    }

    private static void text(ServerBuilder server, String path, String text) {
        server.service(
                Route.builder().path(path).methods(HttpMethod.GET).build(),
                (ctx, request) -> HttpResponse.of(HttpStatus.OK, MediaType.PLAIN_TEXT_UTF_8, text));
    }

    /** Streams that are open now. */
    public int openStreams() {
        return open.count();
    }

    /** Ends all streams and rolls back what was not committed. */
    @Override
    public void close() {
        webSockets.close();
        streams.close();
        workers.close();
    }
}
