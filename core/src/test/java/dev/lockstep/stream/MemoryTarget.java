package dev.lockstep.stream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lockstep.RefusedException;
import dev.lockstep.RefusedException.Kind;
import dev.lockstep.log.CommitRecord;
import dev.lockstep.log.FrameLayout;
import dev.lockstep.verify.TestHistory;
import dev.lockstep.verify.VerifiedPages;
import dev.lockstep.verify.VerifiedTransaction;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A replica without SQLite: pages in memory. It fails a test as soon as readers could see a state that was never committed (G1)
 * or go back. Not thread-safe, but for {@link #applied} and {@link #durable}.
 */
public class MemoryTarget implements Target {

    private final Path directory;

    private @Nullable UUID logId;
    private int pageSize;

    /** What readers see, and the commit that it is. */
    private TreeMap<Integer, byte[]> pages = new TreeMap<>();

    private @Nullable CommitRecord visible;

    /** The last state that would survive a crash, with what readers have seen since. */
    private TreeMap<Integer, byte[]> durablePages = new TreeMap<>();

    private @Nullable CommitRecord durable;
    private final List<CommitRecord> seen = new ArrayList<>();

    private TreeMap<Integer, byte[]> copy = new TreeMap<>();
    private volatile long appliedFrame = -1;
    private volatile long durableFrame = -1;
    private int copies;
    private int redos;
    private int batches;

    public MemoryTarget(Path directory) {
        this.directory = directory;
    }

    public SortedMap<Integer, byte[]> pages() {
        return pages;
    }

    public @Nullable CommitRecord visible() {
        return visible;
    }

    public int copies() {
        return copies;
    }

    public int redos() {
        return redos;
    }

    public int batches() {
        return batches;
    }

    /** Everything visible survives from now on. */
    public void makeDurable() {
        durable = visible;
        durablePages = new TreeMap<>(pages);
        durableFrame = appliedFrame;
        seen.clear();
    }

    /** Forgets everything, as when a copy is forced. */
    public void clear() {
        visible = null;
        durable = null;
        seen.clear();
        pages.clear();
    }

    /** Says from now on that it stands elsewhere, as a replica with another history would. */
    public void pretend(UUID otherLog, CommitRecord otherPosition) {
        logId = otherLog;
        durable = otherPosition;
        visible = otherPosition;
        seen.clear();
    }

    /** As after a crash: the position is the last durable one, the file is in doubt, and readers remember what they saw. */
    @Override
    public @Nullable Standing standing() {
        if (logId == null || durable == null) {
            return null;
        }
        return new Standing(logId, pageSize, durable, List.copyOf(seen));
    }

    @Override
    public Path spoolDirectory() {
        return directory;
    }

    @Override
    public void beginCopy(UUID id, int size, CommitRecord start, int count) {
        assertThat(visible).as("a copy must not overwrite a replica").isNull();
        logId = id;
        pageSize = size;
        copy = new TreeMap<>();
    }

    @Override
    public void addPages(VerifiedPages verified) {
        putAll(copy, verified.entries());
    }

    @Override
    public void mend(List<VerifiedTransaction> transactions) throws IOException {
        for (VerifiedTransaction transaction : transactions) {
            applyTo(copy, transaction);
        }
    }

    @Override
    public void finishCopy(CommitRecord at) throws RefusedException {
        copy.tailMap(at.sizeAfter() + 1).clear();
        long state = TestHistory.state(copy);
        if (state != at.stateChecksum()) {
            throw new RefusedException(
                    Kind.STATE, at.frameNo(), Long.toHexString(at.stateChecksum()), Long.toHexString(state), "test");
        }
        pages = copy;
        copies++;
        show(at);
        makeDurable();
    }

    @Override
    public void primaryReaches(long frameNo) {
        assertThat(frameNo).isGreaterThanOrEqualTo(durableFrame);
    }

    @Override
    public void redo(VerifiedTransaction run) throws IOException {
        assertThat(run.before().frameNo()).isEqualTo(durableFrame);
        assertThat(run.after().frameNo()).isEqualTo(appliedFrame);
        TreeMap<Integer, byte[]> redone = new TreeMap<>(durablePages);
        applyTo(redone, run);
        pages = redone;
        redos++;
        show(run.after());
        makeDurable();
    }

    @Override
    public void apply(List<VerifiedTransaction> transactions) throws IOException {
        batches++;
        for (VerifiedTransaction transaction : transactions) {
            assertThat(transaction.before()).isEqualTo(visible);
            applyTo(pages, transaction);
            show(transaction.after());
        }
    }

    private void applyTo(SortedMap<Integer, byte[]> database, VerifiedTransaction transaction) throws IOException {
        transaction.read(frames -> putAll(database, frames));
        database.tailMap(transaction.after().sizeAfter() + 1).clear();
    }

    private void putAll(SortedMap<Integer, byte[]> database, ByteBuffer frames) {
        for (int at = 0; at < frames.limit(); at += FrameLayout.frameSize(pageSize)) {
            byte[] page = new byte[pageSize];
            frames.get(at + FrameLayout.HEADER, page);
            database.put(FrameLayout.pageNo(frames, at), page);
            int size = FrameLayout.sizeAfter(frames, at);
            if (size != 0) {
                database.tailMap(size + 1).clear();
            }
        }
    }

    private void show(CommitRecord commit) {
        assertThat(commit.frameNo()).as("readers never go back").isGreaterThanOrEqualTo(appliedFrame);
        assertThat(TestHistory.state(pages)).as("a committed state").isEqualTo(commit.stateChecksum());
        visible = commit;
        appliedFrame = commit.frameNo();
        seen.add(commit);
    }

    @Override
    public long applied() {
        return appliedFrame;
    }

    @Override
    public long durable() {
        return durableFrame;
    }
}
