package dev.lockstep.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lockstep.Programs;
import dev.lockstep.testing.Certificates;
import dev.lockstep.testing.JwtSigner;
import dev.lockstep.testing.Sqlite3;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands that serve and follow, in this process. */
class ServingTest {

    @TempDir
    Path directory;

    private Path database;
    private Path copy;
    private Bank bank;

    @BeforeEach
    void openBank() throws SQLException {
        database = directory.resolve("app.db");
        copy = directory.resolve("copy.db");
        bank = Bank.open(database);
    }

    @AfterEach
    void closeBank() throws SQLException {
        bank.close();
    }

    @Test
    void aReplicaFollowsItsPrimaryAcrossRestartsOfEither() throws Exception {
        Cli primary = primary("127.0.0.1:0");
        String url = url(primary);
        Cli replica = Cli.start("replica", url, copy, "--name", "tester");
        bank.transfer(20);
        awaitEqual();
        JsonNode served =
                Cli.run("status", "--json", url).json().get("databases").get(0);
        assertThat(served.get("name").asText()).isEqualTo("app");
        assertThat(served.get("replicas").get(0).get("name").asText()).isEqualTo("tester");
        assertThat(Cli.run("status", url).out()).contains("tester", "FOLLOWING");

        assertThat(primary.stop()).isZero();
        bank.transfer(5);
        Cli again = primary(url.replaceAll("http://|/app", ""));
        awaitEqual();

        assertThat(replica.stop()).isZero();
        bank.transfer(5);
        Cli once = Cli.run("replica", url + "/", copy, "--once", "--json"); // as libSQL's clients write it
        assertThat(once.code()).as(once.err()).isZero();
        assertThat(once.json().get("caughtUp").asBoolean()).isTrue();
        assertThat(Bank.read(copy).transfers()).isEqualTo(30);
        assertThat(again.stop()).isZero();

        JsonNode status = Cli.run("status", "--json", copy).json();
        assertThat(status.get("walBytes").isIntegralNumber()).isTrue();
        assertThat(status.get("kind").asText()).isEqualTo("replica");
        assertThat(status.get("checksum")).isEqualTo(once.json().get("checksum"));
        assertThat(Cli.run("verify", database).code()).isZero();
    }

    @Test
    void aReplicaFollowsOverLibsqlsProtocolAndOverTlsWithAToken() throws Exception {
        Certificates certificates = Certificates.make(directory);
        JwtSigner signer = JwtSigner.ed25519();
        String token = signer.sign("{\"a\":\"ro\"}");
        Cli primary = Cli.start(
                "primary",
                database,
                "--listen",
                "127.0.0.1:0",
                "--tls-cert",
                certificates.chain(),
                "--tls-key",
                certificates.key(),
                "--auth-jwt-key-file",
                signer.writePem(directory));
        await().atMost(Duration.ofSeconds(20)).until(() -> primary.out().contains("  serves  "));
        String url = primary.out().lines().findFirst().orElseThrow().split(" ")[0];
        assertThat(url).startsWith("https://127.0.0.1:");
        Path other = directory.resolve("other.db");
        for (int run = 0; run < 2; run++) {
            bank.transfer(5);
            for (Cli once : List.of(
                    replicate("libsql+" + url, copy, certificates, token),
                    replicate(url, other, certificates, token))) {
                assertThat(once.code()).as(once.err()).isZero();
            }
            assertThat(Bank.pages(copy)).isEqualTo(Bank.pages(database));
            assertThat(Bank.pages(other)).isEqualTo(Bank.pages(database));
        }
        for (Cli refused : List.of(
                replicate("libsql+" + url, directory.resolve("no.db"), certificates, "wrong"),
                replicate(url, directory.resolve("no2.db"), certificates, "wrong"),
                Cli.run("status", url, "--tls-ca", certificates.authority()))) {
            assertThat(refused.code()).isEqualTo(ExitCode.FAILURE.code());
            assertThat(refused.err()).contains("token").doesNotContain("Exception");
        }
        assertThat(Cli.run("verify", directory.resolve("copy.db-libsql").resolve("log"))
                        .code())
                .isZero();
        assertThat(primary.stop()).isZero();
    }

    private static Cli replicate(String url, Path copy, Certificates certificates, String token) {
        return Cli.run("replica", url, copy, "--once", "--tls-ca", certificates.authority(), "--auth-token", token);
    }

    @Test
    void replicateOnceCopiesAndThenBringsOnlyWhatIsNew() throws Exception {
        assertThat(Cli.run("replicate", database, copy, "--once").code()).isZero();
        assertThat(Bank.pages(copy)).isEqualTo(Bank.pages(database));
        bank.transfer(1);
        Cli next = Cli.run("replicate", database, copy, "--once", "--json");
        assertThat(next.code()).as(next.err()).isZero();
        assertThat(next.json().get("receivedBytes").asLong()).isBetween(1L, 10L * 4120);
        assertThat(Bank.pages(copy)).isEqualTo(Bank.pages(database));
    }

    @Test
    void aFileThatIsNoReplicaIsLeftAloneWithoutForce() throws Exception {
        Path other = directory.resolve("other.db");
        try (Bank theirs = Bank.open(other)) {
            theirs.transfer(3);
        }
        byte[] before = Files.readAllBytes(other);
        Cli refused = Cli.run("replicate", database, other, "--once");
        assertThat(refused.code()).isEqualTo(5);
        assertThat(refused.err()).contains("exists and is no replica", "--force");
        assertThat(Files.readAllBytes(other)).isEqualTo(before);
        assertThat(Cli.run("replicate", database, other, "--once", "--force").code())
                .isZero();
        assertThat(Bank.pages(other)).isEqualTo(Bank.pages(database));
    }

    @Test
    void slipsOfTheKeyboardMakeNoFiles() throws Exception {
        Path absent = directory.resolve("absent.db");
        assertThat(Cli.run("primary", absent, "--listen", "127.0.0.1:0").err()).contains("no such database");
        assertThat(Cli.run("replicate", absent, copy).code()).isEqualTo(1);
        assertThat(Cli.run("replicate", database, database).err()).contains("is the database itself");
        assertThat(Cli.run("replica", "ftp://x", copy).code()).isEqualTo(2);
        assertThat(Cli.run("replica", copy, "http://127.0.0.1:1/app").err())
                .contains("copy.db' is no address of a primary");
        assertThat(Cli.run("replicate", database, directory.resolve("nowhere/copy.db"))
                        .err())
                .contains("there is no directory");
        assertThat(Cli.run("primary", database, directory.resolve("x/app.db")).err())
                .contains("would both be named 'app'", "--name");
        assertThat(Cli.run("primary", database, "--listen", "127.0.0.1:x").code())
                .isEqualTo(2);
        assertThat(Cli.run("primary", "--create", directory).err()).contains("is a directory");
        assertThat(Cli.run("primary", "--create", directory.resolve("nowhere/app.db"))
                        .err())
                .contains("there is no directory");
        Path file = Files.writeString(directory.resolve("file"), "");
        assertThat(Cli.run("primary", database, "--data", file).err()).contains("file: not a directory");
        assertThat(Cli.run("primary", "--databases", file).err()).contains("file: not a directory");
        assertThat(absent).doesNotExist();
        assertThat(copy).doesNotExist();
        assertThat(directory.resolve("app.db-lockstep")).doesNotExist();
    }

    @Test
    void whatCannotBeServedIsLeftAsItIs() throws Exception {
        Programs.require("sqlite3");
        Path plain = directory.resolve("plain.db");
        Sqlite3.run(plain, "CREATE TABLE t(a);");
        byte[] before = Files.readAllBytes(plain);
        Path absent = directory.resolve("absent");
        Path made = directory.resolve("made");
        try (ServerSocket taken = new ServerSocket(0, 0, InetAddress.getLoopbackAddress())) {
            String port = "127.0.0.1:" + taken.getLocalPort();
            for (Object[] options : new Object[][] {
                {"--listen", port},
                {"--listen", "127.0.0.1:0", "--databases", made, "--admin-listen", port},
                {"--listen", "127.0.0.1:0", "--tls-cert", absent, "--tls-key", absent},
                {"--listen", "127.0.0.1:0", "--auth-jwt-key-file", absent},
                {"--listen", "127.0.0.1:0", absent}
            }) {
                Cli primary = Cli.run(Stream.concat(Stream.of("primary", plain), Stream.of(options))
                        .toArray());
                assertThat(primary.code())
                        .as(primary.err())
                        .isEqualTo(Arrays.asList(options).contains(port) ? 6 : 1);
                assertThat(Arrays.equals(Files.readAllBytes(plain), before))
                        .as(primary.err())
                        .isTrue();
                assertThat(directory.resolve("plain.db-lockstep")).doesNotExist();
                assertThat(made).doesNotExist();
            }
        }
    }

    @Test
    void aReplicaIsNoPrimarysDatabaseWhereverTheLogWouldBe() {
        assertThat(Cli.run("replicate", database, copy, "--once").code()).isZero();
        for (Object[] options : new Object[][] {{}, {"--data", directory.resolve("elsewhere")}}) {
            Object[] all = Stream.concat(
                            Stream.of("replicate", copy, directory.resolve("third.db"), "--once"), Stream.of(options))
                    .toArray();
            Cli refused = Cli.run(all);
            assertThat(refused.code()).isEqualTo(1);
            assertThat(refused.err()).contains("copy.db is a replica (copy.db-lockstep beside it says so)");
        }
    }

    @Test
    void aPathThroughALinkNamesTheFileThatTheSystemTakesItFor() throws Exception {
        Path far = Files.createDirectories(directory.resolve("x/y")).resolveSibling("app.db");
        Path named = Files.createSymbolicLink(directory.resolve("link"), far.resolveSibling("y"))
                .resolve("../app.db");
        assertThat(Cli.run("replicate", database, named, "--once").code()).isZero();
        assertThat(Bank.pages(far)).isEqualTo(Bank.pages(database));
        Files.delete(directory.resolve("x/app.db-lockstep"));
        bank.transfer(1);
        assertThat(Cli.run("replicate", named, copy, "--once").code()).isZero();
        assertThat(Bank.pages(copy)).isEqualTo(Bank.pages(far)).isNotEqualTo(Bank.pages(database));
    }

    @Test
    void aPrimaryThatIsNotThereIsUnavailable() {
        assertThat(Cli.run("status", "http://127.0.0.1:1").code()).isEqualTo(6);
        assertThat(Cli.run("replica", "http://127.0.0.1:1/app", copy, "--once").code())
                .isEqualTo(6);
    }

    @Test
    void aReplicaThatStoppedForGoodSaysSoInItsStatusUntilItGoesOn() throws Exception {
        assertThat(Cli.run("replicate", database, copy, "--once").code()).isZero();
        RefusalNote.write(copy, new RefusalNote(1, ExitCode.REFUSED, "frame 7 is bad"));
        Cli status = Cli.run("status", copy);
        assertThat(status.code()).isEqualTo(3);
        assertThat(status.out()).contains("STOPPED", "frame 7 is bad", "goes on from there");
        RefusalNote.write(copy, new RefusalNote(1, ExitCode.DIVERGED, "frame 7 is another"));
        assertThat(Cli.run("status", copy).out()).contains("--force").doesNotContain("goes on from there");
        bank.transfer(1);
        assertThat(Cli.run("replicate", database, copy, "--once").code()).isZero();
        assertThat(Cli.run("status", copy).code()).isZero();
    }

    @Test
    void aReplicaThatIsNamedThroughALinkTellsOfItsRefusalUnderBothNames() throws Exception {
        assertThat(Cli.run("replicate", database, copy, "--once").code()).isZero();
        Path link = Files.createSymbolicLink(directory.resolve("link.db"), copy);
        assertThat(refuse(link).code()).isEqualTo(5);
        assertThat(Cli.run("status", link).out()).contains("STOPPED");
        assertThat(Cli.run("status", copy).out()).contains("STOPPED");
    }

    @Test
    void aNoteThatCannotBeWrittenOrRemovedChangesNoOutcome() throws Exception {
        Files.createDirectories(directory.resolve("copy.db-lockstep-refused/full"));
        Cli healthy = Cli.run("replicate", database, copy, "--once");
        assertThat(healthy.code()).as(healthy.err()).isZero();
        assertThat(healthy.err()).contains("copy.db-lockstep-refused");
        Cli refused = refuse(copy);
        assertThat(refused.code()).as(refused.err()).isEqualTo(5);
        assertThat(refused.err()).contains("another log", "copy.db-lockstep-refused");
    }

    /** Has the replica follow another database. */
    private Cli refuse(Path replica) throws Exception {
        Path other = directory.resolve("other.db");
        Bank.open(other).close();
        return Cli.run("replicate", other, replica, "--once");
    }

    @Test
    void aPrimaryRunsSqlUnlessThatIsSwitchedOff() throws Exception {
        Cli with = primary("127.0.0.1:0");
        assertThat(sql(with).statusCode()).isEqualTo(200);
        assertThat(with.stop()).isZero();
        Cli without = primary("127.0.0.1:0", "--no-sql");
        assertThat(sql(without).statusCode()).isEqualTo(404);
        assertThat(without.stop()).isZero();
    }

    private static HttpResponse<String> sql(Cli primary) throws IOException, InterruptedException {
        String body = "{\"baton\":null,\"requests\":[{\"type\":\"close\"}]}";
        return HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create(url(primary) + "/v2/pipeline"))
                                .POST(HttpRequest.BodyPublishers.ofString(body))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
    }

    private Cli primary(String listen, String... options) {
        List<Object> arguments = new ArrayList<>(List.of("primary", database, "--listen", listen));
        arguments.addAll(List.of(options));
        Cli primary = Cli.start(arguments.toArray());
        await().atMost(Duration.ofSeconds(30)).until(() -> primary.out().contains("serves") || !primary.isRunning());
        assertThat(primary.isRunning()).as(primary.err()).isTrue();
        return primary;
    }

    private static String url(Cli primary) {
        return primary.out().substring(0, primary.out().indexOf(' '));
    }

    private void awaitEqual() throws SQLException {
        Bank.Reading wanted = Bank.read(database);
        await().atMost(Duration.ofSeconds(30))
                .until(() -> Files.exists(copy) && Bank.read(copy).equals(wanted));
    }
}
