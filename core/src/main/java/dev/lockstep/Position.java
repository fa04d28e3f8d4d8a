package dev.lockstep;

import java.nio.ByteBuffer;
import java.util.Base64;
import java.util.UUID;
import java.util.zip.CRC32;

/**
 * A point in one history: everything up to and including frame {@code frameNo} of log {@code logId}.
 *
 * <p>Two positions with the same log, frame number and checksum stand for the same pages, because the checksum is the end of
 * the chain over all pages before it. Frame numbers start at 0, as libSQL's do; {@code frameNo} -1 is the position before the
 * first frame.
 *
 * @param logId the history
 * @param frameNo the last frame included, at least -1
 * @param checksum the chain's checksum at that frame
 */
public record Position(UUID logId, long frameNo, long checksum) {

    private static final String TOKEN_PREFIX = "ls1.";
    private static final int TOKEN_BYTES = 4 * Long.BYTES + Integer.BYTES;

    public Position {
        if (frameNo < -1) {
            throw new IllegalArgumentException("frame number " + frameNo + " is below -1");
        }
    }

    @Override
    public String toString() {
        return "frame " + frameNo + " (checksum " + String.format("%016x", checksum) + ") of log " + logId;
    }

    /**
     * This position as text of 52 characters, which stand as they are in URLs, headers and cookies: {@code ls1.} and, in base64url,
     * log (16 bytes), frame number (8), checksum (8), all big-endian, and their CRC-32 (4).
     */
    public String token() {
        ByteBuffer bytes = ByteBuffer.allocate(TOKEN_BYTES)
                .putLong(logId.getMostSignificantBits())
                .putLong(logId.getLeastSignificantBits())
                .putLong(frameNo)
                .putLong(checksum);
        bytes.putInt(crc(bytes.array()));
        return TOKEN_PREFIX + Base64.getUrlEncoder().withoutPadding().encodeToString(bytes.array());
    }

    /**
     * The position that {@link #token} gave.
     *
     * @throws IllegalArgumentException if the text is no token, or was changed on its way
     */
    public static Position ofToken(String token) {
        if (!token.startsWith(TOKEN_PREFIX)) {
            throw notAToken(token, "it does not begin with " + TOKEN_PREFIX);
        }
        byte[] bytes;
        try {
            bytes = Base64.getUrlDecoder().decode(token.substring(TOKEN_PREFIX.length()));
        } catch (IllegalArgumentException e) {
            throw notAToken(token, String.valueOf(e.getMessage()));
        }
        if (bytes.length != TOKEN_BYTES) {
            throw notAToken(token, "it holds " + bytes.length + " bytes instead of " + TOKEN_BYTES);
        }
        ByteBuffer in = ByteBuffer.wrap(bytes);
        UUID logId = new UUID(in.getLong(), in.getLong());
        Position position = new Position(logId, in.getLong(), in.getLong());
        if (in.getInt() != crc(bytes)) {
            throw notAToken(token, "its check digits do not fit, so it was cut or changed on its way");
        }
        return position;
    }

    private static int crc(byte[] token) {
        CRC32 crc = new CRC32();
        crc.update(token, 0, TOKEN_BYTES - Integer.BYTES);
        return (int) crc.getValue();
    }

    private static IllegalArgumentException notAToken(String token, String problem) {
        return new IllegalArgumentException("\"" + token + "\" is no token of a position: " + problem);
    }
}
