package dev.lockstep.jdbc;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.util.RawValue;
import dev.lockstep.jdbc.RemoteAnswer.Failure;
import dev.lockstep.jdbc.RemoteRows.Column;
import java.net.URI;
import java.sql.SQLException;
import java.sql.SQLNonTransientConnectionException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.sqlite.SQLiteErrorCode;

/**
 * One connection's conversation with a server. It has a stream of its own there only while a transaction is open.
 *
 * <p>Used by one thread at a time; {@link #cancel} may be called by any.
 */
final class HranaStream {

    private final HranaServer server;

    /** Names the open stream at the server, anew with each answer; null when there is none. */
    private @Nullable String baton;

    private @Nullable URI origin;

    private volatile @Nullable CompletableFuture<?> running;

    HranaStream(HranaServer server) {
        this.server = server;
    }

    HranaServer server() {
        return server;
    }

    /**
     * Runs statements, each only if the one before succeeded.
     *
     * @param keep whether the stream stays open afterwards, for a transaction
     * @throws SQLException if the server could not be reached, or refused the request as a whole
     */
    RemoteAnswer run(List<RemoteStatement> statements, boolean keep) throws SQLException {
        ObjectNode batch = HranaServer.JSON.createObjectNode();
        ArrayNode steps = batch.put("type", "batch").putObject("batch").putArray("steps");
        for (int i = 0; i < statements.size(); i++) {
            ObjectNode step = steps.addObject();
            if (i > 0) {
                step.putObject("condition").put("type", "ok").put("step", i - 1);
            }
            put(step.putObject("stmt"), statements.get(i));
        }
        List<JsonNode> answers = keep ? ask(batch, request("get_autocommit")) : ask(batch, request("close"));
        JsonNode result = ok(answers.get(0)).path("result");
        boolean autocommit = !keep || ok(answers.get(1)).path("is_autocommit").asBoolean();
        return answer(result, statements.size(), autocommit);
    }

    /** Asks for parameters and columns of a statement. */
    Description describe(String sql) throws SQLException {
        Description known = server.described(sql);
        if (known != null) {
            return known;
        }
        ObjectNode describe = request("describe").put("sql", sql);
        JsonNode result = ok((baton == null ? ask(describe, request("close")) : ask(describe)).get(0))
                .path("result");
        Description description = new Description(
                result.path("params").size(),
                columns(result.path("cols")),
                result.path("is_readonly").asBoolean());
        server.remember(sql, description);
        return description;
    }

    /** Gives up the stream; a transaction in it is rolled back. Does not wait for the server. */
    void close() {
        if (baton != null) {
            ObjectNode body = body(request("close"));
            URI to = origin;
            baton = null;
            origin = null;
            server.send(to, body);
        }
    }

    /** Ends the wait for a request that is under way; it fails as if interrupted. What it began may go on at the server. */
    void cancel() {
        CompletableFuture<?> current = running;
        if (current != null) {
            current.cancel(true);
        }
    }

    private static ObjectNode request(String type) {
        return HranaServer.JSON.createObjectNode().put("type", type);
    }

    private ObjectNode body(JsonNode... requests) {
        ObjectNode body = HranaServer.JSON.createObjectNode().put("baton", baton);
        ArrayNode list = body.putArray("requests");
        for (JsonNode request : requests) {
            list.add(request);
        }
        return body;
    }

    private List<JsonNode> ask(JsonNode... requests) throws SQLException {
        ObjectNode body = body(requests);
        URI to = origin;
        baton = null; // whatever goes wrong, the stream cannot be used any more
        origin = null;
        JsonNode answer = server.post(to, body, future -> running = future);
        JsonNode results = answer.path("results");
        if (results.size() != requests.length) {
            throw malformed("the answer has " + results.size() + " results to " + requests.length + " requests");
        }
        baton = answer.path("baton").textValue();
        String base = answer.path("base_url").textValue();
        origin = base == null ? null : URI.create(base);
        return List.of(HranaServer.JSON.convertValue(results, JsonNode[].class));
    }

    private SQLException malformed(String problem) {
        return new SQLNonTransientConnectionException(
                server.address() + " does not speak Hrana 3 as it should: " + problem, "08P01");
    }

    private static void put(ObjectNode target, RemoteStatement statement) {
        target.put("sql", statement.sql()).put("want_rows", true);
        ArrayNode args = target.putArray("args");
        for (Object argument : statement.arguments()) {
            putValue(args.addObject(), argument);
        }
    }

    private static void putValue(ObjectNode target, @Nullable Object value) {
        if (value == null || (value instanceof Double d && d.isNaN())) {
            target.put("type", "null");
        } else if (value instanceof String text) {
            target.put("type", "text").put("value", text);
        } else if (value instanceof Double number) {
            target.put("type", "float");
            if (number.isInfinite()) {
                target.putRawValue("value", new RawValue(number > 0 ? "1e999" : "-1e999")); // the way to say it in JSON
            } else {
                target.put("value", number);
            }
        } else if (value instanceof byte[] bytes) {
            target.put("type", "blob")
                    .put("base64", Base64.getEncoder().withoutPadding().encodeToString(bytes));
        } else {
            target.put("type", "integer").put("value", value.toString());
        }
    }

    private static JsonNode ok(JsonNode answer) throws SQLException {
        if (answer.path("type").asText().equals("ok")) {
            return answer.path("response");
        }
        Failure failure = failure(answer.path("error"));
        throw org.sqlite.core.DB.newSQLException(failure.code(), failure.message());
    }

    private RemoteAnswer answer(JsonNode batch, int count, boolean autocommit) throws SQLException {
        List<RemoteRows> results = new ArrayList<>(count);
        long frameNo = batch.path("replication_index").asLong(-1);
        for (int i = 0; i < count; i++) {
            JsonNode error = batch.path("step_errors").path(i);
            JsonNode result = batch.path("step_results").path(i);
            if (result.isObject()) {
                results.add(rows(result));
                frameNo = Math.max(frameNo, result.path("replication_index").asLong(-1));
            } else if (error.isObject()) {
                return new RemoteAnswer(results, failure(error), autocommit, frameNo);
            } else {
                throw malformed("statement " + i + " has neither a result nor an error");
            }
        }
        return new RemoteAnswer(results, null, autocommit, frameNo);
    }

    private RemoteRows rows(JsonNode result) throws SQLException {
        List<Column> columns = columns(result.path("cols"));
        List<@Nullable Object[]> rows = new ArrayList<>(result.path("rows").size());
        for (JsonNode row : result.path("rows")) {
            @Nullable Object[] values = new @Nullable Object[columns.size()];
            for (int i = 0; i < values.length; i++) {
                values[i] = value(row.path(i));
            }
            rows.add(values);
        }
        return new RemoteRows(
                columns,
                rows,
                result.path("affected_row_count").asLong(),
                result.path("last_insert_rowid").asLong());
    }

    private static List<Column> columns(JsonNode cols) {
        List<Column> columns = new ArrayList<>(cols.size());
        for (JsonNode col : cols) {
            columns.add(
                    new Column(col.path("name").asText(), col.path("decltype").textValue()));
        }
        return columns;
    }

    private @Nullable Object value(JsonNode value) throws SQLException {
        return switch (value.path("type").asText()) {
            case "null" -> null;
            case "integer" -> Long.valueOf(value.path("value").asText());
            case "float" -> Double.valueOf(value.path("value").asText());
            case "text" -> value.path("value").asText();
            case "blob" -> Base64.getDecoder().decode(value.path("base64").asText());
            default -> throw malformed("a value of type " + value.path("type"));
        };
    }

    private static Failure failure(JsonNode error) {
        return new Failure(
                code(error.path("code").asText()), error.path("message").asText());
    }

    /** Result codes come by name; what SQLite does not know is SQLITE_ERROR. */
    private static int code(String name) {
        for (SQLiteErrorCode known : SQLiteErrorCode.values()) {
            if (known.name().equals(name)) {
                return known.code;
            }
        }
        return SQLiteErrorCode.SQLITE_ERROR.code;
    }
}
