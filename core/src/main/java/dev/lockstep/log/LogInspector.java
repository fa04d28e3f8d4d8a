package dev.lockstep.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Looks into logs as they lie on disk: the same paths as {@link LogVerifier}, except snapshots. Verifies nothing. */
public final class LogInspector {

    private LogInspector() {}

    /**
     * A transaction as its commit record tells it or, in files without a commit index, as its commit frame does.
     *
     * @param checksum the chain's, at the last frame
     * @param sizeAfter database size in pages
     * @param commit time, state checksum, place in the WAL and seal; null without a commit index
     */
    public record Transaction(
            long firstFrameNo,
            long lastFrameNo,
            long checksum,
            int sizeAfter,
            @Nullable CommitRecord commit) {

        public long frames() {
            return lastFrameNo + 1 - firstFrameNo;
        }
    }

    /** Sees transactions in order. */
    public interface Visitor {

        /** Returns whether to go on. */
        boolean visit(Transaction transaction) throws IOException;
    }

    /**
     * A frame with its surroundings.
     *
     * @param expectedChecksum the checksum before, continued over this frame's page; equal to {@code checksum} in a sound log
     * @param previousChecksum of the frame before, as its header says
     * @param nextChecksum of the frame after, as its header says; null at the end
     * @param contentCrc of the page by itself
     * @param pageType what SQLite keeps on the page, as far as its first byte tells
     */
    public record Frame(
            String file,
            long offset,
            long frameNo,
            int pageNo,
            int sizeAfter,
            int pageSize,
            long checksum,
            long expectedChecksum,
            long previousChecksum,
            @Nullable Long nextChecksum,
            long contentCrc,
            String pageType) {

        public boolean continuesTheChain() {
            return checksum == expectedChecksum;
        }

        private Frame before(@Nullable Long next) {
            return new Frame(
                    file,
                    offset,
                    frameNo,
                    pageNo,
                    sizeAfter,
                    pageSize,
                    checksum,
                    expectedChecksum,
                    previousChecksum,
                    next,
                    contentCrc,
                    pageType);
        }
    }

    /** Visits the committed transactions of a directory of segments or a file. */
    public static void transactions(Path path, Visitor visitor) throws IOException {
        LogSource source = LogSource.of(path);
        if (!source.isSegments()) {
            try (PlainLog log = source.openPlain()) {
                transactions(log, visitor);
            }
            return;
        }
        for (long start : source.starts()) {
            try (SegmentReader reader = SegmentFiles.open(source.storage(), start)) {
                if (!transactions(reader, visitor)) {
                    return;
                }
            }
        }
    }

    private static boolean transactions(SegmentReader reader, Visitor visitor) throws IOException {
        long[] next = {reader.header().startFrameNo()};
        boolean[] goOn = {true};
        int commits = CommitSlots.scan(reader).commits();
        reader.commits(1, commits + 1, commit -> {
            goOn[0] = visitor.visit(
                    new Transaction(next[0], commit.frameNo(), commit.checksum(), commit.sizeAfter(), commit));
            next[0] = commit.frameNo() + 1;
            return goOn[0];
        });
        return goOn[0];
    }

    private static void transactions(PlainLog log, Visitor visitor) throws IOException {
        long first = log.frames().firstFrameNo();
        for (long frameNo = first; frameNo < log.end(); frameNo++) {
            ByteBuffer header = log.frames().header(frameNo);
            int sizeAfter = FrameLayout.sizeAfter(header, 0);
            if (sizeAfter != 0) {
                long checksum = FrameLayout.checksum(header, 0);
                if (!visitor.visit(new Transaction(first, frameNo, checksum, sizeAfter, null))) {
                    return;
                }
                first = frameNo + 1;
            }
        }
    }

    /**
     * One committed frame by its number.
     *
     * @throws IllegalArgumentException if the log does not hold it
     */
    public static Frame frame(Path path, long frameNo) throws IOException {
        LogSource source = LogSource.of(path);
        if (!source.isSegments()) {
            try (PlainLog log = source.openPlain()) {
                return frame(log.frames(), log.end(), frameNo);
            }
        }
        long containing = source.starts().get(0);
        for (long start : source.starts()) {
            containing = start <= frameNo ? start : containing;
        }
        try (SegmentReader reader = SegmentFiles.open(source.storage(), containing)) {
            Frame frame = frame(reader.frames(), CommitSlots.scan(reader).last().frameNo() + 1, frameNo);
            return source.starts().contains(frameNo + 1) ? frame.before(firstChecksum(source, frameNo + 1)) : frame;
        }
    }

    /** The checksum of a segment's first frame, or null when it has no commit. */
    private static @Nullable Long firstChecksum(LogSource source, long start) throws IOException {
        try (SegmentReader reader = SegmentFiles.open(source.storage(), start)) {
            return reader.frames().wholeFrames() == 0
                    ? null
                    : (Long) reader.frames().checksumAt(start);
        }
    }

    private static Frame frame(FrameFile frames, long end, long frameNo) throws IOException {
        if (frameNo < frames.firstFrameNo() || frameNo >= end) {
            throw new IllegalArgumentException(
                    "frame " + frameNo + " is not in " + frames.file().path() + ", which holds "
                            + (end == frames.firstFrameNo()
                                    ? "none yet"
                                    : "frames " + frames.firstFrameNo() + " to " + (end - 1)));
        }
        ByteBuffer buf = ByteBuffer.allocate(frames.frameSize()).order(ByteOrder.LITTLE_ENDIAN);
        frames.read(buf, frameNo, 1);
        long previous = frames.checksumAt(frameNo - 1);
        long crc = Crc64.of(buf, FrameLayout.HEADER, frames.pageSize());
        int pageNo = FrameLayout.pageNo(buf, 0);
        return new Frame(
                frames.file().path(),
                frames.offsetOf(frameNo),
                FrameLayout.frameNo(buf, 0),
                pageNo,
                FrameLayout.sizeAfter(buf, 0),
                frames.pageSize(),
                FrameLayout.checksum(buf, 0),
                PageChain.of(frames.pageSize()).next(previous, crc),
                previous,
                frameNo + 1 < end ? (Long) frames.checksumAt(frameNo + 1) : null,
                crc,
                pageType(buf, pageNo));
    }

    /** SQLite's file format, section 1.6: the b-tree page header, which on page 1 follows the 100-byte database header. */
    private static String pageType(ByteBuffer frame, int pageNo) {
        int type = frame.get(FrameLayout.HEADER + (pageNo == 1 ? 100 : 0));
        return switch (type) {
            case 2 -> "index interior";
            case 5 -> "table interior";
            case 10 -> "index leaf";
            case 13 -> "table leaf";
            default -> "overflow, free list or pointer map";
        };
    }
}
