package dev.lockstep.log;

import dev.lockstep.io.Storage;
import java.io.IOException;

/**
 * What the log knows of one of its segments. The frames stand in {@code %020d.wallog}, the commit index in {@code %020d.commits},
 * both named for the first frame. A transaction is never divided between segments.
 */
final class Segment {

    private static final String FRAMES = ".wallog";
    private static final String COMMITS = ".commits";

    final SegmentHeader header;

    /** The commit before the first frame. */
    final CommitRecord base;

    /** Transactions in the commit index. Written by the appender only, after the record itself was written. */
    private volatile int commits;

    /** The last transaction, or the base. Written by the appender only, after {@link #commits}. */
    private volatile CommitRecord last;

    Segment(SegmentHeader header, CommitRecord base, int commits, CommitRecord last) {
        this.header = header;
        this.base = base;
        this.commits = commits;
        this.last = last;
    }

    static Segment empty(SegmentHeader header, CommitRecord base) {
        return new Segment(header, base, 0, base);
    }

    void grownTo(int count, CommitRecord newest) {
        commits = count;
        last = newest;
    }

    long startFrameNo() {
        return header.startFrameNo();
    }

    int commits() {
        return commits;
    }

    CommitRecord last() {
        return last;
    }

    /** The size of the frame file up to the last commit. */
    long frameBytes() {
        return header.offsetOf(last.frameNo() + 1);
    }

    SegmentReader openForReading(Storage storage) throws IOException {
        return SegmentReader.open(storage, startFrameNo());
    }

    static String framesName(long startFrameNo) {
        return String.format("%020d%s", startFrameNo, FRAMES);
    }

    static String commitsName(long startFrameNo) {
        return String.format("%020d%s", startFrameNo, COMMITS);
    }

    static boolean isFramesName(String name) {
        return name.matches("\\d{20}\\.wallog");
    }

    static boolean isCommitsName(String name) {
        return name.matches("\\d{20}\\.commits");
    }

    /** The first frame's number in a name for which one of the two tests above holds. */
    static long startFrameNo(String name) {
        return Long.parseLong(name, 0, 20, 10);
    }
}
