package dev.lockstep.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An answer for a program: one JSON object, printed in one line. Frame numbers and sizes are numbers; checksums, which do not fit
 * the doubles that many programs read numbers into, are texts of hexadecimal digits. Only the generator of Jackson is used:
 * its object mapper would double the start-up time of short commands.
 */
final class Json {

    private static final JsonFactory FACTORY = new JsonFactory();

    private final Map<String, @Nullable Object> fields = new LinkedHashMap<>();

    /** @param value a text, number, boolean, {@code Json}, list of these, or null; anything else is put as its text */
    Json put(String name, @Nullable Object value) {
        fields.put(name, value);
        return this;
    }

    /** 16 hexadecimal digits. */
    Json putHex(String name, long value) {
        return put(name, Formats.hex(value));
    }

    void print(PrintWriter out) {
        out.println(this);
        out.flush();
    }

    @Override
    public String toString() {
        StringWriter text = new StringWriter();
        try (JsonGenerator generator = FACTORY.createGenerator(text)) {
            write(generator, this);
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return text.toString();
    }

    private static void write(JsonGenerator generator, @Nullable Object value) throws IOException {
        if (value instanceof Json object) {
            generator.writeStartObject();
            for (Map.Entry<String, @Nullable Object> field : object.fields.entrySet()) {
                generator.writeFieldName(field.getKey());
                write(generator, field.getValue());
            }
            generator.writeEndObject();
        } else if (value instanceof List<?> list) {
            generator.writeStartArray();
            for (Object element : list) {
                write(generator, element);
            }
            generator.writeEndArray();
        } else if (value == null || value instanceof Number || value instanceof Boolean) {
            generator.writeObject(value);
        } else {
            generator.writeString(value.toString());
        }
    }
}
