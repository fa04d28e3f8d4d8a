package dev.lockstep.server.libsql;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lockstep.Primary;
import dev.lockstep.Programs;
import dev.lockstep.log.FrameLog;
import dev.lockstep.server.LockstepServer;
import dev.lockstep.testing.Certificates;
import dev.lockstep.testing.Databases;
import dev.lockstep.testing.Sqlite3;
import dev.lockstep.testing.Workload;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** npm libsql as an embedded replica of a live database. */
class EmbeddedReplicaTest {

    @TempDir
    Path directory;

    private WrittenDatabase written;
    private Workload workload;
    private Path database;

    @BeforeEach
    void makeDatabase() throws Exception {
        Programs.require("sqlite3");
        written = new WrittenDatabase(directory.resolve("app.db"));
        workload = written.workload();
        database = written.path();
    }

    @AfterEach
    void closeWriter() throws Exception {
        written.close();
    }

    private static LockstepServer.Builder builder(Primary primary) {
        return LockstepServer.builder()
                .listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .database(primary);
    }

    private static LockstepServer serve(Primary primary) throws Exception {
        return builder(primary).start();
    }

    private static String url(LockstepServer server) {
        return "http://127.0.0.1:" + server.port();
    }

    @Test
    void aReplicaOfANewDatabaseFollowsFromTheFirstFrame() throws Exception {
        Path copy = directory.resolve("copy.db");
        try (Primary primary = Primary.of(database).open();
                LockstepServer server = serve(primary);
                EmbeddedReplica replica = EmbeddedReplica.open(copy, url(server))) {
            workload.create();
            written.write(50);
            WrittenDatabase.awaitCaptured(primary);
            replica.sync();
            assertThat(replica.all("SELECT n FROM counter").get(0).get("n").asLong())
                    .isPositive();
        }
        written.assertSameAs(copy);
    }

    @Test
    void aReplicaOfADatabaseThatWasThereBeforeStartsFromASnapshot() throws Exception {
        Path copy = directory.resolve("copy.db");
        workload.create();
        written.write(50);
        try (Primary primary = Primary.of(database).open();
                LockstepServer server = serve(primary);
                EmbeddedReplica replica = EmbeddedReplica.open(copy, url(server))) {
            replica.sync();
            written.write(50);
            WrittenDatabase.awaitCaptured(primary);
            replica.sync();
        }
        written.assertSameAs(copy);
    }

    @Test
    void aTransactionOfManyBatchesArrivesWhole() throws Exception {
        Path copy = directory.resolve("copy.db");
        try (Primary primary = Primary.of(database).open();
                LockstepServer server = serve(primary);
                EmbeddedReplica replica = EmbeddedReplica.open(copy, url(server))) {
            workload.create();
            WrittenDatabase.awaitCaptured(primary);
            replica.sync();
            written.execute(
                    "INSERT INTO junk (data) SELECT randomblob(1000000) FROM history, (VALUES (1),(2),(3),(4),(5),(6),(7),(8),"
                            + "(9),(10),(11),(12),(13),(14),(15),(16),(17),(18),(19),(20))");
            workload.small();
            WrittenDatabase.awaitCaptured(primary);
            replica.sync();
        }
        written.assertSameAs(copy);
    }

    @Test
    void aReplicaThatWasAwayBeyondTheLogGetsASnapshot() throws Exception {
        Path copy = directory.resolve("copy.db");
        workload.create();
        FrameLog.Options little = new FrameLog.Options(64 << 10, 64 << 10, Duration.ofDays(1));
        long seen;
        try (Primary primary = Primary.of(database).log(little).open();
                LockstepServer server = serve(primary);
                EmbeddedReplica replica = EmbeddedReplica.open(copy, url(server))) {
            seen = replica.sync().get("frame_no").asLong();
            written.write(100);
        }
        try (Primary primary = Primary.of(database).log(little).open();
                LockstepServer server = serve(primary);
                EmbeddedReplica replica = EmbeddedReplica.open(copy, url(server))) {
            primary.log().prune();
            assertThat(primary.log().start().startFrameNo()).isGreaterThan(seen + 1);
            replica.sync();
            workload.any();
            WrittenDatabase.awaitCaptured(primary);
            replica.sync();
        }
        written.assertSameAs(copy);
    }

    @Test
    void overTlsWithAnAuthorityOfItsOwn() throws Exception {
        Path copy = directory.resolve("copy.db");
        Certificates certificates = Certificates.make(directory);
        workload.create();
        try (Primary primary = Primary.of(database).open();
                LockstepServer server = builder(primary)
                        .tls(certificates.chain(), certificates.key())
                        .start();
                EmbeddedReplica replica = new EmbeddedReplica(
                        copy,
                        "https://127.0.0.1:" + server.port(),
                        "{}",
                        Map.of("SSL_CERT_FILE", certificates.authority().toString()))) {
            replica.open();
            replica.sync();
        }
        written.assertSameAs(copy);
    }

    @Test
    void aReplicaWithAPeriodFollowsWithoutBeingAskedWhileMuchIsWritten() throws Exception {
        Path copy = directory.resolve("copy.db");
        workload.create();
        try (Primary primary = Primary.of(database).open();
                LockstepServer server = serve(primary);
                EmbeddedReplica replica = new EmbeddedReplica(copy, url(server), "{\"syncPeriod\": 0.05}", Map.of())) {
            replica.open();
            replica.sync();
            long seen = -1;
            for (int i = 0; i < 300; i++) {
                workload.any();
                if (i % 10 == 0) {
                    long counter = replica.all(Workload.STATE)
                            .get(0)
                            .get("(SELECT n FROM counter)")
                            .asLong();
                    assertThat(counter).isGreaterThanOrEqualTo(seen);
                    seen = counter;
                }
            }
            WrittenDatabase.awaitCaptured(primary);
            long written = Databases.assertSound(database);
            Awaitility.await()
                    .atMost(Duration.ofSeconds(20))
                    .until(() ->
                            replica.all("SELECT n FROM counter").get(0).get("n").asLong() == written);
        }
        written.assertSameAs(copy);
    }

    @Test
    void aDatabaseOfMegabytesArrivesAsOneSnapshot() throws Exception {
        Path copy = directory.resolve("copy.db");
        workload.create();
        written.execute("INSERT INTO junk (data) SELECT randomblob(5000) FROM history, account, account LIMIT 8000");
        try (Primary primary = Primary.of(database).open();
                LockstepServer server = serve(primary);
                EmbeddedReplica replica = EmbeddedReplica.open(copy, url(server))) {
            replica.sync();
        }
        written.assertSameAs(copy);
    }

    @Test
    @Tag("soak")
    void aDatabaseOfAGigabyteArrivesWhileMuchIsWritten() throws Exception {
        Path copy = directory.resolve("copy.db");
        workload.create();
        written.execute("CREATE TABLE big (data BLOB)");
        written.execute("INSERT INTO big SELECT randomblob(27000) FROM account a, account b LIMIT 40000");
        try (Primary primary = Primary.of(database).open();
                LockstepServer server = serve(primary);
                EmbeddedReplica replica = EmbeddedReplica.open(copy, url(server))) {
            Thread writer = new Thread(() -> {
                try {
                    for (int i = 0; i < 5000; i++) { // no VACUUM, which rewrites the gigabyte
                        workload.small();
                    }
                } catch (SQLException e) {
                    throw new IllegalStateException(e);
                }
            });
            writer.start();
            replica.sync();
            writer.join();
            WrittenDatabase.awaitCaptured(primary);
            replica.sync();
        }
        Databases.assertSound(copy);
        String everything = "SELECT count(*), sum(length(data)), max(data) FROM big";
        assertThat(Sqlite3.run(copy, everything + ";")).isEqualTo(Sqlite3.run(database, everything + ";"));
        assertThat(Sqlite3.run(copy, Workload.STATE + ";")).isEqualTo(Sqlite3.run(database, Workload.STATE + ";"));
    }

    @Test
    void aNamedDatabaseIsReachedByPathAndAnUnknownOneFailsAtOnce() throws Exception {
        workload.create();
        try (Primary primary = Primary.of(database).open();
                LockstepServer server = serve(primary)) {
            try (EmbeddedReplica named = EmbeddedReplica.open(directory.resolve("named.db"), url(server) + "/app")) {
                named.sync();
                assertThat(named.all("SELECT n FROM counter")).hasSize(1);
            }
            try (EmbeddedReplica other = EmbeddedReplica.open(directory.resolve("other.db"), url(server) + "/no")) {
                assertThat(other.failureOf("sync", "").get("error").asText()).contains("Namespace");
            }
        }
    }

    @Test
    void pagesOfAnotherSizeAreRefused() throws Exception {
        Path other = directory.resolve("other.db");
        Sqlite3.run(other, "PRAGMA page_size=8192; CREATE TABLE t(v);");
        try (Primary primary = Primary.of(other).open();
                LockstepServer server = serve(primary);
                EmbeddedReplica replica = EmbeddedReplica.open(directory.resolve("copy.db"), url(server))) {
            assertThat(replica.failureOf("sync", "").get("error").asText()).contains("Handshake");
        }
    }
}
