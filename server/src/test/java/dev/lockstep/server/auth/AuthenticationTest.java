package dev.lockstep.server.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.lockstep.UnsupportedException;
import dev.lockstep.testing.JwtSigner;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.Random;
import java.util.Set;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AuthenticationTest {

    private static final JwtSigner SIGNER = JwtSigner.ed25519();

    @TempDir
    Path directory;

    private Authentication with(String keys) throws Exception {
        return Authentication.with(Files.writeString(directory.resolve("keys"), keys));
    }

    private Rights rights(String claims) throws Exception {
        return with(SIGNER.publicPem()).rights(SIGNER.sign(claims));
    }

    private static long secondsFromNow(long seconds) {
        return System.currentTimeMillis() / 1000 + seconds;
    }

    @Test
    void anyOfSeveralKeysOfAnyKindVerifies() throws Exception {
        JwtSigner[] signers = {JwtSigner.ed25519(), JwtSigner.es256(), JwtSigner.rs256(2048), SIGNER};
        StringBuilder keys = new StringBuilder("keys of the office\n");
        for (JwtSigner signer : signers) {
            keys.append(signer.publicPem());
        }
        Authentication authentication = with(keys.toString());
        for (JwtSigner signer : signers) {
            assertThat(authentication.rights(signer.sign("{}"))).isEqualTo(Rights.ALL);
        }
        String foreign = JwtSigner.es256().sign("{}");
        assertThatThrownBy(() -> authentication.rights(foreign)).hasMessageContaining("no key of this server");
    }

    @Test
    void aRawKeyIsReadAsLibsqlsServerReadsIt() throws Exception {
        byte[] encoded = SIGNER.encodedKey();
        byte[] raw = Arrays.copyOfRange(encoded, encoded.length - 32, encoded.length);
        String text = Base64.getUrlEncoder().withoutPadding().encodeToString(raw) + "\n";
        assertThat(with(text).rights(SIGNER.sign("{}"))).isEqualTo(Rights.ALL);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "AAAA", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "@"})
    void aFileWithoutAKeyIsRefused(String text) {
        assertThatThrownBy(() -> with(text))
                .isInstanceOf(UnsupportedException.class)
                .hasMessageContaining("expected public keys as PEM");
    }

    @Test
    void aPrivateKeyAndAWeakOneAreRefused() {
        assertThatThrownBy(() -> with(SIGNER.privatePem())).hasMessageContaining("it is a private key");
        String weak = JwtSigner.rs256(1024).publicPem();
        assertThatThrownBy(() -> with(weak)).hasMessageContaining("2048 bits or more");
    }

    @Test
    void claimsBecomeRights() throws Exception {
        Set<String> none = Set.of();
        assertThat(rights("{}")).isEqualTo(Rights.ALL);
        assertThat(rights("{\"a\":\"rw\",\"id\":null}")).isEqualTo(Rights.ALL);
        assertThat(rights("{\"a\":\"ro\"}")).isEqualTo(new Rights(null, none));
        assertThat(rights("{\"id\":\"x\"}")).isEqualTo(new Rights(Set.of("x"), Set.of("x")));
        assertThat(rights("{\"id\":\"x\",\"a\":\"roa\"}")).isEqualTo(new Rights(Set.of("x"), none));
        assertThat(rights("{\"a\":\"rw\",\"id\":\"z\",\"p\":{\"ro\":{\"ns\":[\"a\"]},\"rw\":{\"ns\":[\"b\",\"c\"]},"
                        + "\"roa\":{\"ns\":[\"d\"]},\"rwa\":{\"ns\":[\"e\"]}}}"))
                .isEqualTo(new Rights(Set.of("a", "b", "c", "d", "e"), Set.of("b", "c", "e")));
        assertThat(rights("{\"p\":{}}")).isEqualTo(Rights.NONE);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "[]",
                "{",
                "{\"a\":\"all\"}",
                "{\"a\":1}",
                "{\"id\":[\"x\"]}",
                "{\"exp\":\"never\"}",
                "{\"p\":{\"rw\":{\"ns\":[1]}}}"
            })
    void claimsThatMakeNoSenseAreRefused(String claims) {
        assertThatThrownBy(() -> rights(claims))
                .isInstanceOf(AuthException.class)
                .hasMessageContaining("not valid");
    }

    @ParameterizedTest
    @CsvSource({"exp, -70, AUTH_JWT_EXPIRED", "nbf, 70, AUTH_JWT_IMMATURE"})
    void aTokenOutOfItsTimeIsRefused(String claim, long seconds, String code) {
        assertThatThrownBy(() -> rights("{\"" + claim + "\":" + secondsFromNow(seconds) + "}"))
                .isInstanceOfSatisfying(
                        AuthException.class, e -> assertThat(e.code()).isEqualTo(code));
    }

    @Test
    void clocksMayBeAMinuteApart() throws Exception {
        assertThat(rights("{\"exp\":" + secondsFromNow(-50) + ",\"nbf\":" + secondsFromNow(50) + "}"))
                .isEqualTo(Rights.ALL);
    }

    @Test
    void aTokenThatWasGoodBeforeExpires() throws Exception {
        Authentication authentication = with(SIGNER.publicPem());
        String token = SIGNER.sign("{\"exp\":" + secondsFromNow(-58) + "}");
        assertThat(authentication.rights(token)).isEqualTo(Rights.ALL);
        await().untilAsserted(() ->
                assertThatThrownBy(() -> authentication.rights(token)).hasMessageContaining("expired"));
    }

    @Test
    void aTokenMayNotChooseHowItIsVerified() throws Exception {
        Authentication authentication = with(SIGNER.publicPem());
        String unsigned = JwtSigner.part("{\"alg\":\"none\"}") + "." + JwtSigner.part("{}") + ".";
        assertThatThrownBy(() -> authentication.rights(unsigned)).isInstanceOf(AuthException.class);
        String withMac = JwtSigner.part("{\"alg\":\"HS256\"}") + "." + JwtSigner.part("{}");
        Mac mac = Mac.getInstance("HmacSHA256"); // keyed with what everybody may know
        mac.init(new SecretKeySpec(SIGNER.publicPem().getBytes(StandardCharsets.US_ASCII), "HmacSHA256"));
        String signature = Base64.getUrlEncoder()
                .withoutPadding()
                .encodeToString(mac.doFinal(withMac.getBytes(StandardCharsets.US_ASCII)));
        assertThatThrownBy(() -> authentication.rights(withMac + "." + signature))
                .hasMessageContaining("no key of this server");
        for (String header : new String[] {"{\"alg\":\"none\"}", "{\"alg\":\"ES256\"}", "{}"}) {
            assertThatThrownBy(() -> authentication.rights(SIGNER.sign(header, "{}")))
                    .hasMessageContaining("no key of this server");
        }
        assertThatThrownBy(() -> authentication.rights(SIGNER.sign("{\"alg\":\"EdDSA\",\"crit\":[\"x\"]}", "{}")))
                .hasMessageContaining("crit");
    }

    @Test
    void noChangedTokenIsTaken() throws Exception {
        Authentication authentication = with(SIGNER.publicPem());
        String token = SIGNER.sign("{\"a\":\"ro\"}");
        long seed = System.nanoTime();
        Random random = new Random(seed);
        int lastOfSignature = token.length() - 1; // some of its bits are padding, which nobody reads
        for (int i = 0; i < 300; i++) {
            StringBuilder changed = new StringBuilder(token);
            int at = random.nextInt(lastOfSignature);
            char other = (char) (random.nextInt(10) == 0 ? random.nextInt(128) : 'A' + random.nextInt(26));
            if (other != token.charAt(at)) {
                changed.setCharAt(at, other);
                assertThatThrownBy(() -> authentication.rights(changed.toString()))
                        .as("seed %d: character %d became %s", seed, at, other)
                        .isInstanceOf(AuthException.class);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ".", "..", "a.b.c", "a.b", "a.b.c.d", "\u00e4.\u00e4.\u00e4"})
    void whatIsNoTokenIsRefused(String text) {
        assertThatThrownBy(() -> with(SIGNER.publicPem()).rights(text)).isInstanceOf(AuthException.class);
    }
}
