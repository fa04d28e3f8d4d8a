package dev.lockstep.server.hrana;

import com.linecorp.armeria.common.HttpData;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.function.UnaryOperator;

/**
 * Cuts the bytes of a WebSocket anew, so that no frame's header is spread over two pieces: Armeria 1.36 reads a length of two bytes wrongly
 * when the second is in the next piece and above 127 (StreamDecoderInput.readUnsignedShort extends its sign), and closes the connection.
 *
 * <pre>
 * RFC 6455, 5.2:  0 1  FIN, RSV, opcode
 *                 1 1  mask bit, length; 126: two bytes with the length follow, 127: eight
 *                 then a key of four bytes, if masked, and the payload
 * </pre>
 *
 * Not thread-safe: one for each connection.
 */
final class WholeHeaders implements UnaryOperator<HttpData> {

    private static final int MASKED = 0x80;
    private static final int LENGTH = 0x7f;
    private static final int TWO_BYTES = 126;
    private static final int EIGHT_BYTES = 127;

    /** The beginning of a header whose rest has not come. */
    private byte[] held = {};

    /** Of the frame whose header was the last. */
    private long payloadLeft;

    @Override
    public HttpData apply(HttpData piece) {
        if (held.length == 0 && piece.length() <= payloadLeft) {
            payloadLeft -= piece.length();
            return piece;
        }
        byte[] bytes;
        try (piece) {
            bytes = Arrays.copyOf(held, held.length + piece.length());
            System.arraycopy(piece.array(), 0, bytes, held.length, piece.length());
        }
        int end = endOfWhole(bytes);
        held = Arrays.copyOfRange(bytes, end, bytes.length);
        return HttpData.wrap(bytes, 0, end);
    }

    private int endOfWhole(byte[] bytes) {
        int at = 0;
        while (at < bytes.length) {
            int payload = (int) Math.min(payloadLeft, bytes.length - at);
            at += payload;
            payloadLeft -= payload;
            if (payloadLeft == 0) {
                int header = headerLength(bytes, at);
                if (header > bytes.length - at) {
                    return at;
                }
                payloadLeft = payloadLength(bytes, at);
                at += header;
            }
        }
        return at;
    }

    /** As far as it can be told; too long for what is there if not. */
    private static int headerLength(byte[] bytes, int at) {
        if (bytes.length - at < 2) {
            return 2;
        }
        int mask = (bytes[at + 1] & MASKED) != 0 ? 4 : 0;
        return switch (bytes[at + 1] & LENGTH) {
            case TWO_BYTES -> 4 + mask;
            case EIGHT_BYTES -> 10 + mask;
            default -> 2 + mask;
        };
    }

    /** A length that cannot be is for the decoder to refuse; what follows then matters no more. */
    private static long payloadLength(byte[] bytes, int at) {
        ByteBuffer buf = ByteBuffer.wrap(bytes);
        int length = bytes[at + 1] & LENGTH;
        return switch (length) {
            case TWO_BYTES -> Short.toUnsignedInt(buf.getShort(at + 2));
            case EIGHT_BYTES -> Math.max(0, buf.getLong(at + 2));
            default -> length;
        };
    }
}
