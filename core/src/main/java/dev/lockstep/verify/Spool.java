package dev.lockstep.verify;

import dev.lockstep.CorruptException;
import dev.lockstep.log.Crc64;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * A temporary file for the frames of one large transaction. It is unlinked as soon as it is open, so that no crash leaves it
 * behind.
 *
 * <p>What is read back is compared with a CRC taken while writing: frames are verified before they go in, and nothing else may
 * come out (G2).
 *
 * <p>Not thread-safe.
 */
final class Spool implements AutoCloseable {

    private record Chunk(long position, int length, long crc) {}

    private final FileChannel file;
    private final List<Chunk> chunks = new ArrayList<>();
    private long size;

    Spool(Path directory) throws IOException {
        Files.createDirectories(directory);
        Path path = Files.createTempFile(directory, "lockstep-spool-", ".tmp");
        file = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE);
        Files.delete(path);
    }

    /** Adds the bytes from position to limit, as one chunk; leaves the position alone. */
    void append(ByteBuffer bytes) throws IOException {
        ByteBuffer rest = bytes.duplicate();
        long crc = Crc64.of(bytes, bytes.position(), bytes.remaining());
        chunks.add(new Chunk(size, bytes.remaining(), crc));
        while (rest.hasRemaining()) {
            size += file.write(rest, size);
        }
    }

    /** Hands out the chunks in order, each in the same buffer, little-endian. */
    void read(VerifiedTransaction.Chunks consumer) throws IOException {
        int longest = chunks.stream().mapToInt(Chunk::length).max().orElse(0);
        ByteBuffer buffer = ByteBuffer.allocate(longest).order(ByteOrder.LITTLE_ENDIAN);
        for (Chunk chunk : chunks) {
            buffer.clear().limit(chunk.length);
            fill(buffer, chunk.position);
            buffer.flip();
            long crc = Crc64.of(buffer, 0, chunk.length);
            if (crc != chunk.crc) {
                throw new CorruptException(String.format(
                        "the temporary file of a large transaction changed at offset %d: expected CRC %016x, found %016x; "
                                + "check the disk",
                        chunk.position, chunk.crc, crc));
            }
            consumer.accept(buffer);
        }
    }

    private void fill(ByteBuffer buffer, long position) throws IOException {
        long at = position;
        while (buffer.hasRemaining()) {
            int n = file.read(buffer, at);
            if (n < 0) {
                break; // the CRC will not fit
            }
            at += n;
        }
    }

    /** Flips a bit of the file, for the test of the CRC. */
    void damage(long position) throws IOException {
        ByteBuffer one = ByteBuffer.allocate(1);
        file.read(one, position);
        one.put(0, (byte) (one.get(0) ^ 1));
        file.write(one.flip(), position);
    }

    @Override
    public void close() {
        try {
            file.close();
        } catch (IOException ignored) {
            // the file has no name any more, and nobody needs its bytes
        }
    }
}
