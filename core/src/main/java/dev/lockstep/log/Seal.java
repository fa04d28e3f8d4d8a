package dev.lockstep.log;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * SHA-256 over a whole history up to a commit: previous seal, the transaction's frames with headers, its time and the state
 * checksum (see {@link SealHasher}). Two equal seals stand for equal histories, also against an attacker, which the CRC chain
 * does not promise; what a seal does not say is who made it.
 *
 * <p>The 32 bytes are held as four words, most significant byte first, so that the record's equality is the bytes'.
 */
public record Seal(long word0, long word1, long word2, long word3) {

    public static final int LENGTH = 32;

    private static final byte[] FIRST_LABEL = "lockstep seal 1".getBytes(StandardCharsets.US_ASCII);

    /**
     * The seal before the first transaction of a history: SHA-256 of the label "lockstep seal 1", log_id (16 bytes as in files),
     * page_size u32, start_frame_no u64, start_checksum u64, state checksum u64, all little-endian.
     */
    public static Seal first(LogStart start) {
        ByteBuffer buf = ByteBuffer.allocate(FIRST_LABEL.length + 44).order(ByteOrder.LITTLE_ENDIAN);
        buf.put(FIRST_LABEL);
        buf.putLong(start.logId().getLeastSignificantBits());
        buf.putLong(start.logId().getMostSignificantBits());
        buf.putInt(start.pageSize());
        buf.putLong(start.startFrameNo());
        buf.putLong(start.startChecksum());
        buf.putLong(start.startState());
        return of(sha256().digest(buf.array()));
    }

    public static Seal of(byte[] bytes) {
        if (bytes.length != LENGTH) {
            throw new IllegalArgumentException("a seal has 32 bytes, not " + bytes.length);
        }
        return get(ByteBuffer.wrap(bytes), 0);
    }

    /** Reads the 32 bytes at the offset; the buffer's byte order plays no part. */
    public static Seal get(ByteBuffer buf, int offset) {
        ByteBuffer bytes = buf.slice(offset, LENGTH);
        return new Seal(bytes.getLong(), bytes.getLong(), bytes.getLong(), bytes.getLong());
    }

    /** Writes the 32 bytes at the offset; the buffer's byte order plays no part. */
    public void put(ByteBuffer buf, int offset) {
        buf.slice(offset, LENGTH).putLong(word0).putLong(word1).putLong(word2).putLong(word3);
    }

    public byte[] toBytes() {
        byte[] bytes = new byte[LENGTH];
        put(ByteBuffer.wrap(bytes), 0);
        return bytes;
    }

    /** 64 hexadecimal digits. */
    @Override
    public String toString() {
        return String.format("%016x%016x%016x%016x", word0, word1, word2, word3);
    }

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException("every Java platform has SHA-256", impossible);
        }
    }
}
