package dev.lockstep.log;

import java.io.Closeable;
import java.io.IOException;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A log cut into pieces, handed out in order to one thread at a time. */
interface Pieces extends Closeable {

    /** The next piece, or null at the end. Throws {@link dev.lockstep.CorruptException} where there is no way to go on. */
    @Nullable
    Piece next() throws IOException;

    /** The bytes to read, for progress. */
    long bytes();

    /** The facts about the log for the result, once all pieces were handed out. */
    Facts facts();

    /**
     * What the result says beside what was counted.
     *
     * @param committedFrameNo the last frame before the first one here
     * @param synced damage beyond this frame is a torn tail, not corruption
     */
    record Facts(
            @Nullable UUID logId,
            int pageSize,
            int segments,
            long committedFrameNo,
            boolean sealed,
            long synced,
            List<String> notes) {}
}
