package dev.lockstep.pages;

import java.io.Closeable;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel.MapMode;
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
 *  0 8 B "LSPAGES1"                                0 u64 content CRC
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
 * <p>Entries are written by one thread and may be read by others, each half atomically.
 */
final class PageTable implements Closeable {

    private static final long MAGIC = ByteBuffer.wrap("LSPAGES1".getBytes(StandardCharsets.US_ASCII))
            .order(ByteOrder.LITTLE_ENDIAN)
            .getLong();
    private static final int ENTRIES = 4096;
    private static final int SLOT_DISTANCE = 2048;
    private static final int SLOT_SIZE = 60;
    private static final int CHUNK = 1 << 24;
    private static final int ENTRIES_PER_CHUNK = CHUNK / 16;
    private static final VarHandle LONG = MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    /** What a header slot holds. */
    record Header(UUID logId, int pageSize, int pages, long frameNo, long state) {}

    private final RandomAccessFile file;
    private final MappedByteBuffer slots;
    private volatile List<MappedByteBuffer> chunks = List.of();
    private long sequence;

    /** Opens or creates the file. */
    PageTable(Path path) throws IOException {
        file = new RandomAccessFile(path.toFile(), "rw");
        slots = file.getChannel().map(MapMode.READ_WRITE, 0, ENTRIES);
        slots.order(ByteOrder.LITTLE_ENDIAN);
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
        return n < mapped.size() ? mapped.get(n) : null;
    }

    private MappedByteBuffer chunk(int pageNo) throws IOException {
        int n = chunkOf(pageNo);
        if (n >= chunks.size()) {
            List<MappedByteBuffer> more = new ArrayList<>(chunks);
            while (more.size() <= n) {
                long start = ENTRIES + (long) more.size() * CHUNK;
                MappedByteBuffer chunk = file.getChannel().map(MapMode.READ_WRITE, start, CHUNK);
                chunk.order(ByteOrder.LITTLE_ENDIAN);
                more.add(chunk);
            }
            chunks = List.copyOf(more);
        }
        return chunks.get(n);
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
