package dev.lockstep.apply;

import dev.lockstep.log.CommitRecord;
import dev.lockstep.testing.History;
import dev.lockstep.testing.TestPrimary;
import dev.lockstep.verify.PageVerifier;
import dev.lockstep.verify.VerifiedTransaction;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Replicas made and led by hand. */
final class Replicas {

    private Replicas() {}

    /** Makes a replica at the history's start, which is all that the primary's file holds. */
    static void create(Path database, TestPrimary primary) throws IOException {
        CommitRecord start = CommitRecord.before(primary.start());
        try (FirstCopy copy = FirstCopy.begin(
                database, primary.start().logId(), primary.start().pageSize(), start, "the test's primary", false)) {
            PageVerifier verifier = verifier(start, primary.start().pageSize());
            for (ByteBuffer pages : primary.pages()) {
                copy.pages(verifier.accept(pages));
            }
            copy.endOfPages();
            copy.finish();
        }
    }

    static PageVerifier verifier(CommitRecord start, int pageSize) {
        return new PageVerifier(pageSize, start.sizeAfter(), "the test's primary");
    }

    static Applier open(Path database, Applier.Options options) throws IOException {
        @Nullable Applier applier = Applier.open(database, options);
        if (applier == null) {
            throw new AssertionError(database + " is no replica");
        }
        return applier;
    }

    static Applier open(Path database) throws IOException {
        return open(database, Applier.Options.defaults());
    }

    /** Applies all that the replica lacks, at most {@code batch} transactions at a time, as a session does. */
    static void catchUp(Applier applier, History history, int batch) throws IOException {
        applier.primaryReaches(history.head().frameNo());
        while (applier.position().frameNo() < history.head().frameNo()) {
            List<VerifiedTransaction> next = history.after(applier.position(), applier.seen(), batch);
            if (next.isEmpty()) {
                throw new AssertionError("the history does not pass through " + applier.seen());
            }
            applier.apply(next);
        }
    }
}
