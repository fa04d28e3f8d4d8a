package dev.lockstep.log;

import dev.lockstep.CorruptException;
import dev.lockstep.Progress;
import dev.lockstep.io.StoredFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A snapshot of libSQL, little-endian, 4096-byte pages:
 *
 * <pre>
 * offset size field
 *      0   16 log_id
 *     16    8 start_frame_no
 *     24    8 end_frame_no
 *     32    8 frame_count
 *     40    4 size_after   database size in pages
 *     44    4 zeros
 *     48      frames ({@link FrameLayout}), newest first
 * </pre>
 *
 * Checked: (1) the file's length fits frame_count; (2) frame numbers descend from end_frame_no and stay within the range; (3) each
 * page is there once and within size_after; (4) size_after is 0 in each frame; (5) the chain, where a frame's predecessor was
 * kept, too. A snapshot leaves out the pages that were written again later, so a frame whose predecessor is missing cannot be
 * checked: its checksum speaks of a page that is not here.
 */
final class SnapshotCheck {

    private static final int HEADER = 48;
    private static final int PAGE_SIZE = 4096;

    private final StoredFile file;
    private final Progress progress;
    private final PageChain chain = PageChain.of(PAGE_SIZE);
    private final int frameSize = FrameLayout.frameSize(PAGE_SIZE);
    private final ByteBuffer buf = ByteBuffer.allocateDirect(frameSize).order(ByteOrder.LITTLE_ENDIAN);
    private final Set<Long> pages = new HashSet<>();

    private UUID logId = new UUID(0, 0);
    private long start;
    private long end;
    private long count;
    private int sizeAfter;

    /** The frames found right so far, from the end of the file, which is the oldest. */
    private long sound;

    /** Those of them that continue the chain of a frame that is here, too. */
    private long chained;

    /** The frame before, in the history's order; at first the state before frame 0. */
    private long frameNo = -1;

    private long checksum;

    SnapshotCheck(StoredFile file, Progress progress) {
        this.file = file;
        this.progress = progress;
    }

    LogVerifier.Result check() throws IOException {
        try {
            readHeader();
        } catch (CorruptException e) {
            return result(LogVerifier.Fault.of(e));
        }
        for (; sound < count; sound++) {
            long offset = HEADER + (count - 1 - sound) * frameSize;
            file.read(buf.clear(), offset);
            FrameFault fault = checkFrame();
            if (fault != null) {
                return result(new LogVerifier.Fault(file.path(), offset, FrameLayout.frameNo(buf, 0), fault));
            }
            frameNo = FrameLayout.frameNo(buf, 0);
            checksum = FrameLayout.checksum(buf, 0);
            progress.at((sound + 1) * frameSize, count * frameSize);
        }
        return result(null);
    }

    private void readHeader() throws IOException {
        if (file.read(buf.clear(), 0) < HEADER) {
            throw new CorruptException(file.path() + " is shorter than the 48-byte header of a snapshot");
        }
        logId = SegmentHeader.getUuid(buf, 0);
        start = buf.getLong(16);
        end = buf.getLong(24);
        count = buf.getLong(32);
        sizeAfter = buf.getInt(40);
        if (start < 0 || end < start || count < 1 || count > end + 1 - start || count > file.size() / frameSize) {
            throw new CorruptException(String.format(
                    "The header of %s does not fit: frames %d to %d, %d of them, in a file of %d bytes",
                    file.path(), start, end, count, file.size()));
        }
        if (file.size() != HEADER + count * frameSize) {
            throw new CorruptException(String.format(
                    "%s should have %d bytes for its %d frames, but has %d",
                    file.path(), HEADER + count * frameSize, count, file.size()));
        }
    }

    private @Nullable FrameFault checkFrame() {
        long found = FrameLayout.frameNo(buf, 0);
        boolean newest = sound == count - 1;
        if (found <= frameNo || found < start || found > end || (newest && found != end)) {
            String expected = newest ? Long.toString(end) : Math.max(start, frameNo + 1) + " to " + end;
            return new FrameFault("frame number", expected, Long.toString(found));
        }
        long pageNo = Integer.toUnsignedLong(FrameLayout.pageNo(buf, 0));
        if (pageNo < 1 || pageNo > Integer.toUnsignedLong(sizeAfter) || !pages.add(pageNo)) {
            String expected = "a page up to " + Integer.toUnsignedString(sizeAfter) + " that was not there yet";
            return new FrameFault("page number", expected, Long.toString(pageNo));
        }
        if (FrameLayout.sizeAfter(buf, 0) != 0) {
            return new FrameFault("size after commit", "0", Integer.toUnsignedString(FrameLayout.sizeAfter(buf, 0)));
        }
        return found == frameNo + 1 ? checkChain() : null;
    }

    private @Nullable FrameFault checkChain() {
        long expected = chain.next(checksum, buf, FrameLayout.HEADER);
        chained++;
        return expected == FrameLayout.checksum(buf, 0)
                ? null
                : FrameFault.checksum(expected, FrameLayout.checksum(buf, 0));
    }

    private LogVerifier.Result result(LogVerifier.@Nullable Fault fault) {
        List<String> notes = new ArrayList<>();
        notes.add("a snapshot keeps the newest version of each page: the chain could be checked for " + chained + " of "
                + sound + " frames");
        return new LogVerifier.Result(
                logId,
                PAGE_SIZE,
                1,
                sound,
                sound == count ? 1 : 0,
                start,
                sound == count ? end : frameNo,
                -1,
                -1,
                false,
                sound * frameSize,
                notes,
                fault);
    }
}
