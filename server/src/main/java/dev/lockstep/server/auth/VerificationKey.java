package dev.lockstep.server.auth;

import dev.lockstep.UnsupportedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.KeyFactory;
import java.security.NoSuchAlgorithmException;
import java.security.PublicKey;
import java.security.Signature;
import java.security.SignatureException;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.EdECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.NamedParameterSpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A public key, with the one algorithm that signatures by it have. Thread-safe.
 *
 * @param algorithm as a token's header names it (RFC 7518 section 3.1, RFC 8037)
 * @param signature as the JDK names it
 */
record VerificationKey(String algorithm, String signature, PublicKey key) {

    private static final Pattern PEM =
            Pattern.compile("-----BEGIN PUBLIC KEY-----([A-Za-z0-9+/=\\s]+)-----END PUBLIC KEY-----");

    /** What stands before the 32 bytes of an Ed25519 key in its X.509 form (RFC 8410 section 4). */
    private static final byte[] ED25519_PREFIX = HexFormat.of().parseHex("302a300506032b6570032100");

    private static final int ED25519_BYTES = 32;
    private static final int LEAST_RSA_BITS = 2048;
    private static final int P256_BITS = 256;

    /** One or more PEM blocks, or, as libSQL's server takes it too, one Ed25519 key as 32 bytes in URL-safe base64. */
    static List<VerificationKey> read(Path file) throws IOException {
        String text = Files.readString(file);
        List<VerificationKey> keys = new ArrayList<>();
        try {
            Matcher blocks = PEM.matcher(text);
            while (blocks.find()) {
                keys.add(of(Base64.getMimeDecoder().decode(blocks.group(1))));
            }
            if (keys.isEmpty() && !text.contains("-----BEGIN")) {
                keys.add(of(ed25519(Base64.getUrlDecoder().decode(text.strip()))));
            }
        } catch (IllegalArgumentException e) {
            throw unusable(file, "it is no base64");
        } catch (InvalidKeyException e) {
            throw unusable(file, String.valueOf(e.getMessage()));
        }
        if (keys.isEmpty()) {
            throw unusable(file, text.contains("PRIVATE KEY") ? "it is a private key" : "it has no PUBLIC KEY block");
        }
        return keys;
    }

    private static UnsupportedException unusable(Path file, String why) {
        return new UnsupportedException("tokens cannot be verified with " + file + ": " + why
                + "; expected public keys as PEM (PUBLIC KEY), or one of Ed25519 in URL-safe base64");
    }

    private static byte[] ed25519(byte[] raw) throws InvalidKeyException {
        if (raw.length != ED25519_BYTES) {
            throw new InvalidKeyException("it has " + raw.length + " bytes, and a key of Ed25519 has " + ED25519_BYTES);
        }
        byte[] encoded = new byte[ED25519_PREFIX.length + raw.length];
        System.arraycopy(ED25519_PREFIX, 0, encoded, 0, ED25519_PREFIX.length);
        System.arraycopy(raw, 0, encoded, ED25519_PREFIX.length, raw.length);
        return encoded;
    }

    private static VerificationKey of(byte[] encoded) throws InvalidKeyException {
        for (String family : new String[] {"EdDSA", "EC", "RSA"}) {
            VerificationKey key = of(decode(family, encoded));
            if (key != null) {
                return key;
            }
        }
        throw new InvalidKeyException("a key is neither of Ed25519, nor of P-256, nor of RSA with 2048 bits or more");
    }

    private static @Nullable PublicKey decode(String family, byte[] encoded) {
        try {
            return KeyFactory.getInstance(family).generatePublic(new X509EncodedKeySpec(encoded));
        } catch (InvalidKeySpecException e) {
            return null;
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has it", e);
        }
    }

    private static @Nullable VerificationKey of(@Nullable PublicKey key) {
        if (key instanceof EdECPublicKey ed && ed.getParams().getName().equals(NamedParameterSpec.ED25519.getName())) {
            return new VerificationKey("EdDSA", "Ed25519", key);
        }
        if (key instanceof ECPublicKey ec && ec.getParams().getOrder().bitLength() == P256_BITS) {
            return new VerificationKey("ES256", "SHA256withECDSAinP1363Format", key);
        }
        if (key instanceof RSAPublicKey rsa && rsa.getModulus().bitLength() >= LEAST_RSA_BITS) {
            return new VerificationKey("RS256", "SHA256withRSA", key);
        }
        return null;
    }

    /** Whether the holder of the private key signed the text. */
    boolean verifies(byte[] text, byte[] signed) {
        try {
            Signature verifier = Signature.getInstance(signature);
            verifier.initVerify(key);
            verifier.update(text);
            return verifier.verify(signed);
        } catch (SignatureException e) { // it is none at all
            return false;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK can use such a key", e);
        }
    }
}
