package dev.lockstep.log;

import dev.lockstep.CorruptException;
import dev.lockstep.UnsupportedException;
import dev.lockstep.io.StoredFile;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A file of frames without a commit index: a {@code wallog} of libSQL, or bare frames, whose page size shows in the file's length and
 * in the number of the second frame.
 *
 * @param logId null in bare frames
 * @param end the number after the last frame
 * @param notes what was noticed on opening
 */
record PlainLog(@Nullable UUID logId, FrameFile frames, long end, List<String> notes) implements Closeable {

    /** Takes over the file, which is open for reading; closes it when it is none of these. */
    static PlainLog open(StoredFile file) throws IOException {
        try {
            ByteBuffer head = ByteBuffer.allocate(SegmentHeader.LENGTH).order(ByteOrder.LITTLE_ENDIAN);
            file.read(head, 0);
            return SegmentHeader.hasMagic(head.flip())
                    ? withHeader(file, SegmentHeader.decode(head, file.path()))
                    : bare(file);
        } catch (Throwable e) {
            file.close();
            throw e;
        }
    }

    private static PlainLog withHeader(StoredFile file, SegmentHeader header) throws IOException {
        FrameFile frames = FrameFile.of(file, header);
        long whole = frames.wholeFrames();
        if (whole < header.frameCount()) {
            throw new CorruptException(String.format(
                    "%s has room for %d frames, but its header counts %d", file.path(), whole, header.frameCount()));
        }
        List<String> notes = new ArrayList<>();
        long count = whole;
        if (header.frameCount() > 0 && whole > header.frameCount()) {
            count = header.frameCount();
            notes.add((whole - count) + " frames beyond the header's frame count were not looked at");
        }
        if (header.frameCount() == 0) { // an open segment of ours may end in zeros that were written ahead
            while (count > 0 && frames.isBlank(header.startFrameNo() + count - 1)) {
                count--;
            }
        }
        long torn = file.size() - frames.offsetOf(header.startFrameNo() + whole);
        if (torn > 0) {
            notes.add(torn + " bytes after the last whole frame");
        }
        return new PlainLog(header.logId(), frames, header.startFrameNo() + count, notes);
    }

    private static PlainLog bare(StoredFile file) throws IOException {
        int pageSize = barePageSize(file);
        ByteBuffer first = ByteBuffer.allocate(FrameLayout.HEADER).order(ByteOrder.LITTLE_ENDIAN);
        file.read(first, 0);
        long firstNo = FrameLayout.frameNo(first, 0);
        long count = file.size() / FrameLayout.frameSize(pageSize);
        List<String> notes = new ArrayList<>();
        if (firstNo == 0) {
            return new PlainLog(null, new FrameFile(file, 0, pageSize, 0, 0), count, notes);
        }
        notes.add("the checksum before frame " + firstNo + " is unknown, so that frame was taken as it is");
        FrameFile rest = new FrameFile(
                file, FrameLayout.frameSize(pageSize), pageSize, firstNo + 1, FrameLayout.checksum(first, 0));
        return new PlainLog(null, rest, firstNo + count, notes);
    }

    private static int barePageSize(StoredFile file) throws IOException {
        ByteBuffer numbers = ByteBuffer.allocate(2 * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (int pageSize : new int[] {4096, 512, 1024, 2048, 8192, 16384, 32768, 65536}) {
            int frameSize = FrameLayout.frameSize(pageSize);
            file.read(numbers.clear().limit(Long.BYTES), 0);
            file.read(numbers.limit(2 * Long.BYTES), frameSize);
            boolean fits = file.size() > 0 && file.size() % frameSize == 0;
            boolean single = file.size() == frameSize;
            if (fits && (single || numbers.getLong(Long.BYTES) == numbers.getLong(0) + 1)) {
                return pageSize;
            }
        }
        throw new UnsupportedException(file.path() + " is neither a wallog (\"SQLDWAL\") nor a file of bare frames");
    }

    @Override
    public void close() throws IOException {
        frames.file().close();
    }
}
