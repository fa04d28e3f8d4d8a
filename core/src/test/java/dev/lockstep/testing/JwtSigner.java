package dev.lockstep.testing;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.util.Base64;

/** Signs tokens with a key of its own, as whoever runs a server would. */
public final class JwtSigner {

    private static final Base64.Encoder URL = Base64.getUrlEncoder().withoutPadding();

    private final String algorithm;
    private final String signature;
    private final KeyPair keys;

    private JwtSigner(String algorithm, String signature, String family, int bits) {
        this.algorithm = algorithm;
        this.signature = signature;
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance(family);
            if (bits > 0) {
                generator.initialize(bits);
            }
            keys = generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    public static JwtSigner ed25519() {
        return new JwtSigner("EdDSA", "Ed25519", "Ed25519", 0);
    }

    public static JwtSigner es256() {
        return new JwtSigner("ES256", "SHA256withECDSAinP1363Format", "EC", 256);
    }

    public static JwtSigner rs256(int bits) {
        return new JwtSigner("RS256", "SHA256withRSA", "RSA", bits);
    }

    /** The public key in its X.509 form. */
    public byte[] encodedKey() {
        return keys.getPublic().getEncoded();
    }

    public String publicPem() {
        return pem("PUBLIC", encodedKey());
    }

    public String privatePem() {
        return pem("PRIVATE", keys.getPrivate().getEncoded());
    }

    private static String pem(String kind, byte[] encoded) {
        return "-----BEGIN " + kind + " KEY-----\n" + Base64.getMimeEncoder().encodeToString(encoded) + "\n-----END "
                + kind + " KEY-----\n";
    }

    /** Puts the public key into a file of the directory. */
    public Path writePem(Path directory) throws IOException {
        return Files.writeString(directory.resolve("tokens.pem"), publicPem());
    }

    /** @param claims a JSON object */
    public String sign(String claims) {
        return sign("{\"alg\":\"" + algorithm + "\",\"typ\":\"JWT\"}", claims);
    }

    public String sign(String header, String claims) {
        String text = part(header) + "." + part(claims);
        try {
            Signature signer = Signature.getInstance(signature);
            signer.initSign(keys.getPrivate());
            signer.update(text.getBytes(StandardCharsets.US_ASCII));
            return text + "." + URL.encodeToString(signer.sign());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    public static String part(String json) {
        return URL.encodeToString(json.getBytes(StandardCharsets.UTF_8));
    }
}
