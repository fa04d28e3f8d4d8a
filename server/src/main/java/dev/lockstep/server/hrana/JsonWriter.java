package dev.lockstep.server.hrana;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.ByteArrayBuilder;
import dev.lockstep.server.sql.Column;
import dev.lockstep.server.sql.Description;
import dev.lockstep.server.sql.Outcome;
import dev.lockstep.server.sql.Value;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Responses in JSON, the objects of HRANA_3_SPEC.md with libSQL's additions (replication_index as a string, rows_read, rows_written,
 * query_duration_ms). An infinity is written as 1e999, which is JSON and which JavaScript and Java read as one. Not thread-safe.
 */
final class JsonWriter implements Closeable {

    private static final JsonFactory FACTORY = new JsonFactory();

    private static final int PADDING = 3;

    interface Part {
        void write(JsonWriter out) throws IOException;
    }

    private final ByteArrayBuilder bytes = new ByteArrayBuilder(512);
    private final JsonGenerator json;

    private JsonWriter() throws IOException {
        json = FACTORY.createGenerator(bytes);
    }

    /** One object, and what the part writes into it. */
    static byte[] object(Part members) {
        return write(out -> out.element(members));
    }

    /** One array, and what the part writes into it. */
    static byte[] array(Part elements) {
        return write(out -> {
            out.json.writeStartArray();
            elements.write(out);
            out.json.writeEndArray();
        });
    }

    private static byte[] write(Part part) {
        try (JsonWriter writer = new JsonWriter()) {
            part.write(writer);
            writer.json.flush();
            return writer.bytes.toByteArray();
        } catch (IOException e) {
            throw new UncheckedIOException("nothing was to be written but memory", e);
        }
    }

    /** An object in an array. */
    void element(Part members) throws IOException {
        json.writeStartObject();
        members.write(this);
        json.writeEndObject();
    }

    @Override
    public void close() throws IOException {
        json.close();
    }

    void member(String name, @Nullable String value) throws IOException {
        json.writeStringField(name, value);
    }

    void member(String name, boolean value) throws IOException {
        json.writeBooleanField(name, value);
    }

    void member(String name, long value) throws IOException {
        json.writeNumberField(name, value);
    }

    void member(String name, Part members) throws IOException {
        json.writeObjectFieldStart(name);
        members.write(this);
        json.writeEndObject();
    }

    <T> void array(String name, List<T> elements, Entry<T> entry) throws IOException {
        json.writeArrayFieldStart(name);
        for (T element : elements) {
            json.writeStartObject();
            entry.write(this, element);
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    interface Entry<T> {
        void write(JsonWriter out, T element) throws IOException;
    }

    /** The members of a StreamResult. */
    void streamResult(StreamResponse response) throws IOException {
        if (response instanceof StreamResponse.Failed failed) {
            member("type", "error");
            error(failed.error());
        } else {
            member("type", "ok");
            response(response);
        }
    }

    /** The member "response" of what is no failure. */
    void response(StreamResponse response) throws IOException {
        member("response", out -> out.responseMembers(response));
    }

    private void responseMembers(StreamResponse response) throws IOException {
        if (response instanceof StreamResponse.Executed executed) {
            member("type", "execute");
            result(executed.result());
        } else if (response instanceof StreamResponse.BatchDone batch) {
            member("type", "batch");
            result(batch.result());
        } else if (response instanceof StreamResponse.Described described) {
            member("type", "describe");
            member("result", out -> out.description(described.description()));
        } else if (response instanceof StreamResponse.Autocommit autocommit) {
            member("type", "get_autocommit");
            member("is_autocommit", autocommit.isAutocommit());
        } else if (response instanceof StreamResponse.SequenceDone sequence) {
            member("type", "sequence");
            frameNo(sequence.frameNo());
        } else if (response instanceof StreamResponse.Done done) {
            member("type", done.kind().name().toLowerCase(Locale.ROOT));
        } else {
            throw new IllegalArgumentException(response + " is no response");
        }
    }

    void error(HranaError error) throws IOException {
        member("error", out -> out.errorMembers(error));
    }

    void errorMembers(HranaError error) throws IOException {
        member("message", error.message());
        member("code", error.code());
    }

    void result(StatementResult result) throws IOException {
        member("result", out -> out.statementResult(result));
    }

    private void statementResult(StatementResult result) throws IOException {
        columns(result.columns());
        json.writeArrayFieldStart("rows");
        for (List<Value> row : result.rows()) {
            values(row);
        }
        json.writeEndArray();
        outcome(result.outcome());
        Outcome outcome = result.outcome();
        member("rows_read", outcome.rowsRead());
        member("rows_written", outcome.rowsWritten());
        json.writeNumberField("query_duration_ms", outcome.time().toNanos() / 1e6);
    }

    private void outcome(Outcome outcome) throws IOException {
        member("affected_row_count", outcome.affectedRows());
        member("last_insert_rowid", Long.toString(outcome.lastInsertRowid()));
        frameNo(outcome.frameNo());
    }

    private void frameNo(@Nullable Long frameNo) throws IOException {
        member("replication_index", frameNo == null ? null : frameNo.toString());
    }

    private void columns(List<Column> columns) throws IOException {
        array("cols", columns, (out, column) -> {
            out.member("name", column.name());
            out.member("decltype", column.decltype());
        });
    }

    void result(BatchResult result) throws IOException {
        member("result", out -> out.batchResult(result));
    }

    private void batchResult(BatchResult result) throws IOException {
        json.writeArrayFieldStart("step_results");
        for (BatchResult.StepResult step : result.steps()) {
            StatementResult found = step.result();
            optional(found == null ? null : out -> out.statementResult(found));
        }
        json.writeEndArray();
        json.writeArrayFieldStart("step_errors");
        for (BatchResult.StepResult step : result.steps()) {
            HranaError error = step.error();
            optional(error == null ? null : out -> out.errorMembers(error));
        }
        json.writeEndArray();
        frameNo(result.frameNo());
    }

    private void optional(@Nullable Part members) throws IOException {
        if (members == null) {
            json.writeNull();
        } else {
            element(members);
        }
    }

    private void description(Description description) throws IOException {
        json.writeArrayFieldStart("params");
        for (@Nullable String name : description.parameters()) {
            json.writeStartObject();
            member("name", name);
            json.writeEndObject();
        }
        json.writeEndArray();
        columns(description.columns());
        member("is_explain", description.explain());
        member("is_readonly", description.readOnly());
    }

    /** The members of a CursorEntry. */
    void cursorEntry(CursorEntry entry) throws IOException {
        if (entry instanceof CursorEntry.Row row) {
            member("type", "row");
            json.writeFieldName("row");
            values(row.values());
        } else if (entry instanceof CursorEntry.StepBegin begin) {
            member("type", "step_begin");
            member("step", begin.step());
            columns(begin.columns());
        } else if (entry instanceof CursorEntry.StepEnd end) {
            member("type", "step_end");
            outcome(end.outcome());
        } else if (entry instanceof CursorEntry.StepError failed) {
            member("type", "step_error");
            member("step", failed.step());
            error(failed.error());
        } else if (entry instanceof CursorEntry.Failed failed) {
            member("type", "error");
            error(failed.error());
        } else {
            throw new IllegalArgumentException(entry + " is no entry");
        }
    }

    private void values(List<Value> values) throws IOException {
        json.writeStartArray();
        for (Value value : values) {
            json.writeStartObject();
            value(value);
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private void value(Value value) throws IOException {
        if (value instanceof Value.Int integer) {
            member("type", "integer");
            member("value", Long.toString(integer.value()));
        } else if (value instanceof Value.Text text) {
            member("type", "text");
            member("value", text.value());
        } else if (value instanceof Value.Real real) {
            member("type", "float");
            json.writeFieldName("value");
            real(real.value());
        } else if (value instanceof Value.Blob blob) {
            member("type", "blob");
            member("base64", Base64.getEncoder().encodeToString(blob.value()));
        } else {
            member("type", "null");
        }
    }

    private void real(double value) throws IOException {
        if (Double.isInfinite(value)) {
            json.writeNumber(value > 0 ? "1e999" : "-1e999");
        } else {
            json.writeNumber(value);
        }
    }

    void strings(String name, List<String> values) throws IOException {
        json.writeArrayFieldStart(name);
        for (String value : values) {
            json.writeString(value);
        }
        json.writeEndArray();
    }

    /** Rows of values as JSON itself has them, and blobs as {@code {"base64": ..}}. */
    void plainRows(String name, List<List<Value>> rows) throws IOException {
        json.writeArrayFieldStart(name);
        for (List<Value> row : rows) {
            json.writeStartArray();
            for (Value value : row) {
                plain(value);
            }
            json.writeEndArray();
        }
        json.writeEndArray();
    }

    private void plain(Value value) throws IOException {
        if (value instanceof Value.Int integer) {
            json.writeNumber(integer.value());
        } else if (value instanceof Value.Text text) {
            json.writeString(text.value());
        } else if (value instanceof Value.Real real) {
            real(real.value());
        } else if (value instanceof Value.Blob blob) {
            element(out -> out.member("base64", Base64.getEncoder().encodeToString(blob.value())));
        } else {
            json.writeNull();
        }
    }

    /** About the length of a row, in either encoding. */
    static long estimate(List<Value> row) {
        long length = PADDING;
        for (Value value : row) {
            length += estimate(value);
        }
        return length;
    }

    private static long estimate(Value value) {
        long members = 40;
        if (value instanceof Value.Text text) {
            return members + text.value().length();
        }
        if (value instanceof Value.Blob blob) {
            return members + blob.value().length * 4L / 3;
        }
        return members;
    }
}
