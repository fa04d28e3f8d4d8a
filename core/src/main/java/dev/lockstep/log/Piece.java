package dev.lockstep.log;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** A stretch of a log that can be verified by itself, a few megabytes long. */
interface Piece {

    /** What pieces should come to, as far as transactions allow. */
    int BYTES = 4 << 20;

    Tally verify(VerifyWorker worker) throws IOException;

    /**
     * What was found right in one or more consecutive pieces, and the fault after it.
     *
     * @param lastFrameNo the last commit frame found right, or -1
     * @param firstTimeMillis of the first transaction, or -1
     * @param lastTimeMillis of the last transaction, or -1
     */
    record Tally(
            long bytes,
            long frames,
            long transactions,
            long lastFrameNo,
            long firstTimeMillis,
            long lastTimeMillis,
            LogVerifier.@Nullable Fault fault) {

        static final Tally NOTHING = new Tally(0, 0, 0, -1, -1, -1, null);

        static Tally fault(LogVerifier.Fault fault) {
            return new Tally(0, 0, 0, -1, -1, -1, fault);
        }

        Tally plus(Tally next) {
            return new Tally(
                    bytes + next.bytes,
                    frames + next.frames,
                    transactions + next.transactions,
                    Math.max(lastFrameNo, next.lastFrameNo),
                    firstTimeMillis >= 0 ? firstTimeMillis : next.firstTimeMillis,
                    next.lastTimeMillis >= 0 ? next.lastTimeMillis : lastTimeMillis,
                    next.fault);
        }
    }
}
