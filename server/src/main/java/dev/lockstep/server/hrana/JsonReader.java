package dev.lockstep.server.hrana;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.lockstep.server.sql.NamedValue;
import dev.lockstep.server.sql.Value;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Requests in JSON. The objects are those of HRANA_1_SPEC.md to HRANA_3_SPEC.md in the libSQL repository; requests of version 3 are taken
 * in every version.
 *
 * <pre>
 * Value         {"type":"null"}  {"type":"integer","value":"-1"}  {"type":"float","value":0.5}  {"type":"text","value":"a"}
 *               {"type":"blob","base64":"AQI="}
 * Stmt          sql | sql_id, args [Value], named_args [{name, value}], want_rows (true)
 * Batch         steps [{condition, stmt}]
 * BatchCond     {"type":"ok"|"error","step":0}  {"type":"not","cond":..}  {"type":"and"|"or","conds":[..]}  {"type":"is_autocommit"}
 * StreamRequest {"type":..}: execute {stmt}, batch {batch}, sequence|describe {sql | sql_id}, store_sql {sql_id, sql},
 *               close_sql {sql_id}, get_autocommit, close
 * </pre>
 *
 * Rules:
 *
 * <ol>
 *   <li>one value of well-formed JSON, nested at most {@link #MAX_DEPTH} deep, no name twice in an object
 *   <li>an absent optional member and null mean the same; an absent array is empty
 *   <li>integers of SQL are decimal strings within 64 bits; ids are JSON integers within 32 bits
 *   <li>a float is any JSON number; what is too large for a double is an infinity
 *   <li>base64 is the standard alphabet, padded or not
 *   <li>strings are valid Unicode: no half of a surrogate pair
 * </ol>
 */
final class JsonReader {

    static final int MAX_DEPTH = 200;

    private static final int MAX_NUMBER_LENGTH = 1000;

    private static final ObjectReader TREES = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(MAX_DEPTH)
                            .maxNumberLength(MAX_NUMBER_LENGTH)
                            // The length of the whole message is bounded before it comes here.
                            .maxStringLength(Integer.MAX_VALUE)
                            .build())
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS, DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
            .build()
            .reader();

    /** One element of an array. */
    interface Element<T> {
        T read(JsonNode node) throws ProtocolException;
    }

    private JsonReader() {}

    static JsonNode object(byte[] json) throws ProtocolException {
        try {
            JsonNode node = TREES.readTree(json);
            return requireObject(node, "the message");
        } catch (JacksonException e) {
            throw new ProtocolException("not valid JSON: " + e.getOriginalMessage());
        } catch (IOException e) {
            throw new ProtocolException("not valid JSON: " + e.getMessage());
        }
    }

    static Pipeline.Request pipelineRequest(JsonNode node) throws ProtocolException {
        return new Pipeline.Request(
                optionalString(node, "baton"), array(node, "requests", element -> streamRequest(element)));
    }

    static Pipeline.CursorRequest cursorRequest(JsonNode node) throws ProtocolException {
        return new Pipeline.CursorRequest(optionalString(node, "baton"), batch(member(node, "batch")));
    }

    static ClientMessage clientMessage(JsonNode node) throws ProtocolException {
        String type = string(node, "type");
        return switch (type) {
            case "hello" -> new ClientMessage.Hello(optionalString(node, "jwt"));
            case "request" -> new ClientMessage.Request(int32(node, "request_id"), body(member(node, "request")));
            default -> throw unknown("message", type);
        };
    }

    private static ClientMessage.Body body(JsonNode node) throws ProtocolException {
        requireObject(node, "request");
        return switch (string(node, "type")) {
            case "open_stream" -> new ClientMessage.OpenStream(int32(node, "stream_id"));
            case "close_stream" -> new ClientMessage.CloseStream(int32(node, "stream_id"));
            case "open_cursor" ->
                new ClientMessage.OpenCursor(
                        int32(node, "stream_id"), int32(node, "cursor_id"), batch(member(node, "batch")));
            case "close_cursor" -> new ClientMessage.CloseCursor(int32(node, "cursor_id"));
            case "fetch_cursor" -> new ClientMessage.FetchCursor(int32(node, "cursor_id"), uint32(node, "max_count"));
            case "store_sql", "close_sql" -> new ClientMessage.OnConnection(streamRequest(node));
            case "close" -> throw unknown("request over WebSocket", "close");
            default -> new ClientMessage.OnStream(int32(node, "stream_id"), streamRequest(node));
        };
    }

    private static StreamRequest streamRequest(JsonNode node) throws ProtocolException {
        requireObject(node, "a request");
        String type = string(node, "type");
        return switch (type) {
            case "execute" -> new StreamRequest.Execute(statement(member(node, "stmt")));
            case "batch" -> new StreamRequest.RunBatch(batch(member(node, "batch")));
            case "sequence" -> new StreamRequest.Sequence(sqlText(node));
            case "describe" -> new StreamRequest.Describe(sqlText(node));
            case "store_sql" -> new StreamRequest.StoreSql(int32(node, "sql_id"), string(node, "sql"));
            case "close_sql" -> new StreamRequest.CloseSql(int32(node, "sql_id"));
            case "get_autocommit" -> new StreamRequest.GetAutocommit();
            case "close" -> new StreamRequest.Close();
            default -> throw unknown("request", type);
        };
    }

    static Statement statement(JsonNode node) throws ProtocolException {
        requireObject(node, "stmt");
        return new Statement(
                sqlText(node),
                array(node, "args", element -> value(element)),
                array(node, "named_args", element -> namedValue(element)),
                optionalBoolean(node, "want_rows", true));
    }

    private static SqlText sqlText(JsonNode node) throws ProtocolException {
        return SqlText.of(optionalString(node, "sql"), optional(node, "sql_id") == null ? null : int32(node, "sql_id"));
    }

    static Batch batch(JsonNode node) throws ProtocolException {
        requireObject(node, "batch");
        member(node, "steps");
        return new Batch(array(node, "steps", element -> step(element)));
    }

    private static Batch.Step step(JsonNode node) throws ProtocolException {
        requireObject(node, "a step");
        JsonNode condition = optional(node, "condition");
        return new Batch.Step(condition == null ? null : condition(condition), statement(member(node, "stmt")));
    }

    private static Condition condition(JsonNode node) throws ProtocolException {
        requireObject(node, "a condition");
        String type = string(node, "type");
        return switch (type) {
            case "ok" -> new Condition.Ok(uint32(node, "step"));
            case "error" -> new Condition.Failed(uint32(node, "step"));
            case "not" -> new Condition.Not(condition(member(node, "cond")));
            case "and" -> new Condition.And(array(node, "conds", element -> condition(element)));
            case "or" -> new Condition.Or(array(node, "conds", element -> condition(element)));
            case "is_autocommit" -> new Condition.IsAutocommit();
            default -> throw unknown("condition", type);
        };
    }

    private static NamedValue namedValue(JsonNode node) throws ProtocolException {
        requireObject(node, "a named argument");
        return new NamedValue(string(node, "name"), value(member(node, "value")));
    }

    private static Value value(JsonNode node) throws ProtocolException {
        requireObject(node, "a value");
        String type = string(node, "type");
        return switch (type) {
            case "null" -> new Value.Null();
            case "integer" -> new Value.Int(int64(string(node, "value")));
            case "float" -> new Value.Real(number(node, "value"));
            case "text" -> new Value.Text(string(node, "value"));
            case "blob" -> new Value.Blob(base64(string(node, "base64")));
            default -> throw unknown("value", type);
        };
    }

    private static long int64(String digits) throws ProtocolException {
        try {
            return Long.parseLong(digits);
        } catch (NumberFormatException e) {
            throw new ProtocolException("an integer value has to be a decimal number of 64 bits, not \""
                    + (digits.length() > 40 ? digits.substring(0, 40) + "..." : digits) + '"');
        }
    }

    static byte[] base64(String text) throws ProtocolException {
        try {
            return Base64.getDecoder().decode(text);
        } catch (IllegalArgumentException e) {
            throw new ProtocolException("base64: " + e.getMessage());
        }
    }

    private static double number(JsonNode node, String name) throws ProtocolException {
        JsonNode member = member(node, name);
        if (!member.isNumber()) {
            throw wrongType(name, "a number", member);
        }
        return member.doubleValue();
    }

    private static int int32(JsonNode node, String name) throws ProtocolException {
        JsonNode member = member(node, name);
        if (!member.isIntegralNumber() || !member.canConvertToInt()) {
            throw wrongType(name, "an integer of 32 bits", member);
        }
        return member.intValue();
    }

    /** The largest int stands for all above it. */
    private static int uint32(JsonNode node, String name) throws ProtocolException {
        JsonNode member = member(node, name);
        if (!member.isIntegralNumber() || !member.canConvertToLong() || member.longValue() < 0) {
            throw wrongType(name, "an integer that is not negative", member);
        }
        return (int) Math.min(member.longValue(), Integer.MAX_VALUE);
    }

    private static boolean optionalBoolean(JsonNode node, String name, boolean absent) throws ProtocolException {
        JsonNode member = optional(node, name);
        if (member == null) {
            return absent;
        }
        if (!member.isBoolean()) {
            throw wrongType(name, "true or false", member);
        }
        return member.booleanValue();
    }

    static String string(JsonNode node, String name) throws ProtocolException {
        String found = optionalString(node, name);
        if (found == null) {
            throw new ProtocolException("'" + name + "' is missing");
        }
        return found;
    }

    private static @Nullable String optionalString(JsonNode node, String name) throws ProtocolException {
        JsonNode member = optional(node, name);
        if (member == null) {
            return null;
        }
        if (!member.isTextual()) {
            throw wrongType(name, "a string", member);
        }
        String text = member.textValue();
        if (!isUnicode(text)) {
            throw new ProtocolException("'" + name + "' holds half of a surrogate pair, which no UTF-8 text can");
        }
        return text;
    }

    private static boolean isUnicode(String text) {
        for (int i = 0; i < text.length(); i++) {
            char unit = text.charAt(i);
            if (Character.isSurrogate(unit)) {
                if (Character.isLowSurrogate(unit)
                        || i + 1 == text.length()
                        || !Character.isLowSurrogate(text.charAt(i + 1))) {
                    return false;
                }
                i++;
            }
        }
        return true;
    }

    static <T> List<T> array(JsonNode node, String name, Element<T> element) throws ProtocolException {
        JsonNode member = optional(node, name);
        if (member == null) {
            return List.of();
        }
        if (!member.isArray()) {
            throw wrongType(name, "an array", member);
        }
        List<T> elements = new ArrayList<>(member.size());
        for (JsonNode one : member) {
            elements.add(element.read(one));
        }
        return elements;
    }

    static JsonNode member(JsonNode node, String name) throws ProtocolException {
        JsonNode member = optional(node, name);
        if (member == null) {
            throw new ProtocolException("'" + name + "' is missing");
        }
        return member;
    }

    private static @Nullable JsonNode optional(JsonNode node, String name) {
        JsonNode member = node.get(name);
        return member == null || member.isNull() ? null : member;
    }

    private static JsonNode requireObject(JsonNode node, String what) throws ProtocolException {
        if (!node.isObject()) {
            throw wrongType(what, "an object", node);
        }
        return node;
    }

    private static ProtocolException wrongType(String what, String expected, JsonNode found) {
        return new ProtocolException(what + ": expected " + expected + ", found "
                + found.getNodeType().name().toLowerCase(java.util.Locale.ROOT));
    }

    private static ProtocolException unknown(String what, String type) {
        return new ProtocolException(
                "unknown type of " + what + ": \"" + (type.length() > 40 ? type.substring(0, 40) + "..." : type) + '"');
    }
}
