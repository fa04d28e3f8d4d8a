package dev.lockstep.log;

import dev.lockstep.io.Storage;
import java.io.Closeable;
import java.io.IOException;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/** What one thread keeps between the pieces it verifies: buffers, tables, an open segment. Not thread-safe. */
final class VerifyWorker implements Closeable {

    final FrameWalk walk;
    final TransactionCheck transactions;
    private final Storage storage;
    private @Nullable SegmentReader segment;

    /** @param read told how many bytes were read each time */
    VerifyWorker(Storage storage, int pageSize, boolean seals, LongConsumer read) {
        this.storage = storage;
        this.walk = new FrameWalk(pageSize, read);
        this.transactions = new TransactionCheck(pageSize, seals, read);
    }

    SegmentReader segment(long startFrameNo) throws IOException {
        SegmentReader open = segment;
        if (open != null && open.header().startFrameNo() == startFrameNo) {
            return open;
        }
        close();
        SegmentReader opened = SegmentReader.open(storage, startFrameNo);
        segment = opened;
        return opened;
    }

    @Override
    public void close() throws IOException {
        SegmentReader open = segment;
        segment = null;
        if (open != null) {
            open.close();
        }
    }
}
