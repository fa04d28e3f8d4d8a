package dev.lockstep.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/**
 * An authority and a certificate that it signed for localhost and 127.0.0.1, made by the JDK's keytool, as PEM files.
 *
 * @param authority what clients are to trust
 * @param chain the certificate, then the authority's
 * @param key of the certificate
 */
public record Certificates(Path authority, Path chain, Path key) {

    private static final String PASSWORD = "changeit";

    public static Certificates make(Path directory) throws IOException, InterruptedException, GeneralSecurityException {
        Path store = directory.resolve("keys.p12");
        keytool(store, "-alias", "ca", "-dname", "CN=test authority", "-ext", "bc:c", "-ext", "ku:c=keyCertSign");
        keytool(
                store,
                "-alias",
                "leaf",
                "-dname",
                "CN=localhost",
                "-signer",
                "ca",
                "-ext",
                "san=dns:localhost,ip:127.0.0.1",
                "-ext",
                "eku=serverAuth");
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(store)) {
            keys.load(in, PASSWORD.toCharArray());
        }
        byte[] key = keys.getKey("leaf", PASSWORD.toCharArray()).getEncoded();
        Certificate[] chain = keys.getCertificateChain("leaf");
        return new Certificates(
                write(
                        directory.resolve("ca.pem"),
                        pem("CERTIFICATE", keys.getCertificate("ca").getEncoded())),
                write(
                        directory.resolve("chain.pem"),
                        pem("CERTIFICATE", chain[0].getEncoded()) + pem("CERTIFICATE", chain[1].getEncoded())),
                write(directory.resolve("key.pem"), pem("PRIVATE KEY", key)));
    }

    private static void keytool(Path store, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-keyalg",
                "EC",
                "-keystore",
                store.toString(),
                "-storepass",
                PASSWORD));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).inheritIO().start();
        assertThat(process.waitFor()).as("exit code of %s", command).isZero();
    }

    private static Path write(Path file, String text) throws IOException {
        return Files.writeString(file, text);
    }

    private static String pem(String what, byte[] bytes) {
        return "-----BEGIN " + what + "-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(bytes) + "\n-----END " + what + "-----\n";
    }
}
