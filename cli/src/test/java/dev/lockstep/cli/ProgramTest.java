package dev.lockstep.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lockstep.Programs;
import dev.lockstep.testing.Certificates;
import dev.lockstep.testing.Sqlite3;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The program in processes of its own: signals, kills, and every exit code that the README names. */
class ProgramTest {

    private static final Duration SOON = Duration.ofSeconds(60);

    @TempDir
    Path directory;

    private final List<Program> running = new ArrayList<>();
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
    void closeAll() throws Exception {
        for (Program program : running) {
            program.close();
        }
        bank.close();
    }

    @Test
    void aSignalEndsWhatServesInGoodOrder() throws Exception {
        Programs.require("python3");
        Path other = directory.resolve("other.db");
        Path otherCopy = directory.resolve("other-copy.db");
        try (Bank theirs = Bank.open(other)) {
            Program primary = started(Program.startInForeground("primary", database, "--listen", "127.0.0.1:0"));
            Program replica = started(Program.startInForeground("replica", url(primary), copy));
            Program both = started(Program.startInForeground("replicate", other, otherCopy));
            bank.transfer(10);
            theirs.transfer(10);
            awaitEqual(database, copy);
            awaitEqual(other, otherCopy);
            assertThat(replica.end("HUP")).as(replica.err()).isZero();
            assertThat(primary.end("TERM")).as(primary.err()).isZero();
            assertThat(both.end("INT")).as(both.err()).isZero();
            assertThat(primary.err() + replica.err() + both.err())
                    .doesNotContain("Exception", "lockstep: ", "WARN", "ERROR");
        }
        assertThat(directory.resolve("copy.db-wal")).doesNotExist();
        assertThat(Bank.pages(otherCopy)).isEqualTo(Bank.pages(other));
        bank.transfer(1);
        JsonNode next = Cli.run("replicate", database, copy, "--once", "--json").json();
        assertThat(next.get("receivedBytes").asLong()).isBetween(1L, 10L * 4120);
    }

    @Test
    void aSignalEndsItAtOnceWhileItOpensADatabase() throws Exception {
        Path locked = directory.resolve("locked.db");
        try (Connection holder = DriverManager.getConnection("jdbc:sqlite:" + locked);
                Statement statement = holder.createStatement()) {
            statement.execute("CREATE TABLE t(a)");
            statement.execute("BEGIN EXCLUSIVE");
            Program primary = started(Program.start("primary", locked, "--listen", "127.0.0.1:0"));
            await().atMost(SOON).until(() -> Files.exists(directory.resolve("locked.db-lockstep/LOCK")));
            assertThat(primary.end("TERM")).as(primary.err()).isEqualTo(143);
        }
    }

    @Test
    void killedTheyGoOnWithoutAnotherCopy() throws Exception {
        Program primary = primary("--listen", "127.0.0.1:0");
        String address = url(primary).replaceAll("http://|/app", "");
        Program replica = started(Program.start("replica", url(primary), copy));
        awaitEqual(database, copy);
        Object inode = Files.getAttribute(copy, "unix:ino");
        for (int round = 0; round < 2; round++) {
            bank.transfer(50);
            assertThat(replica.end("KILL")).isEqualTo(137);
            bank.transfer(50);
            assertThat(primary.end("KILL")).isEqualTo(137);
            bank.transfer(50);
            primary = primary("--listen", address);
            Program following = started(Program.start("replica", url(primary), copy));
            replica = following;
            awaitEqual(database, copy);
            await().atMost(SOON).until(() -> following.err().contains("following"));
            assertThat(following.err()).doesNotContain("copying");
        }
        assertThat(Files.getAttribute(copy, "unix:ino")).isEqualTo(inode);
        assertThat(replica.end("TERM")).isZero();
        assertThat(primary.end("TERM")).isZero();
        assertThat(Bank.pages(copy)).isEqualTo(Bank.pages(database));
        assertThat(Cli.run("verify", database).code()).isZero();
    }

    @Test
    void everyAnswerForProgramsIsOneJsonObject() throws Exception {
        Cli primary = Cli.start("primary", database, "--listen", "127.0.0.1:0");
        await().atMost(SOON).until(() -> primary.out().contains("\n"));
        String url = primary.out().substring(0, primary.out().indexOf(' '));
        assertThat(json("replica", url, copy, "--once").get("caughtUp").asBoolean())
                .isTrue();
        bank.transfer(1);
        assertThat(json("replica", url, copy, "--once").get("frame").asLong()).isPositive();
        assertThat(json("status", url).get("kind").asText()).isEqualTo("primary");
        assertThat(json("status", copy).get("kind").asText()).isEqualTo("replica");
        assertThat(json("status", database).get("kind").asText()).isEqualTo("log");
        assertThat(json("verify", database).get("sound").asBoolean()).isTrue();
        assertThat(json("log", database, "--limit", 1).get("checksum").asText()).hasSize(16);
        assertThat(json("inspect", database).get("checksum").asText()).hasSize(16);
        assertThat(primary.stop()).isZero();
        assertThat(json("replicate", database, copy, "--once").get("checksum").asText())
                .hasSize(16);
    }

    private static JsonNode json(Object... arguments) throws IOException {
        Object[] all = Stream.concat(Stream.of(arguments), Stream.of("--json")).toArray();
        Cli program = Cli.run(all);
        assertThat(program.code()).as(program.err()).isZero();
        return program.json();
    }

    @Test
    void failureAndUsageAre1And2() throws Exception {
        assertThat(Program.run("replicate", directory.resolve("typo.db"), copy).code())
                .isEqualTo(1);
        assertThat(Program.run("replicate", database).code()).isEqualTo(2);
        assertThat(Program.run().code()).isEqualTo(2);
    }

    @Test
    void refusalIs3AndBothSidesTellOfIt() throws Exception {
        Program primary = primary("--listen", "127.0.0.1:0");
        String url = url(primary);
        String fragile = "Handle with care";
        try (BadCable cable = new BadCable(portOf(url), fragile)) {
            Program replica = started(Program.start("replica", "http://127.0.0.1:" + cable.port() + "/app", copy));
            awaitEqual(database, copy);
            cable.arm(true);
            bank.note(fragile);
            assertThat(replica.code()).isEqualTo(3);
            assertThat(replica.err()).contains("refused: frame ", "checksum", "Expected ", "found ");
        }
        Cli here = Cli.run("status", copy);
        assertThat(here.code()).isEqualTo(3);
        assertThat(here.out()).contains("STOPPED", "checksum chain");
        assertThat(Cli.run("status", url).out()).contains("  refused ", "checksum chain");
        assertThat(Bank.read(copy).isWhole()).isTrue();

        assertThat(Cli.run("replica", url, copy, "--once").code()).isZero();
        assertThat(Cli.run("status", copy).code()).isZero();
        assertThat(Bank.read(copy)).isEqualTo(Bank.read(database));
    }

    @Test
    void damageOnDiskIs3() throws Exception {
        TestLog log = TestLog.make(Files.createDirectory(directory.resolve("damaged")), 20);
        log.flip(64 + 7 * (24 + 4096) + 100);
        Program verify = Program.run("verify", log.database());
        assertThat(verify.code()).isEqualTo(3);
        assertThat(verify.out()).contains("DAMAGED", "first fault");
    }

    @Test
    void aPrimaryThatWentBackIs4AndBothSidesTellOfIt() throws Exception {
        assertThat(Cli.run("replicate", database, copy, "--once").code()).isZero();
        Path old = Files.createDirectory(directory.resolve("old"));
        Sqlite3.copy(database, old);
        Sqlite3.copy(directory.resolve("app.db-wal"), old);
        copyTree(directory.resolve("app.db-lockstep"), old.resolve("app.db-lockstep"));
        bank.transfer(5);
        assertThat(Cli.run("replicate", database, copy, "--once").code()).isZero();
        Bank.Reading before = Bank.read(copy);

        Program primary = started(Program.start("primary", old.resolve("app.db"), "--listen", "127.0.0.1:0"));
        Program replica = Program.run("replica", url(primary), copy);
        assertThat(replica.code()).as(replica.err()).isEqualTo(4);
        assertThat(replica.err()).contains("ahead of the primary", "--force");
        assertThat(Cli.run("status", copy).code()).isEqualTo(4);
        assertThat(Cli.run("status", url(primary)).out()).contains("turned away", "ahead of the primary");
        assertThat(Bank.read(copy)).isEqualTo(before);
    }

    @Test
    void whatIsNoReplicaOfThisLogIs5AndIsLeftAlone() throws Exception {
        Path other = directory.resolve("other.db");
        try (Bank theirs = Bank.open(other)) {
            theirs.transfer(3);
        }
        byte[] before = Files.readAllBytes(other);
        assertThat(Program.run("replicate", database, other, "--once").code()).isEqualTo(5);
        assertThat(Files.readAllBytes(other)).isEqualTo(before);

        assertThat(Cli.run("replicate", other, copy, "--once").code()).isZero();
        byte[] theirCopy = Files.readAllBytes(copy);
        Program foreign = Program.run("replicate", database, copy, "--once");
        assertThat(foreign.code()).as(foreign.err()).isEqualTo(5);
        assertThat(foreign.err()).contains("another log");
        assertThat(Files.readAllBytes(copy)).isEqualTo(theirCopy);

        Cli ontoAPrimary = Cli.run("replicate", database, other, "--once", "--force");
        assertThat(ontoAPrimary.code()).isEqualTo(5);
        assertThat(ontoAPrimary.err()).contains("is a primary's database");
    }

    @Test
    void whatIsNotThereOrInUseIs6() throws Exception {
        Program nobody = Program.run("status", "http://127.0.0.1:1");
        assertThat(nobody.code()).isEqualTo(6);
        assertThat(nobody.err()).contains("Connection refused", "start 'lockstep primary'");

        Program primary = primary("--listen", "127.0.0.1:0");
        Program replica = started(Program.start("replica", url(primary), copy));
        awaitEqual(database, copy);
        Cli second = Cli.run("replica", url(primary), copy, "--once");
        assertThat(second.code()).isEqualTo(6);
        assertThat(second.err()).contains("another process follows");
        Cli over = Cli.run("replica", url(primary), copy, "--once", "--force");
        assertThat(over.code()).isEqualTo(6);
        assertThat(over.err()).contains("cannot be replaced while a program has it open");
        assertThat(replica.isRunning()).isTrue();
        assertThat(Cli.run("primary", database).code()).isEqualTo(6);

        Path other = directory.resolve("other.db");
        Bank.open(other).close();
        Cli port = Cli.run("primary", other, "--listen", "127.0.0.1:" + portOf(url(primary)));
        assertThat(port.code()).isEqualTo(6);
        assertThat(port.err()).contains("cannot listen", "another program listens there");
    }

    @Test
    void aDatabaseThatItMakesItselfIsNoReasonToWarn() throws Exception {
        Program primary =
                started(Program.start("primary", "--create", directory.resolve("new.db"), "--listen", "127.0.0.1:0"));
        url(primary);
        assertThat(primary.end("TERM")).isZero();
        assertThat(primary.err()).isEmpty();
    }

    @Test
    void strangersAtATlsPortAreNoReasonToWarn() throws Exception {
        Certificates certificates = Certificates.make(directory);
        Program primary =
                primary("--listen", "127.0.0.1:0", "--tls-cert", certificates.chain(), "--tls-key", certificates.key());
        for (String greeting : new String[] {"hello\r\n", "GET / HTTP/1.1\r\n\r\n", "\u0016\u0003\u0001"}) {
            try (Socket stranger = new Socket(InetAddress.getLoopbackAddress(), portOf(url(primary)))) {
                stranger.getOutputStream().write(greeting.getBytes(StandardCharsets.US_ASCII));
                stranger.shutdownOutput();
                assertThat(stranger.getInputStream().readAllBytes()).hasSizeLessThan(10);
            }
        }
        assertThat(primary.end("TERM")).isZero();
        assertThat(primary.err()).isEmpty();
    }

    @Test
    void aLogThatNoLongerReachesBackIs7AndForceMakesANewCopy() throws Exception {
        Program primary = primary("--listen", "127.0.0.1:0", "--retain", "200kB");
        String url = url(primary);
        assertThat(Cli.run("replica", url, copy, "--once").code()).isZero();
        bank.transfer(100);
        assertThat(primary.end("TERM")).isZero(); // until then a restart needs the frames
        primary("--listen", "127.0.0.1:" + portOf(url), "--retain", "200kB");
        bank.transfer(100);
        long at = Cli.run("status", "--json", copy).json().get("frame").asLong();
        await().atMost(SOON).until(() -> firstFrame(url) > at + 1);
        Program late = Program.run("replica", url, copy, "--once");
        assertThat(late.code()).as(late.err()).isEqualTo(7);
        assertThat(late.err()).contains("no longer reaches back", "--force", "--retain");
        assertThat(Cli.run("status", copy).code()).isEqualTo(7);
        assertThat(Cli.run("status", url).out()).contains("turned away", "no longer reaches back");

        assertThat(Cli.run("replica", url, copy, "--once", "--force").code()).isZero();
        assertThat(Bank.read(copy)).isEqualTo(Bank.read(database));
        assertThat(Cli.run("status", copy).code()).isZero();
    }

    private Program started(Program program) {
        running.add(program);
        return program;
    }

    private Program primary(Object... options) throws IOException {
        Object[] arguments = Stream.concat(Stream.of("primary", database), Stream.of(options))
                .toArray();
        Program primary = started(Program.start(arguments));
        url(primary);
        return primary;
    }

    /** The URL that a primary prints once it can be reached. */
    private static String url(Program primary) {
        await().atMost(SOON).until(() -> primary.out().contains("\n") || !primary.isRunning());
        assertThat(primary.isRunning()).as(primary.err()).isTrue();
        return primary.out().substring(0, primary.out().indexOf(' '));
    }

    private static long firstFrame(String url) throws IOException {
        JsonNode status = Cli.run("status", "--json", url).json();
        return status.get("databases").get(0).get("firstFrame").asLong();
    }

    private static int portOf(String url) {
        return URI.create(url).getPort();
    }

    private static void awaitEqual(Path database, Path copy) throws SQLException {
        Bank.Reading wanted = Bank.read(database);
        await().atMost(SOON).until(() -> Files.exists(copy) && Bank.read(copy).equals(wanted));
    }

    private static void copyTree(Path from, Path to) throws IOException {
        List<Path> files;
        try (Stream<Path> walk = Files.walk(from)) {
            files = walk.toList();
        }
        for (Path file : files) {
            Files.copy(file, to.resolve(from.relativize(file).toString()));
        }
    }
}
