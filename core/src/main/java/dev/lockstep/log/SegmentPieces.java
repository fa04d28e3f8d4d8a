package dev.lockstep.log;

import dev.lockstep.io.Storage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The segments of a directory, or one of them, with their commit indexes. */
final class SegmentPieces implements Pieces {

    private final Storage storage;
    private final List<Long> starts;
    private final boolean seals;
    private final List<String> notes = new ArrayList<>();
    private final SegmentHeader first;
    private final long bytes;

    /** The segment being cut, the number of its transactions and how many of these were handed out. */
    private @Nullable SegmentReader reader;

    private int commits;
    private int handedOut;
    private int segments;

    /** The commit before the next piece. */
    private @Nullable CommitRecord previous;

    private long synced = Long.MAX_VALUE;

    /** @param starts the first frames of consecutive segments, at least one */
    SegmentPieces(Storage storage, List<Long> starts, boolean seals) throws IOException {
        this.storage = storage;
        this.starts = starts;
        this.seals = seals;
        long sum = 0;
        for (long start : starts) {
            sum += SegmentFiles.size(storage, Segment.framesName(start));
        }
        this.bytes = sum;
        try (SegmentReader oldest = SegmentFiles.open(storage, starts.get(0))) {
            this.first = oldest.header();
        }
    }

    @Override
    public @Nullable Piece next() throws IOException {
        while (reader == null || handedOut == commits) {
            if (segments == starts.size()) {
                return null;
            }
            openNext(starts.get(segments));
        }
        List<CommitRecord> taken = new ArrayList<>();
        CommitRecord before = Objects.requireNonNull(previous);
        SegmentReader cut = reader;
        cut.commits(handedOut + 1, commits + 1, commit -> {
            taken.add(commit);
            return (commit.frameNo() - before.frameNo()) * cut.frames().frameSize() < Piece.BYTES;
        });
        handedOut += taken.size();
        previous = taken.get(taken.size() - 1);
        return new TransactionsPiece(cut.header(), before, taken);
    }

    private void openNext(long start) throws IOException {
        close();
        SegmentReader opened = SegmentFiles.open(storage, start);
        reader = opened;
        commits = 0;
        handedOut = 0;
        SegmentFiles.checkContinues(opened, first, previous);
        previous = opened.base();
        segments++;
        if (SegmentFiles.isClosed(opened, segments == starts.size())) {
            commits = SegmentFiles.closed(opened).commits();
        } else {
            CommitSlots slots = CommitSlots.scan(opened);
            slots.checkSynced(opened);
            commits = slots.commits();
            synced = slots.syncedTo();
            if (!opened.frames().isBlank(slots.last().frameNo() + 1)) {
                notes.add("frames follow the last commit: an unfinished transaction or a torn tail");
            }
        }
    }

    @Override
    public long bytes() {
        return bytes;
    }

    @Override
    public Facts facts() {
        return new Facts(
                first.logId(), first.pageSize(), segments, first.startFrameNo() - 1, seals, synced, List.copyOf(notes));
    }

    @Override
    public void close() throws IOException {
        SegmentReader open = reader;
        reader = null;
        if (open != null) {
            open.close();
        }
    }

    /** Consecutive whole transactions of one segment. */
    private record TransactionsPiece(SegmentHeader segment, CommitRecord previous, List<CommitRecord> commits)
            implements Piece {

        @Override
        public Tally verify(VerifyWorker worker) throws IOException {
            SegmentReader reader = worker.segment(segment.startFrameNo());
            FrameWalk.Located located = worker.transactions.check(reader.frames(), previous, commits);
            int sound = worker.transactions.sound();
            long end = located == null ? commits.get(sound - 1).frameNo() + 1 : located.frameNo();
            long frames = end - 1 - previous.frameNo();
            return new Tally(
                    frames * reader.frames().frameSize(),
                    frames,
                    sound,
                    sound == 0 ? -1 : commits.get(sound - 1).frameNo(),
                    sound == 0 ? -1 : commits.get(0).timeMillis(),
                    sound == 0 ? -1 : commits.get(sound - 1).timeMillis(),
                    located == null ? null : LogVerifier.Fault.of(located, reader.frames()));
        }
    }
}
