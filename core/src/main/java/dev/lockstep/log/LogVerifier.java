package dev.lockstep.log;

import dev.lockstep.CorruptException;
import dev.lockstep.Progress;
import dev.lockstep.io.StoredFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Verifies logs as they lie on disk, on all cores, without changing anything; also while a primary writes them.
 *
 * <ul>
 *   <li>A directory of segments, or one segment: every frame's number, page number and checksum; every commit record; that
 *       transactions end where their records say; and, unless told not to, every transaction's seal.
 *   <li>A {@code wallog} written by libSQL, or bare frames without a header: frames only. The chain does not cover their
 *       headers, and nothing but the chain speaks of them.
 *   <li>A {@code .snap} snapshot: its header, the order of frames, and the chain wherever a frame's predecessor was kept, too.
 * </ul>
 *
 * Every frame carries its checksum, so each can be checked by itself, given the frame before. Content CRCs take nearly all of the
 * time, and seals several times more than these: SHA-256 is about as slow as a disk.
 */
public final class LogVerifier {

    private LogVerifier() {}

    /**
     * The first thing that is wrong.
     *
     * @param file the path of the file; empty when it is not a frame that is wrong, but a header, a length or a commit record
     * @param offset where the frame stands in it; -1 when it is not a frame
     * @param frameNo -1 when it is not a frame
     * @param fault expected and found; found is a whole sentence when it is not a frame
     */
    public record Fault(String file, long offset, long frameNo, FrameFault fault) {

        @Override
        public String toString() {
            return frameNo < 0
                    ? fault.found()
                    : "frame " + frameNo + " at offset " + offset + " of " + file + ": " + fault;
        }

        static Fault of(CorruptException damaged) {
            return new Fault("", -1, -1, new FrameFault("file", "a sound one", String.valueOf(damaged.getMessage())));
        }

        static Fault of(FrameWalk.Located located, FrameFile frames) {
            long offset = frames.offsetOf(located.frameNo());
            return new Fault(frames.file().path(), offset, located.frameNo(), located.fault());
        }
    }

    /**
     * What was verified.
     *
     * @param logId null in files that do not say
     * @param segments files of frames
     * @param frames that were found right
     * @param transactions that were found right
     * @param firstFrameNo of the log; meaningless when it has no frames
     * @param lastFrameNo the last committed frame
     * @param firstTimeMillis of the first transaction; -1 when unknown
     * @param lastTimeMillis of the last transaction; -1 when unknown
     * @param sealed whether seals were verified
     * @param bytes read for it
     * @param notes what is worth knowing and not wrong
     * @param fault null when everything is right
     */
    public record Result(
            @Nullable UUID logId,
            int pageSize,
            int segments,
            long frames,
            long transactions,
            long firstFrameNo,
            long lastFrameNo,
            long firstTimeMillis,
            long lastTimeMillis,
            boolean sealed,
            long bytes,
            List<String> notes,
            @Nullable Fault fault) {

        public boolean sound() {
            return fault == null;
        }
    }

    /** Verifies on all cores, with seals. */
    public static Result verify(Path path, Progress progress) throws IOException {
        return verify(path, true, Runtime.getRuntime().availableProcessors(), progress);
    }

    /**
     * Verifies a directory of segments or a file, whose kind is found out from its name and content.
     *
     * @throws IOException when something cannot be read; damage is no exception but part of the result
     */
    public static Result verify(Path path, boolean seals, int threads, Progress progress) throws IOException {
        return verify(LogSource.of(path), seals, threads, progress);
    }

    static Result verify(LogSource source, boolean seals, int threads, Progress progress) throws IOException {
        if (source.isSnapshot()) {
            try (StoredFile file = source.storage().openForReading(source.name())) {
                return new SnapshotCheck(file, progress).check();
            }
        }
        try (Pieces pieces = source.isSegments()
                ? new SegmentPieces(source.storage(), source.starts(), seals)
                : new FramePieces(source.openPlain())) {
            Piece.Tally tally = VerifyRun.run(source.storage(), pieces, threads, progress);
            return result(pieces.facts(), tally);
        } catch (CorruptException e) {
            return new Result(null, 0, 0, 0, 0, 0, -1, -1, -1, seals, 0, List.of(), Fault.of(e));
        }
    }

    private static Result result(Pieces.Facts facts, Piece.Tally tally) {
        List<String> notes = new ArrayList<>(facts.notes());
        Fault fault = tally.fault();
        if (fault != null && fault.frameNo() > facts.synced()) {
            notes.add("torn after the last commit that is whole, which the next start will cut off: " + fault);
            fault = null;
        }
        return new Result(
                facts.logId(),
                facts.pageSize(),
                facts.segments(),
                tally.frames(),
                tally.transactions(),
                facts.committedFrameNo() + 1,
                Math.max(facts.committedFrameNo(), tally.lastFrameNo()),
                tally.firstTimeMillis(),
                tally.lastTimeMillis(),
                facts.sealed(),
                tally.bytes(),
                notes,
                fault);
    }
}
