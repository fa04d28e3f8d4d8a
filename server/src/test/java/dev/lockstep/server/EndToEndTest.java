package dev.lockstep.server;

import static dev.lockstep.sqlite.SqliteConnections.execute;
import static dev.lockstep.sqlite.SqliteConnections.text;
import static org.assertj.core.api.Assertions.assertThat;

import dev.lockstep.Primary;
import dev.lockstep.Programs;
import dev.lockstep.Replica;
import dev.lockstep.testing.Databases;
import dev.lockstep.testing.EveryKind;
import dev.lockstep.testing.Sqlite3;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** SQLite to SQLite, over the network: every kind of transaction, every page size, and a database with a lock-byte page. */
class EndToEndTest {

    private static final Duration SOON = Duration.ofMinutes(2);
    private static final long LOCK_BYTE = 1L << 30;

    @TempDir
    Path directory;

    private Path database;
    private Path copy;

    @BeforeEach
    void paths() {
        Programs.require("sqlite3");
        database = directory.resolve("app.db");
        copy = directory.resolve("copy.db");
    }

    @ParameterizedTest
    @ValueSource(ints = {512, 1024, 2048, 4096, 8192, 16384, 32768, 65536})
    void everyKindOfTransactionArrives(int pageSize) throws Exception {
        try (Connection writer = connect()) {
            execute(writer, "PRAGMA page_size=" + pageSize);
            execute(writer, "PRAGMA auto_vacuum=FULL");
            execute(writer, "PRAGMA journal_mode=WAL");
            execute(writer, "CREATE TABLE first (a)");
            replicate((primary, replica) -> {
                for (String sql : EveryKind.TRANSACTIONS) {
                    execute(writer, sql);
                    assertArrived(primary, replica);
                }
                assertThat(text(writer, "PRAGMA page_size")).isEqualTo(String.valueOf(pageSize));
            });
        }
        assertSame();
        assertThat(Sqlite3.run(copy, "PRAGMA integrity_check; PRAGMA user_version;"))
                .isEqualTo("ok\n42");
    }

    /** The page that holds byte 2^30 is never written. The large pages make it page 16385, so that little else is to be done. */
    @Test
    @Tag("soak")
    void aDatabaseBeyondTheLockBytePageIsCopiedGrownAcrossItAndFollowed() throws Exception {
        try (Connection writer = connect()) {
            execute(writer, "PRAGMA page_size=65536");
            execute(writer, "PRAGMA synchronous=OFF");
            execute(writer, "CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB)");
            execute(writer, "INSERT INTO t VALUES (1, zeroblob(900000000))");
            execute(writer, "INSERT INTO t VALUES (2, zeroblob(" + (LOCK_BYTE - 900_000_000L - 3_000_000) + "))");
            execute(writer, "PRAGMA journal_mode=WAL");
            assertThat(Files.size(database)).isLessThan(LOCK_BYTE);
            replicate((primary, replica) -> {
                assertArrived(primary, replica);
                execute(writer, "INSERT INTO t VALUES (3, randomblob(9000000))");
                assertArrived(primary, replica);
                execute(writer, "UPDATE t SET v = randomblob(8000000) WHERE id = 3");
                assertArrived(primary, replica);
            });
            assertThat(Files.size(database)).isGreaterThan(LOCK_BYTE);
            Path second = directory.resolve("second.db");
            Path first = copy;
            copy = second;
            replicate(EndToEndTest::assertArrived);
            assertSame();
            Files.delete(second);
            copy = first;
            replicate((primary, replica) -> {
                execute(writer, "DELETE FROM t WHERE id = 1");
                execute(writer, "VACUUM");
                assertArrived(primary, replica);
            });
        }
        assertSame();
        assertThat(Sqlite3.run(copy, "PRAGMA integrity_check;")).isEqualTo("ok");
    }

    private Connection connect() throws Exception {
        return DriverManager.getConnection("jdbc:sqlite:" + database + "?busy_timeout=60000");
    }

    private interface Use {
        void with(Primary primary, Replica replica) throws Exception;
    }

    private void replicate(Use use) throws Exception {
        try (Primary primary = Primary.of(database).open();
                LockstepServer server = LockstepServer.builder()
                        .listen(ReplicationTest.loopback(0))
                        .database(primary)
                        .start();
                RemotePrimary remote = RemotePrimary.of(ReplicationTest.url(server.port(), "app"));
                Replica replica = Replica.of(copy, remote).open()) {
            use.with(primary, replica);
        }
    }

    private static void assertArrived(Primary primary, Replica replica) throws Exception {
        boolean arrived = replica.awaitFrame(primary.awaitCaptured(SOON).frameNo(), SOON);
        assertThat(arrived)
                .as("%s, refusal %s", replica.status(), replica.refusal())
                .isTrue();
    }

    private void assertSame() throws Exception {
        Databases.assertSamePages(copy, database);
    }
}
