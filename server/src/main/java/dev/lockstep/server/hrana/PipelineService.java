package dev.lockstep.server.hrana;

import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpResponseWriter;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.common.ResponseHeaders;
import com.linecorp.armeria.server.ServiceRequestContext;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Versions 2 and 3 over HTTP in one encoding. Thread-safe. */
final class PipelineService {

    private final HttpRequests requests;
    private final HttpStreams streams;
    private final Codec codec;
    private final MediaType contentType;
    private final Limits limits;

    PipelineService(HttpRequests requests, HttpStreams streams, Codec codec, Limits limits) {
        this.requests = requests;
        this.streams = streams;
        this.codec = codec;
        this.limits = limits;
        contentType = MediaType.parse(codec.contentType());
    }

    HttpResponse pipeline(ServiceRequestContext ctx, HttpRequest request) {
        return requests.serve(ctx, request, this::startPipeline);
    }

    private void startPipeline(HttpRequests.Received received, CompletableFuture<HttpResponse> response)
            throws RequestFailure {
        Pipeline.Request request;
        try {
            request = codec.pipelineRequest(received.body().array());
        } catch (ProtocolException e) {
            throw HttpRequests.malformed(e);
        }
        if (request.requests().size() > limits.statements()) {
            throw new RequestFailure(
                    HttpStatus.BAD_REQUEST,
                    "TOO_MANY_REQUESTS",
                    request.requests().size() + " requests in one pipeline; at most " + limits.statements() + " run");
        }
        streams.take(request.baton(), received.database())
                .submit(
                        received.ctx(),
                        held -> {
                            Pipeline.Response done = run(held, request.requests(), received.lease());
                            HttpData content = HttpData.wrap(codec.encode(done));
                            return new HttpStreams.Done(
                                    done.baton() != null,
                                    () -> response.complete(HttpResponse.of(HttpStatus.OK, contentType, content)));
                        },
                        response::completeExceptionally);
    }

    private static Pipeline.Response run(HttpStreams.Held held, List<StreamRequest> asked, Memory.Lease lease) {
        List<StreamResponse> responses = new ArrayList<>(asked.size());
        boolean closed = false;
        for (StreamRequest request : asked) {
            if (closed) {
                responses.add(new StreamResponse.Failed(new HranaError("the stream is closed", "STREAM_CLOSED")));
            } else {
                responses.add(held.stream().run(request, lease));
                closed = request instanceof StreamRequest.Close;
            }
        }
        return new Pipeline.Response(closed ? null : held.nextBaton(), responses);
    }

    HttpResponse cursor(ServiceRequestContext ctx, HttpRequest request) {
        return requests.serve(ctx, request, this::startCursor);
    }

    private void startCursor(HttpRequests.Received received, CompletableFuture<HttpResponse> response)
            throws RequestFailure {
        Pipeline.CursorRequest request;
        try {
            request = codec.cursorRequest(received.body().array());
        } catch (ProtocolException e) {
            throw HttpRequests.malformed(e);
        }
        HttpResponseWriter writer = HttpResponse.streaming();
        streams.take(request.baton(), received.database())
                .submit(
                        received.ctx(),
                        held -> {
                            writer.write(ResponseHeaders.of(HttpStatus.OK, "content-type", contentType));
                            CursorResponse cursor = new CursorResponse(writer, codec, limits.stalled());
                            boolean delivered = cursor.run(held, request.batch());
                            return new HttpStreams.Done(delivered, writer::close);
                        },
                        writer::close);
        response.complete(writer);
    }
}
