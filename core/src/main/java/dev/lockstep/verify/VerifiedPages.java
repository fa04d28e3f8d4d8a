package dev.lockstep.verify;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Pages of a first copy that arrived undamaged and in their turn. Only {@link PageVerifier} makes them. */
public final class VerifiedPages {

    private final ByteBuffer entries;

    VerifiedPages(ByteBuffer entries) {
        this.entries = entries;
    }

    /** The pages in the layout of frames, each with its own content CRC; little-endian, from position 0 to the limit. */
    public ByteBuffer entries() {
        return entries.slice().asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }
}
