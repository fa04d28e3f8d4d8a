package dev.lockstep.server.hrana;

import com.fasterxml.jackson.databind.JsonNode;
import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.server.ServiceRequestContext;
import java.util.concurrent.CompletableFuture;

/** Version 1 over HTTP (HTTP_V1_SPEC.md in the libSQL repository): one request on a stream of its own, JSON only. Thread-safe. */
final class VersionOneService {

    private interface Decoder {
        StreamRequest decode(JsonNode body) throws ProtocolException;
    }

    private final HttpRequests requests;
    private final HttpStreams streams;
    private final JsonCodec codec;

    VersionOneService(HttpRequests requests, HttpStreams streams, JsonCodec codec) {
        this.requests = requests;
        this.streams = streams;
        this.codec = codec;
    }

    /** {@code {"stmt":Stmt}} brings {@code {"result":StmtResult}}. */
    HttpResponse execute(ServiceRequestContext ctx, HttpRequest request) {
        return serve(
                ctx, request, body -> new StreamRequest.Execute(JsonReader.statement(JsonReader.member(body, "stmt"))));
    }

    /** {@code {"batch":Batch}} brings {@code {"result":BatchResult}}. */
    HttpResponse batch(ServiceRequestContext ctx, HttpRequest request) {
        return serve(
                ctx, request, body -> new StreamRequest.RunBatch(JsonReader.batch(JsonReader.member(body, "batch"))));
    }

    private HttpResponse serve(ServiceRequestContext ctx, HttpRequest request, Decoder decoder) {
        return requests.serve(ctx, request, (received, response) -> {
            try {
                start(received, decoder.decode(JsonReader.object(received.body().array())), response);
            } catch (ProtocolException e) {
                throw HttpRequests.malformed(e);
            }
        });
    }

    private void start(HttpRequests.Received received, StreamRequest request, CompletableFuture<HttpResponse> response)
            throws RequestFailure {
        streams.take(null, received.database())
                .submit(
                        received.ctx(),
                        held -> {
                            HttpResponse done = respond(held.stream().run(request, received.lease()));
                            return new HttpStreams.Done(false, () -> response.complete(done));
                        },
                        response::completeExceptionally);
    }

    private HttpResponse respond(StreamResponse response) {
        if (response instanceof StreamResponse.Failed failed) {
            return new RequestFailure(HttpStatus.BAD_REQUEST, failed.error()).toResponse();
        }
        byte[] body = response instanceof StreamResponse.Executed executed
                ? codec.encode(executed.result())
                : codec.encode(((StreamResponse.BatchDone) response).result());
        return HttpResponse.of(HttpStatus.OK, MediaType.JSON, HttpData.wrap(body));
    }
}
