package dev.lockstep.pages;

import dev.lockstep.io.Mapping;
import java.io.Closeable;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * The file under the page index: one mapped 16-byte entry per page, and a header that says from which frame on the log must be
 * replayed over the entries.
 *
 * <pre>
 *    0  header slot 0     2048  header slot 1     4096  entries; page p at 4096 + (p - 1) * 16
 *
 * header slot, little-endian                      entry, little-endian
 *  0 8 B "LSPAGES2"                                0 u64 content CRC
 *  8 u32 page size                                 8 u64 number of the last frame that wrote the page, plus 1;
 * 12 u32 pages in the database                             0 = no such page
 * 16 u64 x 2 log_id, most significant half first
 * 32 u64 frame_no
 * 40 u64 state checksum at frame_no
 * 48 u64 sequence: of two valid slots the one with the higher sequence counts
 * 56 u32 CRC-32C of bytes 0-55
 * </pre>
 *
 * Entries may be newer than the header says, but never newer than the durable end of the log; so replaying the log from the
 * header's frame makes them exact after any crash.
 *
 * <p>The file grows by doubling, from 16 KiB to 16 MiB at a time, with zeros that are written before they are mapped: on a full disk
 * a store into a hole would end in an error that the JVM reports anywhere, or nowhere. (LSPAGES1 had holes.)
 *
 * <p>Entries are written by one thread and may be read by others, each half atomically.
 */
final class PageTable implements Closeable {

    private static final long MAGIC = ByteBuffer.wrap("LSPAGES2".getBytes(StandardCharsets.US_ASCII))
            .order(ByteOrder.LITTLE_ENDIAN)
            .getLong();
    private static final int ENTRIES = 4096;
    private static final int SLOT_DISTANCE = 2048;
    private static final int SLOT_SIZE = 60;
    private static final int CHUNK = 1 << 24;
    private static final int SMALLEST = 1 << 14;
    private static final int ENTRIES_PER_CHUNK = CHUNK / 16;
    private static final VarHandle LONG = MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    /** What a header slot holds. */
    record Header(UUID logId, int pageSize, int pages, long frameNo, long state) {}

    private final Path path;
    private final RandomAccessFile file;
    private final MappedByteBuffer slots;

    /** All of {@link #CHUNK} bytes but for the last, which is replaced by a longer one as the file grows. */
    private volatile List<MappedByteBuffer> chunks = List.of();

    private long sequence;

    /** Opens or creates the file. */
    PageTable(Path path) throws IOException {
        this.path = path;
        file = new RandomAccessFile(path.toFile(), "rw");
        boolean mapped = false;
        try {
            slots = map(0, ENTRIES);
            mapped = true;
        } finally {
            if (!mapped) {
                file.close();
            }
        }
    }

    /** The newest valid header, or null when there is none: the file is new, or damaged. */
    @Nullable
    Header header() {
        Header newest = null;
        for (int slot = 0; slot < 2; slot++) {
            ByteBuffer bytes = slots.slice(slot * SLOT_DISTANCE, SLOT_SIZE).order(ByteOrder.LITTLE_ENDIAN);
            if (bytes.getLong(0) == MAGIC && bytes.getInt(56) == crc(bytes) && bytes.getLong(48) > sequence) {
                sequence = bytes.getLong(48);
                newest = new Header(
                        new UUID(bytes.getLong(16), bytes.getLong(24)),
                        bytes.getInt(8),
                        bytes.getInt(12),
                        bytes.getLong(32),
                        bytes.getLong(40));
            }
        }
        return newest;
    }

    /** Makes all entries durable, then the header that vouches for them. */
    void force(Header header) {
        chunks.forEach(MappedByteBuffer::force);
        sequence++;
        int slot = (int) (sequence & 1) * SLOT_DISTANCE;
        ByteBuffer bytes = slots.slice(slot, SLOT_SIZE).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(0, MAGIC)
                .putInt(8, header.pageSize())
                .putInt(12, header.pages())
                .putLong(16, header.logId().getMostSignificantBits())
                .putLong(24, header.logId().getLeastSignificantBits())
                .putLong(32, header.frameNo())
                .putLong(40, header.state())
                .putLong(48, sequence);
        bytes.putInt(56, crc(bytes));
        slots.force();
    }

    private static int crc(ByteBuffer slot) {
        CRC32C crc = new CRC32C();
        crc.update(slot.slice(0, 56));
        return (int) crc.getValue();
    }

    long contentCrc(int pageNo) {
        MappedByteBuffer chunk = chunkOrNull(pageNo);
        return chunk == null ? 0 : (long) LONG.getOpaque(chunk, offset(pageNo));
    }

    /** The number of the last frame that wrote the page, plus 1; 0 when there is no such page. */
    long frameNoPlusOne(int pageNo) {
        MappedByteBuffer chunk = chunkOrNull(pageNo);
        return chunk == null ? 0 : (long) LONG.getOpaque(chunk, offset(pageNo) + 8);
    }

    void set(int pageNo, long contentCrc, long frameNoPlusOne) throws IOException {
        MappedByteBuffer chunk = chunk(pageNo);
        LONG.setOpaque(chunk, offset(pageNo), contentCrc);
        LONG.setOpaque(chunk, offset(pageNo) + 8, frameNoPlusOne);
    }

    private static int chunkOf(int pageNo) {
        return Integer.divideUnsigned(pageNo - 1, ENTRIES_PER_CHUNK);
    }

    private static int offset(int pageNo) {
        return (pageNo - 1) % ENTRIES_PER_CHUNK * 16;
    }

    private @Nullable MappedByteBuffer chunkOrNull(int pageNo) {
        List<MappedByteBuffer> mapped = chunks;
        int n = chunkOf(pageNo);
        return n < mapped.size() && offset(pageNo) < mapped.get(n).capacity() ? mapped.get(n) : null;
    }

    private MappedByteBuffer chunk(int pageNo) throws IOException {
        MappedByteBuffer chunk = chunkOrNull(pageNo);
        return chunk != null ? chunk : growTo(chunkOf(pageNo), offset(pageNo));
    }

    private MappedByteBuffer growTo(int n, int offset) throws IOException {
        List<MappedByteBuffer> longer = new ArrayList<>(chunks);
        if (!longer.isEmpty() && longer.get(longer.size() - 1).capacity() < CHUNK) {
            longer.remove(longer.size() - 1);
        }
        while (longer.size() <= n) {
            int size = longer.size() < n ? CHUNK : Math.max(SMALLEST, 2 * Integer.highestOneBit(offset));
            longer.add(map(ENTRIES + (long) longer.size() * CHUNK, size));
        }
        chunks = List.copyOf(longer);
        return longer.get(n);
    }

    private MappedByteBuffer map(long start, int size) throws IOException {
        try {
            Mapping.extend(file, start + size);
        } catch (IOException e) {
            throw new IOException(
                    path + ": expected room for " + (start + size) + " bytes of page index, found " + file.length()
                            + " (" + e.getMessage() + "); make room on its disk",
                    e);
        }
        MappedByteBuffer bytes = Mapping.map(file, start, size);
        bytes.order(ByteOrder.LITTLE_ENDIAN);
        return bytes;
    }

    /** Maps what the file already holds, so that {@link #contentCrc} sees it. */
    void mapExisting(int pages) throws IOException {
        if (pages > 0) {
            chunk(pages);
        }
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
