package dev.lockstep.server.hrana;

import com.linecorp.armeria.common.ContentTooLargeException;
import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.RequestHeaders;
import com.linecorp.armeria.server.ServiceRequestContext;
import dev.lockstep.server.auth.Rights;
import dev.lockstep.server.libsql.Lookup;
import dev.lockstep.server.libsql.RequestedDatabase;
import dev.lockstep.server.libsql.UnknownDatabaseException;
import dev.lockstep.server.sql.SqlFailure;
import dev.lockstep.server.sql.SqlGrant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.regex.Pattern;

/** What all POST requests have in common: who may ask, which database is meant, receiving the body. Thread-safe. */
final class HttpRequests {

    /** Larger bodies are not decoded on an event loop. */
    private static final int SMALL = 64 << 10;

    /** localhost, or an IP address; and a port. */
    private static final Pattern ADDRESS = Pattern.compile("(localhost|[0-9.]+|\\[[0-9a-fA-F:.]+])(:[0-9]+)?");

    /** What a decoded body holds in memory, in bodies. */
    private static final int DECODED = 3;

    /** Decodes a request and starts it, without waiting for SQL; the response comes from another thread. */
    interface Handler {
        void handle(Received request, CompletableFuture<HttpResponse> response) throws RequestFailure;
    }

    /**
     * A request that has come in.
     *
     * @param lease of the request and its response; closed when the response is sent
     */
    record Received(ServiceRequestContext ctx, SqlGrant database, HttpData body, Memory.Lease lease) {}

    private final Lookup<SqlGrant> databases;
    private final Memory memory;
    private final Workers workers;

    HttpRequests(Lookup<SqlGrant> databases, Memory memory, Workers workers) {
        this.databases = databases;
        this.memory = memory;
        this.workers = workers;
    }

    HttpResponse serve(ServiceRequestContext ctx, HttpRequest request, Handler handler) {
        SqlGrant database;
        try {
            requireSameOrigin(request.headers());
            database = find(databases, RequestedDatabase.of(ctx), Rights.of(ctx));
        } catch (RequestFailure e) {
            return e.toResponse();
        }
        CompletableFuture<HttpResponse> response = new CompletableFuture<>();
        CompletableFuture<Void> unused = request.aggregate().handle((received, failure) -> {
            if (received == null) {
                response.complete(notReceived(failure).toResponse());
            } else {
                ctx.clearRequestTimeout();
                start(new Received(ctx, database, received.content(), memory.lease()), handler, response);
            }
            return null;
        });
        return HttpResponse.of(response);
    }

    /**
     * A page of another site that a person of this machine visits could otherwise send statements to a server that trusts its own machine; and
     * a name that the site makes point here would not make it another's, so that only addresses count. Programs that are no browsers send
     * no Origin.
     */
    static void requireSameOrigin(RequestHeaders headers) throws RequestFailure {
        String origin = headers.get(HttpHeaderNames.ORIGIN);
        String host = headers.authority();
        if (origin != null
                && !(host != null
                        && ADDRESS.matcher(host).matches()
                        && (origin.equals("http://" + host) || origin.equals("https://" + host)))) {
            throw new RequestFailure(
                    HttpStatus.FORBIDDEN,
                    "FOREIGN_ORIGIN",
                    "pages of other sites (" + origin + ") may not use this server");
        }
    }

    static SqlGrant find(Lookup<SqlGrant> databases, RequestedDatabase requested, Rights rights) throws RequestFailure {
        try {
            return databases.find(requested, rights);
        } catch (UnknownDatabaseException e) {
            throw new RequestFailure(HttpStatus.NOT_FOUND, "NAMESPACE_DOESNT_EXIST", String.valueOf(e.getMessage()));
        }
    }

    private static RequestFailure notReceived(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        if (cause instanceof ContentTooLargeException tooLarge) {
            return new RequestFailure(
                    HttpStatus.REQUEST_ENTITY_TOO_LARGE,
                    "REQUEST_TOO_LARGE",
                    "a request may have " + tooLarge.maxContentLength() + " bytes");
        }
        return new RequestFailure(
                HttpStatus.BAD_REQUEST, "REQUEST_NOT_RECEIVED", "the request did not arrive whole: " + cause);
    }

    private void start(Received request, Handler handler, CompletableFuture<HttpResponse> response) {
        if (request.body().length() <= SMALL) {
            handle(request, handler, response);
            return;
        }
        try {
            workers.beginners().execute(() -> handle(request, handler, response));
        } catch (RejectedExecutionException e) {
            response.complete(busy().toResponse());
        }
    }

    private static void handle(Received request, Handler handler, CompletableFuture<HttpResponse> response) {
        CompletableFuture<Void> unused = request.ctx().log().whenComplete().thenRun(request.lease()::close);
        try {
            request.lease().add((long) DECODED * request.body().length());
            handler.handle(request, response);
        } catch (RequestFailure e) {
            response.complete(e.toResponse());
        } catch (SqlFailure e) {
            response.complete(new RequestFailure(HttpStatus.SERVICE_UNAVAILABLE, HranaError.of(e)).toResponse());
        } catch (RejectedExecutionException e) {
            response.complete(busy().toResponse());
        }
    }

    private static RequestFailure busy() {
        return new RequestFailure(
                HttpStatus.SERVICE_UNAVAILABLE, "SERVER_BUSY", "too many requests wait for their turn; try again");
    }

    static RequestFailure malformed(ProtocolException failure) {
        return new RequestFailure(HttpStatus.BAD_REQUEST, failure.toError());
    }
}
