package dev.lockstep.log;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;

/**
 * Makes the seal of one transaction after another:
 *
 * <pre>
 * seal = SHA-256(previous seal, the transaction's frames as they stand in the segment (headers and pages),
 *                time in ms u64 LE, state checksum u64 LE)
 * </pre>
 *
 * The WAL mark of a commit record is not sealed: it speaks of the primary's WAL file and has no meaning elsewhere.
 *
 * <p>Not thread-safe.
 */
public final class SealHasher {

    private final MessageDigest digest = Seal.sha256();
    private final ByteBuffer words =
            ByteBuffer.allocate(Seal.LENGTH + 2 * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);

    /** Starts a transaction, forgetting one that was not finished. */
    public void begin(Seal previous) {
        digest.reset();
        previous.put(words, 0);
        digest.update(words.array(), 0, Seal.LENGTH);
    }

    /** Adds frames, from the buffer's position to its limit; moves the position. */
    public void update(ByteBuffer frames) {
        digest.update(frames);
    }

    public Seal finish(long timeMillis, long stateChecksum) {
        words.putLong(0, timeMillis).putLong(8, stateChecksum);
        digest.update(words.array(), 0, 2 * Long.BYTES);
        return Seal.of(digest.digest());
    }
}
