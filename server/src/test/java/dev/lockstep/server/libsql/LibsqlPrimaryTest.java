package dev.lockstep.server.libsql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.linecorp.armeria.server.Server;
import com.linecorp.armeria.server.grpc.GrpcService;
import dev.lockstep.DivergedException;
import dev.lockstep.NeedsSnapshotException;
import dev.lockstep.Primary;
import dev.lockstep.Programs;
import dev.lockstep.RefusedException;
import dev.lockstep.Replica;
import dev.lockstep.UnsupportedException;
import dev.lockstep.log.FrameLog;
import dev.lockstep.server.LockstepServer;
import dev.lockstep.server.libsql.Tampering.Damage;
import dev.lockstep.testing.Databases;
import io.grpc.ServerInterceptors;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A replica of ours follows a server that speaks libSQL's protocol only. */
class LibsqlPrimaryTest {

    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final FrameLog.Options LITTLE = new FrameLog.Options(64 << 10, 64 << 10, Duration.ofDays(1));

    @TempDir
    Path directory;

    private WrittenDatabase written;
    private Path copy;

    @BeforeEach
    void makeDatabase() throws Exception {
        Programs.require("sqlite3");
        written = new WrittenDatabase(directory.resolve("app.db"));
        copy = directory.resolve("copy.db");
    }

    @AfterEach
    void closeWriter() throws Exception {
        written.close();
    }

    private Primary open() throws Exception {
        return Primary.of(written.path()).log(LITTLE).open();
    }

    private static LockstepServer serve(Primary primary) throws Exception {
        return LockstepServer.builder()
                .listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .database(primary)
                .ownProtocol(false)
                .start();
    }

    private LibsqlPrimary follow(int port, boolean fresh) throws Exception {
        return LibsqlPrimary.follow(
                "libsql+http://127.0.0.1:" + port + "/app", directory.resolve("copy.db-libsql"), fresh, null, null);
    }

    private void awaitLevel(Primary primary, Replica replica) throws Exception {
        WrittenDatabase.awaitCaptured(primary);
        long head = primary.log().durable().frameNo();
        assertThat(replica.awaitFrame(head, LIMIT)).as("%s", replica.status()).isTrue();
    }

    /** A run of the replica during which something happens. */
    private interface During {
        void run(Replica replica) throws Exception;
    }

    private void replicate(int port, boolean fresh, During during) throws Exception {
        try (LibsqlPrimary upstream = follow(port, fresh);
                Replica replica = Replica.of(copy, upstream).open()) {
            during.run(replica);
        }
    }

    @Test
    void aNewDatabaseIsFollowedFromFrame0AndAcrossRestartsOfBothSides() throws Exception {
        for (int run = 0; run < 3; run++) {
            try (Primary primary = Primary.of(written.path()).open();
                    LockstepServer server = serve(primary)) {
                boolean first = run == 0;
                if (first) {
                    written.workload().create();
                }
                replicate(server.port(), first, replica -> {
                    written.write(60);
                    awaitLevel(primary, replica);
                    assertThat(replica.status().receivedBytes()).isPositive();
                });
                written.write(20);
            }
        }
        try (Primary primary = Primary.of(written.path()).open();
                LockstepServer server = serve(primary)) {
            replicate(server.port(), false, replica -> awaitLevel(primary, replica));
        }
        written.assertSameAs(copy);
    }

    @Test
    void aDatabaseThatWasThereBeforeIsFollowedFromItsSnapshot() throws Exception {
        written.workload().create();
        written.write(60);
        try (Primary primary = open();
                LockstepServer server = serve(primary)) {
            replicate(server.port(), true, replica -> awaitLevel(primary, replica));
            written.write(60);
            replicate(server.port(), false, replica -> {
                written.write(60);
                awaitLevel(primary, replica);
            });
        }
        written.assertSameAs(copy);
    }

    @Test
    void aReplicaThatWasAwayForTooLongSaysSo() throws Exception {
        written.workload().create();
        try (Primary primary = open();
                LockstepServer server = serve(primary)) {
            replicate(server.port(), true, replica -> awaitLevel(primary, replica));
            written.write(100);
        }
        try (Primary primary = open();
                LockstepServer server = serve(primary)) {
            primary.log().prune();
            replicate(server.port(), false, replica -> {
                await().atMost(LIMIT).until(() -> replica.refusal() != null);
                assertThat(replica.refusal()).isInstanceOf(NeedsSnapshotException.class);
            });
            Databases.assertSound(copy);
            Files.delete(copy);
            Files.delete(directory.resolve("copy.db-lockstep"));
            replicate(server.port(), true, replica -> awaitLevel(primary, replica));
        }
        written.assertSameAs(copy);
    }

    @Test
    void anUnknownNameIsAClearError() throws Exception {
        written.workload().create();
        try (Primary primary = Primary.of(written.path()).name("other").open();
                LockstepServer server = serve(primary)) {
            replicate(server.port(), true, replica -> {
                await().atMost(LIMIT).until(() -> replica.refusal() != null);
                assertThat(replica.refusal())
                        .isInstanceOf(UnsupportedException.class)
                        .hasMessageContaining("NAMESPACE_DOESNT_EXIST");
            });
        }
    }

    @Test
    void whateverDoesNotContinueTheHistoryIsRefusedAndTheLastGoodStateStays() throws Exception {
        written.workload().create();
        Tampering tampering = new Tampering();
        ExecutorService executor = Executors.newCachedThreadPool();
        try (Primary primary = open();
                LibsqlDatabase database = new LibsqlDatabase(primary, directory);
                ReplicationLogService service = new ReplicationLogService((request, rights) -> database, executor);
                Server server = Server.builder()
                        .http(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                        .service(GrpcService.builder()
                                .addService(ServerInterceptors.intercept(service, tampering))
                                .build())
                        .build()) {
            server.start().join();
            int port = server.activeLocalPort();
            replicate(port, true, replica -> awaitLevel(primary, replica));
            for (Damage damage : Damage.values()) {
                long before = Databases.assertSound(copy);
                written.write(20);
                WrittenDatabase.awaitCaptured(primary);
                tampering.inflict(damage);
                replicate(port, false, replica -> assertRefusal(damage, replica));
                assertThat(Databases.assertSound(copy)).as("%s", damage).isGreaterThanOrEqualTo(before);
                tampering.inflict(Damage.NONE);
                replicate(port, false, replica -> awaitLevel(primary, replica));
            }
        } finally {
            executor.shutdownNow();
        }
        written.assertSameAs(copy);
    }

    private static void assertRefusal(Damage damage, Replica replica) {
        if (damage == Damage.NONE) {
            return;
        }
        await(damage.name()).atMost(LIMIT).until(() -> replica.refusal() != null);
        if (replica.refusal() instanceof RefusedException refused) {
            assertThat(refused.kind()).as("%s", damage).isEqualTo(damage.kind());
        } else {
            assertThat(damage).isEqualTo(Damage.HEAD_LOWERED);
            assertThat(replica.refusal()).isInstanceOf(DivergedException.class);
        }
    }
}
