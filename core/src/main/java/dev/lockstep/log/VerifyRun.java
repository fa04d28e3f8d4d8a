package dev.lockstep.log;

import dev.lockstep.CorruptException;
import dev.lockstep.Progress;
import dev.lockstep.io.Storage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Some threads that verify the pieces of one log. Pieces are handed out in order, and their results are added up in order, so
 * that the result is the same for any number of threads: all that is right before the first fault.
 */
final class VerifyRun {

    private final Pieces pieces;
    private final Progress progress;
    private final long bytesTotal;

    // All guarded by this object's lock.

    private int handedOut;
    private long bytesDone;

    /** The sum of the first {@link #added} pieces. */
    private Piece.Tally sum = Piece.Tally.NOTHING;

    private int added;

    /** Done before some piece in front of them. */
    private final TreeMap<Integer, Piece.Tally> early = new TreeMap<>();

    /** No piece is handed out any more. */
    private boolean stopped;

    private @Nullable Throwable failure;

    private VerifyRun(Pieces pieces, Progress progress) {
        this.pieces = pieces;
        this.progress = progress;
        this.bytesTotal = pieces.bytes();
    }

    static Piece.Tally run(Storage storage, Pieces pieces, int threads, Progress progress) throws IOException {
        VerifyRun run = new VerifyRun(pieces, progress);
        Pieces.Facts facts = pieces.facts();
        List<Thread> helpers = new ArrayList<>();
        for (int i = 1; i < threads; i++) {
            Thread helper = new Thread(() -> run.work(storage, facts), "verify-" + i);
            helper.setDaemon(true);
            helper.start();
            helpers.add(helper);
        }
        run.work(storage, facts);
        helpers.forEach(VerifyRun::join);
        return run.result();
    }

    private static void join(Thread thread) {
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void work(Storage storage, Pieces.Facts facts) {
        try (VerifyWorker worker = new VerifyWorker(storage, facts.pageSize(), facts.sealed(), this::read)) {
            for (Numbered piece; (piece = next()) != null; ) {
                done(piece.number, verify(piece.piece, worker));
            }
        } catch (Throwable e) {
            fail(e);
        }
    }

    private static Piece.Tally verify(Piece piece, VerifyWorker worker) throws IOException {
        try {
            return piece.verify(worker);
        } catch (CorruptException e) {
            return Piece.Tally.fault(LogVerifier.Fault.of(e));
        }
    }

    private record Numbered(int number, Piece piece) {}

    private synchronized @Nullable Numbered next() throws IOException {
        if (stopped) {
            return null;
        }
        try {
            Piece piece = pieces.next();
            stopped = piece == null;
            return piece == null ? null : new Numbered(handedOut++, piece);
        } catch (CorruptException e) {
            done(handedOut++, Piece.Tally.fault(LogVerifier.Fault.of(e)));
            return null;
        }
    }

    private synchronized void done(int number, Piece.Tally tally) {
        stopped |= tally.fault() != null;
        early.put(number, tally);
        for (Piece.Tally next; sum.fault() == null && (next = early.remove(added)) != null; added++) {
            sum = sum.plus(next);
        }
    }

    private synchronized void read(long bytes) {
        bytesDone += bytes;
        progress.at(Math.min(bytesDone, bytesTotal), bytesTotal);
    }

    private synchronized void fail(Throwable e) {
        stopped = true;
        if (failure == null) {
            failure = e;
        }
    }

    private synchronized Piece.Tally result() throws IOException {
        Throwable thrown = failure;
        if (thrown instanceof IOException unreadable) {
            throw unreadable;
        }
        if (thrown != null) {
            throw new IllegalStateException("verification failed to run", thrown);
        }
        return sum;
    }
}
