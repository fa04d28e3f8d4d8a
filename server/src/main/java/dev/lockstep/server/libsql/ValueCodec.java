package dev.lockstep.server.libsql;

import com.google.protobuf.ByteString;
import dev.lockstep.server.libsql.v1.ProxyProto;
import dev.lockstep.server.libsql.v1.ProxyProto.RowValue;
import dev.lockstep.server.sql.Value;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * Values in libSQL's messages (Rust's bincode 1, little-endian).
 *
 * <pre>
 * u32 tag: 0 NULL | 1 integer, i64 | 2 real, f64 | 3 text, u64 length, UTF-8 | 4 blob, u64 length, bytes
 * </pre>
 *
 * A value is valid if (1) its tag is one of these, (2) nothing is missing and nothing follows, (3) text is UTF-8.
 */
final class ValueCodec {

    private static final int NULL = 0;
    private static final int INTEGER = 1;
    private static final int REAL = 2;
    private static final int TEXT = 3;
    private static final int BLOB = 4;

    private ValueCodec() {}

    static ProxyProto.Value encode(Value value) {
        return ProxyProto.Value.newBuilder()
                .setData(ByteString.copyFrom(bytes(value)))
                .build();
    }

    private static byte[] bytes(Value value) {
        if (value instanceof Value.Int number) {
            return buffer(INTEGER, Long.BYTES).putLong(number.value()).array();
        }
        if (value instanceof Value.Real real) {
            return buffer(REAL, Double.BYTES).putDouble(real.value()).array();
        }
        if (value instanceof Value.Text text) {
            return sized(TEXT, text.value().getBytes(StandardCharsets.UTF_8));
        }
        return value instanceof Value.Blob blob
                ? sized(BLOB, blob.value())
                : buffer(NULL, 0).array();
    }

    private static byte[] sized(int tag, byte[] bytes) {
        return buffer(tag, Long.BYTES + bytes.length)
                .putLong(bytes.length)
                .put(bytes)
                .array();
    }

    private static ByteBuffer buffer(int tag, int length) {
        return ByteBuffer.allocate(Integer.BYTES + length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(tag);
    }

    /** @throws IllegalArgumentException if it breaks a rule of validity */
    static Value decode(ProxyProto.Value value) {
        ByteBuffer data = value.getData().asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
        try {
            Value decoded = decode(data);
            if (data.hasRemaining()) {
                throw new IllegalArgumentException("a value with " + data.remaining() + " bytes after its end");
            }
            return decoded;
        } catch (BufferUnderflowException e) {
            throw new IllegalArgumentException("a value that ends before its time: " + data.limit() + " bytes", e);
        }
    }

    private static Value decode(ByteBuffer data) {
        int tag = data.getInt();
        return switch (tag) {
            case NULL -> Value.NULL;
            case INTEGER -> new Value.Int(data.getLong());
            case REAL -> new Value.Real(data.getDouble());
            case TEXT -> new Value.Text(text(sized(data)));
            case BLOB -> new Value.Blob(sized(data));
            default -> throw new IllegalArgumentException("a value of unknown tag " + tag);
        };
    }

    private static byte[] sized(ByteBuffer data) {
        long length = data.getLong();
        if (length != data.remaining()) {
            throw new IllegalArgumentException(
                    "a value that says it has " + length + " bytes, with " + data.remaining());
        }
        byte[] bytes = new byte[data.remaining()];
        data.get(bytes);
        return bytes;
    }

    private static String text(byte[] bytes) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException("a text that is no UTF-8", e);
        }
    }

    /** The form that StreamExec uses in its answers. */
    static RowValue plain(Value value) {
        RowValue.Builder plain = RowValue.newBuilder();
        if (value instanceof Value.Int number) {
            plain.setInteger(number.value());
        } else if (value instanceof Value.Real real) {
            plain.setReal(real.value());
        } else if (value instanceof Value.Text text) {
            plain.setText(text.value());
        } else if (value instanceof Value.Blob blob) {
            plain.setBlob(ByteString.copyFrom(blob.value()));
        } else {
            plain.setNull(true);
        }
        return plain.build();
    }
}
