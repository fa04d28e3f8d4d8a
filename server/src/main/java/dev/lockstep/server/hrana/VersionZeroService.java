package dev.lockstep.server.hrana;

import com.fasterxml.jackson.databind.JsonNode;
import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.server.ServiceRequestContext;
import dev.lockstep.server.sql.NamedValue;
import dev.lockstep.server.sql.Value;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/**
 * The HTTP API from before Hrana (http_api.md in the libSQL repository), which DBeaver's driver speaks: {@code POST /} with
 *
 * <pre>
 * {"statements": ["SELECT 1", {"q": "SELECT ?", "params": [5]}, {"q": "SELECT :a", "params": {"a": {"base64": "AQI="}}}]}
 * </pre>
 *
 * brings {@code [{"results": {"columns": ["1"], "rows": [[1]]}}, ...]}, or {@code [.., {"error": "no such table: t"}]} up to the statement that
 * failed. Several statements are one transaction. Thread-safe.
 */
final class VersionZeroService {

    private final HttpRequests requests;
    private final HttpStreams streams;

    VersionZeroService(HttpRequests requests, HttpStreams streams) {
        this.requests = requests;
        this.streams = streams;
    }

    HttpResponse query(ServiceRequestContext ctx, HttpRequest request) {
        return requests.serve(ctx, request, this::start);
    }

    private void start(HttpRequests.Received received, CompletableFuture<HttpResponse> response) throws RequestFailure {
        List<Statement> statements;
        try {
            JsonNode body = JsonReader.object(received.body().array());
            statements = JsonReader.array(body, "statements", VersionZeroService::statement);
        } catch (ProtocolException e) {
            throw HttpRequests.malformed(e);
        }
        boolean several = statements.size() > 1;
        StreamRequest.RunBatch batch =
                new StreamRequest.RunBatch(several ? transaction(statements) : alone(statements));
        streams.take(null, received.database())
                .submit(
                        received.ctx(),
                        held -> {
                            HttpResponse done = respond(
                                    held.stream().run(batch, received.lease()), several ? 1 : 0, statements.size());
                            return new HttpStreams.Done(false, () -> response.complete(done));
                        },
                        response::completeExceptionally);
    }

    private static Batch alone(List<Statement> statements) {
        return new Batch(
                statements.stream().map(one -> new Batch.Step(null, one)).toList());
    }

    /** BEGIN, each statement if the one before succeeded, COMMIT, or else ROLLBACK. */
    private static Batch transaction(List<Statement> statements) {
        List<Batch.Step> steps = new ArrayList<>();
        steps.add(new Batch.Step(null, plain("BEGIN")));
        for (Statement one : statements) {
            steps.add(new Batch.Step(new Condition.Ok(steps.size() - 1), one));
        }
        steps.add(new Batch.Step(new Condition.Ok(steps.size() - 1), plain("COMMIT")));
        steps.add(new Batch.Step(new Condition.Not(new Condition.Ok(steps.size() - 1)), plain("ROLLBACK")));
        return new Batch(steps);
    }

    private static Statement plain(String sql) {
        return new Statement(new SqlText.Inline(sql), List.of(), List.of(), false);
    }

    private static Statement statement(JsonNode node) throws ProtocolException {
        if (node.isTextual()) {
            return new Statement(new SqlText.Inline(node.textValue()), List.of(), List.of(), true);
        }
        List<Value> args = new ArrayList<>();
        List<NamedValue> named = new ArrayList<>();
        JsonNode params = node.get("params");
        if (params != null && params.isObject()) {
            for (Map.Entry<String, JsonNode> one : params.properties()) {
                named.add(new NamedValue(one.getKey(), value(one.getValue())));
            }
        } else {
            args.addAll(JsonReader.array(node, "params", VersionZeroService::value));
        }
        return new Statement(new SqlText.Inline(JsonReader.string(node, "q")), args, named, true);
    }

    private static Value value(JsonNode node) throws ProtocolException {
        if (node.isNull()) {
            return Value.NULL;
        }
        if (node.isBoolean()) {
            return new Value.Int(node.booleanValue() ? 1 : 0);
        }
        if (node.isIntegralNumber() && node.canConvertToLong()) {
            return new Value.Int(node.longValue());
        }
        if (node.isNumber()) {
            return new Value.Real(node.doubleValue());
        }
        return node.isTextual()
                ? new Value.Text(node.textValue())
                : new Value.Blob(JsonReader.base64(JsonReader.string(node, "base64")));
    }

    /** @param first the step of the first statement */
    private static HttpResponse respond(StreamResponse response, int first, int count) {
        if (response instanceof StreamResponse.Failed failed) {
            return new RequestFailure(HttpStatus.BAD_REQUEST, failed.error()).toResponse();
        }
        List<BatchResult.StepResult> steps =
                ((StreamResponse.BatchDone) response).result().steps();
        byte[] body = JsonWriter.array(out -> {
            for (int i = 0; i < first + count; i++) {
                HranaError error = steps.get(i).error();
                StatementResult result = steps.get(i).result();
                if (error != null) {
                    out.element(members -> members.member("error", error.message()));
                } else if (result != null && i >= first) {
                    out.element(members -> results(members, result));
                }
            }
        });
        return HttpResponse.of(HttpStatus.OK, MediaType.JSON, HttpData.wrap(body));
    }

    private static void results(JsonWriter out, StatementResult result) throws IOException {
        out.member("results", members -> {
            members.strings(
                    "columns",
                    result.columns().stream().map(column -> column.name()).toList());
            members.plainRows("rows", result.rows());
            members.member("rows_read", result.outcome().rowsRead());
            members.member("rows_written", result.outcome().rowsWritten());
            members.member("query_duration_ms", result.outcome().time().toMillis());
        });
    }
}
