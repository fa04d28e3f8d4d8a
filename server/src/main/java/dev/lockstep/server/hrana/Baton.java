package dev.lockstep.server.hrana;

import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * What a client over HTTP shows to go on with a stream; each is good for one request.
 *
 * <pre>
 * base64 of  0  8  stream id, big-endian
 *            8  8  sequence number of the request it is for
 *           16 32  HMAC-SHA256 of the 16 bytes before, under a key of this process
 * </pre>
 */
record Baton(long streamId, long sequence) {

    private static final int SIGNED = 16;
    private static final int LENGTH = SIGNED + 32;

    /** Signs batons and knows its own. Thread-safe. */
    static final class Key {

        private static final String ALGORITHM = "HmacSHA256";

        private final SecretKeySpec key;

        Key() {
            byte[] random = new byte[32];
            new SecureRandom().nextBytes(random);
            key = new SecretKeySpec(random, ALGORITHM);
        }

        String encode(Baton baton) {
            byte[] bytes = new byte[LENGTH];
            ByteBuffer.wrap(bytes)
                    .putLong(baton.streamId)
                    .putLong(baton.sequence)
                    .put(hmac(bytes));
            return Base64.getEncoder().encodeToString(bytes);
        }

        /** @throws ProtocolException if it is none of ours */
        Baton decode(String text) throws ProtocolException {
            byte[] bytes;
            try {
                bytes = Base64.getDecoder().decode(text);
            } catch (IllegalArgumentException e) {
                throw new ProtocolException("the baton is not base64");
            }
            if (bytes.length != LENGTH) {
                throw new ProtocolException("a baton of " + bytes.length + " bytes instead of " + LENGTH);
            }
            ByteBuffer buf = ByteBuffer.wrap(bytes);
            Baton baton = new Baton(buf.getLong(), buf.getLong());
            byte[] signature = new byte[LENGTH - SIGNED];
            buf.get(signature);
            if (!MessageDigest.isEqual(signature, hmac(bytes))) {
                throw new ProtocolException("the baton was not made by this server, or before it was started anew");
            }
            return baton;
        }

        private byte[] hmac(byte[] bytes) {
            try {
                Mac mac = Mac.getInstance(ALGORITHM);
                mac.init(key);
                mac.update(bytes, 0, SIGNED);
                return mac.doFinal();
            } catch (GeneralSecurityException e) {
                throw new IllegalStateException("every JDK has " + ALGORITHM, e);
            }
        }
    }
}
