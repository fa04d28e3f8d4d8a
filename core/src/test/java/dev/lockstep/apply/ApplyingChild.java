package dev.lockstep.apply;

import dev.lockstep.log.CommitRecord;
import dev.lockstep.log.Crc64;
import dev.lockstep.log.FrameLayout;
import dev.lockstep.testing.History;
import dev.lockstep.verify.PageVerifier;
import dev.lockstep.verify.VerifiedTransaction;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * A process to be killed. {@code main(replica, history, first copy's pages, seed, durable)} makes the first copy if there is no replica,
 * applies the whole history in random batches and closes.
 */
final class ApplyingChild {

    /** Small enough for several resets in a run. */
    private static final long WAL_BYTES = 60_000;

    private ApplyingChild() {}

    public static void main(String[] args) throws IOException {
        Path database = Path.of(args[0]);
        History history = History.load(Path.of(args[1]));
        Random random = new Random(Long.parseLong(args[3]));
        Applier.Options options = new Applier.Options(Boolean.parseBoolean(args[4]), WAL_BYTES);
        @Nullable Applier opened = Applier.open(database, options);
        if (opened == null) {
            copy(database, history, Path.of(args[2]));
        }
        try (Applier applier = opened != null ? opened : Replicas.open(database, options)) {
            System.out.println("at " + applier.position().frameNo() + (applier.isInDoubt() ? " in doubt" : ""));
            applier.primaryReaches(history.head().frameNo());
            while (applier.position().frameNo() < history.head().frameNo()) {
                List<VerifiedTransaction> next =
                        history.after(applier.position(), applier.seen(), 1 + random.nextInt(8));
                applier.apply(next);
                if (random.nextInt(20) == 0) {
                    applier.tend();
                }
            }
        }
    }

    private static void copy(Path database, History history, Path pages) throws IOException {
        CommitRecord start = CommitRecord.before(history.start());
        int pageSize = history.start().pageSize();
        try (RandomAccessFile file = new RandomAccessFile(pages.toFile(), "r");
                FirstCopy copy =
                        FirstCopy.begin(database, history.start().logId(), pageSize, start, "the parent", false)) {
            PageVerifier verifier = Replicas.verifier(start, pageSize);
            ByteBuffer entry =
                    ByteBuffer.allocate(FrameLayout.frameSize(pageSize)).order(ByteOrder.LITTLE_ENDIAN);
            for (int pageNo = 1; pageNo <= start.sizeAfter(); pageNo++) {
                file.readFully(entry.array(), FrameLayout.HEADER, pageSize);
                FrameLayout.putHeader(entry, 0, 0, Crc64.of(entry, FrameLayout.HEADER, pageSize), pageNo, 0);
                copy.pages(verifier.accept(entry));
            }
            copy.endOfPages();
            for (VerifiedTransaction transaction : history.after(copy.position(), List.of(), 10)) {
                copy.apply(transaction);
            }
            copy.finish();
        }
    }
}
