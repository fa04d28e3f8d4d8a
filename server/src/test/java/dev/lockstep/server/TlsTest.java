package dev.lockstep.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lockstep.UnavailableException;
import dev.lockstep.UnsupportedException;
import dev.lockstep.stream.HistoryOrigin;
import dev.lockstep.testing.Certificates;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** One port over TLS, for replicas of ours; the native libSQL client's turn is in EmbeddedReplicaTest. */
class TlsTest {

    @TempDir
    static Path directory;

    private static Certificates certificates;
    private static HistoryOrigin origin;
    private static LockstepServer server;

    @BeforeAll
    static void start() throws Exception {
        certificates = Certificates.make(directory);
        origin = new HistoryOrigin("app", directory.resolve("app"), 4096, 1);
        server = builder().tls(certificates.chain(), certificates.key()).start();
    }

    private static LockstepServer.Builder builder() {
        return LockstepServer.builder()
                .listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .database(origin, () -> new ServerStatus.Capture("CAPTURING", ""));
    }

    @AfterAll
    static void stop() throws IOException {
        server.close();
        origin.close();
    }

    private static String url() {
        return "https://127.0.0.1:" + server.port() + "/app";
    }

    @Test
    void aReplicaThatTrustsTheAuthorityIsServed() throws Exception {
        try (RemotePrimary primary =
                RemotePrimary.builder(url()).trust(certificates.authority()).build()) {
            assertThat(primary.status().databases()).hasSize(1);
        }
    }

    @Test
    void aReplicaThatDoesNotTrustItSaysWhy() {
        try (RemotePrimary primary = RemotePrimary.of(url())) {
            assertThatThrownBy(primary::status)
                    .isInstanceOf(UnavailableException.class)
                    .hasMessageContainingAll("certification path", "--tls-ca");
        }
    }

    @Test
    void aUrlWithTheOtherSchemeIsToldWhichOneItIs() throws Exception {
        try (LockstepServer plain = builder().start();
                RemotePrimary secure = RemotePrimary.of("https://127.0.0.1:" + plain.port());
                RemotePrimary open = RemotePrimary.of(url().replace("https", "http"))) {
            assertThatThrownBy(secure::status)
                    .isInstanceOf(UnavailableException.class)
                    .hasMessage(
                            "https://127.0.0.1:" + plain.port() + " does not speak TLS: its URL begins with http://");
            assertThatThrownBy(open::status)
                    .isInstanceOf(UnavailableException.class)
                    .hasMessageContaining("https://");
        }
    }

    @ParameterizedTest
    @EnumSource(HttpClient.Version.class)
    void http1AndHttp2AreSpokenWithTls13(HttpClient.Version version) throws Exception {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        trusted.setCertificateEntry(
                "ca",
                CertificateFactory.getInstance("X.509")
                        .generateCertificate(Files.newInputStream(certificates.authority())));
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);
        SSLContext tls = SSLContext.getInstance("TLSv1.3");
        tls.init(null, trust.getTrustManagers(), null);
        HttpClient client =
                HttpClient.newBuilder().sslContext(tls).version(version).build();
        HttpRequest info = HttpRequest.newBuilder(URI.create("https://127.0.0.1:" + server.port() + "/info"))
                .build();
        var answer = client.send(info, BodyHandlers.ofString());
        assertThat(answer.statusCode()).isEqualTo(404); // which is what makes embedded replicas choose gRPC
        assertThat(answer.version()).isEqualTo(version);
        assertThat(answer.sslSession().orElseThrow().getProtocol()).isEqualTo("TLSv1.3");
    }

    @Test
    void aKeyThatCannotBeReadIsNamed() throws Exception {
        Path broken = Files.writeString(directory.resolve("broken.pem"), "no key");
        assertThatThrownBy(() -> builder().tls(certificates.chain(), broken).start())
                .isInstanceOf(UnsupportedException.class)
                .hasMessageContaining("broken.pem");
    }
}
