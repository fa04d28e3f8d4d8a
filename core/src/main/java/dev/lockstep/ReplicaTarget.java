package dev.lockstep;

import dev.lockstep.apply.Applier;
import dev.lockstep.apply.FirstCopy;
import dev.lockstep.log.CommitRecord;
import dev.lockstep.stream.Target;
import dev.lockstep.verify.VerifiedPages;
import dev.lockstep.verify.VerifiedTransaction;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The files of a replica, as a session fills them: a first copy until there is a database, then an applier. One thread. */
final class ReplicaTarget implements Target, Closeable {

    private final Path database;
    private final Applier.Options options;
    private final String source;

    /** Whether a first copy may replace what is there; no other once one is complete. */
    private boolean force;

    private @Nullable FirstCopy copy;
    private boolean pagesEnded;

    /** Written by the replica's thread. */
    private volatile @Nullable Applier applier;

    ReplicaTarget(Path database, Applier.Options options, boolean force, String source) {
        this.database = database;
        this.options = options;
        this.force = force;
        this.source = source;
    }

    /**
     * Opens the replica that is there, if it is to be kept.
     *
     * @throws NotAReplicaException if something else is there
     * @throws UnavailableException if it is in use
     */
    void open() throws IOException {
        if (force) {
            FirstCopy.requireReplaceable(database);
        } else {
            applier = Applier.open(database, options);
        }
    }

    /** The applier of the replica; null before its first copy is finished. */
    @Nullable
    Applier applier() {
        return applier;
    }

    private Applier requireApplier() {
        Applier there = applier;
        if (there == null) {
            throw new IllegalStateException("there is no replica yet");
        }
        return there;
    }

    private FirstCopy requireCopy() {
        FirstCopy begun = copy;
        if (begun == null) {
            throw new IllegalStateException("no copy was begun");
        }
        return begun;
    }

    @Override
    public @Nullable Standing standing() {
        Applier there = applier;
        return there == null ? null : new Standing(there.logId(), there.pageSize(), there.position(), there.seen());
    }

    @Override
    public void primaryReaches(long frameNo) {
        requireApplier().primaryReaches(frameNo);
    }

    @Override
    public Path spoolDirectory() {
        return database.resolveSibling(".");
    }

    @Override
    public void beginCopy(UUID logId, int pageSize, CommitRecord start, int pages) throws IOException {
        closeCopy();
        pagesEnded = false;
        copy = FirstCopy.begin(database, logId, pageSize, start, source, force);
    }

    @Override
    public void addPages(VerifiedPages pages) throws IOException {
        requireCopy().pages(pages);
    }

    @Override
    public void mend(List<VerifiedTransaction> transactions) throws IOException {
        endPages();
        for (VerifiedTransaction transaction : transactions) {
            requireCopy().apply(transaction);
        }
    }

    private void endPages() throws IOException {
        if (!pagesEnded) {
            requireCopy().endOfPages();
            pagesEnded = true;
        }
    }

    @Override
    public void finishCopy(CommitRecord at) throws IOException {
        endPages();
        FirstCopy complete = requireCopy();
        try {
            complete.finish();
        } finally {
            force = force && !complete.isComplete();
        }
        closeCopy();
        open();
    }

    private void closeCopy() throws IOException {
        FirstCopy begun = copy;
        copy = null;
        if (begun != null) {
            begun.close();
        }
    }

    @Override
    public void redo(VerifiedTransaction run) throws IOException {
        apply(List.of(run));
    }

    @Override
    public void apply(List<VerifiedTransaction> transactions) throws IOException {
        requireApplier().apply(transactions);
    }

    @Override
    public long applied() {
        Applier there = applier;
        return there == null ? -1 : there.visible().frameNo();
    }

    @Override
    public long durable() {
        Applier there = applier;
        return there == null ? -1 : there.durable().frameNo();
    }

    /** Lets go of the files; {@link #open} takes them up again. */
    @Override
    public void close() throws IOException {
        Applier there = applier;
        applier = null;
        try {
            closeCopy();
        } finally {
            if (there != null) {
                there.close();
            }
        }
    }
}
