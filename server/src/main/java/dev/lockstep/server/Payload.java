package dev.lockstep.server;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdException;
import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import dev.lockstep.stream.SenderOptions;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Frames or pages as they stand in a message, plain or compressed.
 *
 * @param rawLength 0 if plain
 */
record Payload(ByteString bytes, int rawLength) {

    /** Fast: the network is what compression is to save, not the processor. */
    private static final int LEVEL = 1;

    /** Less than this is not worth it. */
    private static final int COMPRESS_FROM = 1024;

    /** The buffer must not change any more. */
    static Payload of(ByteBuffer buffer, boolean zstd) {
        if (zstd && buffer.remaining() >= COMPRESS_FROM) {
            byte[] raw = new byte[buffer.remaining()];
            buffer.duplicate().get(raw);
            byte[] compressed = Zstd.compress(raw, LEVEL);
            if (compressed.length < raw.length) {
                return new Payload(UnsafeByteOperations.unsafeWrap(compressed), raw.length);
            }
        }
        return new Payload(UnsafeByteOperations.unsafeWrap(buffer), 0);
    }

    /**
     * The bytes, little-endian, and only to be read.
     *
     * @throws IllegalArgumentException if they cannot be decompressed to the length told
     */
    ByteBuffer open() {
        ByteBuffer plain = rawLength == 0 ? bytes.asReadOnlyByteBuffer() : ByteBuffer.wrap(decompress());
        return plain.order(ByteOrder.LITTLE_ENDIAN);
    }

    private byte[] decompress() {
        if (rawLength < 0 || rawLength > SenderOptions.MAX_MESSAGE_BYTES) {
            throw new IllegalArgumentException(
                    "raw length " + Integer.toUnsignedString(rawLength) + " above " + SenderOptions.MAX_MESSAGE_BYTES);
        }
        byte[] plain = new byte[rawLength];
        long length;
        try {
            length = Zstd.decompress(plain, bytes.toByteArray());
        } catch (ZstdException e) {
            throw new IllegalArgumentException("compressed bytes: " + e.getMessage(), e);
        }
        if (length != rawLength) {
            throw new IllegalArgumentException("compressed bytes: " + length + " bytes instead of " + rawLength);
        }
        return plain;
    }
}
