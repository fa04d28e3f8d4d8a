package dev.lockstep.stream;

import dev.lockstep.RefusedException;
import dev.lockstep.log.CommitRecord;
import dev.lockstep.verify.VerifiedPages;
import dev.lockstep.verify.VerifiedTransaction;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Where a receiver puts what it has verified: the replica's files. Used by one thread. An {@link IOException} that is none of
 * Lockstep's own leaves the target in doubt; it must then be opened anew.
 */
public interface Target {

    /**
     * Where a replica stands. Of its commits only frame number, checksum and seal need to be right.
     *
     * @param position where to continue
     * @param seen later commits that readers may have seen, ascending
     */
    record Standing(UUID logId, int pageSize, CommitRecord position, List<CommitRecord> seen) {

        Place place() {
            return Place.of(logId, pageSize, position);
        }

        long reached() {
            return seen.isEmpty()
                    ? position.frameNo()
                    : seen.get(seen.size() - 1).frameNo();
        }
    }

    /** What is there, or null if there is nothing yet (or it is to be replaced). */
    @Nullable
    Standing standing() throws IOException;

    /** For temporary files. */
    Path spoolDirectory();

    /** Begins a copy of the whole database beside what is there; one that was begun before is given up. */
    void beginCopy(UUID logId, int pageSize, CommitRecord start, int pages) throws IOException;

    /** Adds pages to the copy. */
    void addPages(VerifiedPages pages) throws IOException;

    /** Applies transactions to the copy, which nobody reads yet. */
    void mend(List<VerifiedTransaction> transactions) throws IOException;

    /**
     * Proves that the copy has the state checksum of this commit, the last that was applied to it, and puts it in place.
     *
     * @throws RefusedException if it has not
     */
    void finishCopy(CommitRecord at) throws IOException;

    /** Tells how far the primary's history reaches, when a session that continues from {@link #standing} begins. */
    void primaryReaches(long frameNo);

    /** Applies, as one, a run of transactions that ends at the last commit in {@link Standing#seen}. */
    void redo(VerifiedTransaction run) throws IOException;

    /** Applies transactions, which continue what was applied before. Some may still be unapplied when it throws. */
    void apply(List<VerifiedTransaction> transactions) throws IOException;

    /** The last frame that readers see, or -1. */
    long applied();

    /** The last frame that survives a loss of power, or -1. */
    long durable();
}
