package dev.lockstep.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import dev.lockstep.UnavailableException;
import dev.lockstep.UnsupportedException;
import dev.lockstep.log.FrameLog;
import dev.lockstep.stream.HistoryOrigin;
import dev.lockstep.stream.MemoryTarget;
import dev.lockstep.stream.SenderOptions;
import dev.lockstep.verify.TestHistory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Replicas in memory follow random histories over real gRPC on the loopback interface. */
class ReplicationTest {

    private static final int PAGE = 512;
    private static final Duration LIMIT = Duration.ofSeconds(20);
    private static final SenderOptions OPTIONS = SenderOptions.defaults()
            .withWindow(64 << 10, 256 << 10)
            .withTimes(Duration.ofMillis(200), Duration.ofSeconds(3));

    @TempDir
    static Path directory;

    private static HistoryOrigin app;
    private static HistoryOrigin other;
    private static LockstepServer server;

    @BeforeAll
    static void start() throws IOException {
        app = new HistoryOrigin("app", directory.resolve("app"), PAGE, 1);
        other = new HistoryOrigin("other", directory.resolve("other"), 4096, 2);
        app.commit(30, 10);
        other.commit(30, 10);
        server = LockstepServer.builder()
                .listen(loopback(0))
                .database(app, () -> new ServerStatus.Capture("CAPTURING", ""))
                .database(other, () -> new ServerStatus.Capture("FAILED", "the disk is full"))
                .sender(OPTIONS)
                .start();
    }

    @AfterAll
    static void stop() throws IOException {
        server.close();
        app.close();
        other.close();
    }

    @Test
    void replicaCopiesAndThenFollows() throws Exception {
        MemoryTarget target = new MemoryTarget(directory);
        try (RemotePrimary primary = RemotePrimary.of(url(server.port(), "app"));
                Follower follower = new Follower(primary, target, "one")) {
            awaitCaughtUp(follower, app);
            for (int i = 0; i < 20; i++) {
                app.commit(10, 20);
            }
            awaitCaughtUp(follower, app);
        }
        assertSame(target, app);
        assertThat(target.copies()).isEqualTo(1);
    }

    @Test
    void manyReplicasOfSeveralDatabasesFollowAtOnceCompressedOrNot() throws Exception {
        List<Follower> followers = new ArrayList<>();
        List<RemotePrimary> primaries = new ArrayList<>();
        List<MemoryTarget> targets = new ArrayList<>();
        try {
            for (int i = 0; i < 16; i++) {
                MemoryTarget target = new MemoryTarget(directory);
                RemotePrimary primary = RemotePrimary.builder(url(server.port(), i % 4 == 0 ? "other" : "app"))
                        .compression(i % 2 == 0)
                        .build();
                targets.add(target);
                primaries.add(primary);
                followers.add(new Follower(primary, target, "many-" + i));
            }
            for (int i = 0; i < 10; i++) {
                app.commit(10, 10);
                other.commit(5, 5);
            }
            for (int i = 0; i < followers.size(); i++) {
                awaitCaughtUp(followers.get(i), i % 4 == 0 ? other : app);
            }
        } finally {
            for (Follower follower : followers) {
                follower.close();
            }
            primaries.forEach(RemotePrimary::close);
        }
        for (int i = 0; i < targets.size(); i++) {
            assertSame(targets.get(i), i % 4 == 0 ? other : app);
        }
    }

    @Test
    void statusTellsOfDatabasesReplicasAndRefusals() throws Exception {
        MemoryTarget target = new MemoryTarget(directory);
        try (RemotePrimary primary = RemotePrimary.of(url(server.port(), "app"));
                Follower follower = new Follower(primary, target, "told")) {
            awaitCaughtUp(follower, app);
            await().atMost(LIMIT)
                    .until(() -> primary.status().databases().get(0).replicas().stream()
                            .anyMatch(replica -> replica.name().equals("told") && replica.lagFrames() == 0));
            ServerStatus.Database database = primary.status().databases().get(0);
            assertThat(database.name()).isEqualTo("app");
            assertThat(database.head())
                    .isEqualTo(TestHistory.withoutMark(app.log().head()));
            assertThat(database.logId()).isEqualTo(app.history().start().logId());
            assertThat(database.log()).isEqualTo(app.log().extent());
            assertThat(database.capture().state()).isEqualTo("CAPTURING");
        }
        MemoryTarget foreign = new MemoryTarget(directory);
        try (RemotePrimary primary = RemotePrimary.of(url(server.port(), "other"));
                Follower follower = new Follower(primary, foreign, "foreign")) {
            awaitCaughtUp(follower, other);
        }
        foreign.makeDurable();
        try (RemotePrimary primary = RemotePrimary.of(url(server.port(), "app"));
                Follower follower = new Follower(primary, foreign, "foreign")) {
            await().atMost(LIMIT).until(() -> follower.stopped() != null);
            assertThat(follower.stopped())
                    .hasMessageContaining(other.history().start().logId().toString());
            assertThat(server.status().databases().get(0).refusals()).anySatisfy(refusal -> {
                assertThat(refusal.kind()).isEqualTo("FOREIGN_LOG");
                assertThat(refusal.replicaName()).isEqualTo("foreign");
                assertThat(refusal.byPrimary()).isTrue();
            });
        }
        try (RemotePrimary all = RemotePrimary.of(url(server.port(), ""))) {
            assertThat(all.status().databases()).hasSize(2);
            assertThat(all.status().databases().get(1).capture().failure()).isEqualTo("the disk is full");
        }
    }

    @Test
    void unknownDatabaseIsAClearError() throws Exception {
        assertStops("nothing", UnsupportedException.class, "no database \"nothing\"", "served here: app, other");
        assertStops("", UnsupportedException.class, "has to name a database", "served here: app, other");
    }

    @Test
    void serverThatIsNoLockstepServerIsAClearError() throws Exception {
        HttpServer web = HttpServer.create(loopback(0), 0);
        web.start();
        try (RemotePrimary primary = RemotePrimary.of(url(web.getAddress().getPort(), "app"))) {
            assertThatThrownBy(primary::status).hasMessageContaining("no Lockstep server");
        } finally {
            web.stop(0);
        }
    }

    @Test
    void primaryThatHangsIsUnavailable() throws Exception {
        try (ServerSocket hung = new ServerSocket(0, 0, InetAddress.getLoopbackAddress());
                RemotePrimary primary = RemotePrimary.builder(url(hung.getLocalPort(), "app"))
                        .connectTimeout(Duration.ofMillis(300))
                        .build()) {
            assertThatThrownBy(primary::status)
                    .isInstanceOf(UnavailableException.class)
                    .hasMessageContaining("does not answer");
        }
    }

    @Test
    void primaryThatHangsUpIsUnavailable() throws Exception {
        try (ServerSocket door = new ServerSocket(0, 0, InetAddress.getLoopbackAddress());
                RemotePrimary primary = RemotePrimary.of(url(door.getLocalPort(), "app"))) {
            CompletableFuture<Void> hangingUp = CompletableFuture.runAsync(() -> {
                try (Socket caller = door.accept()) {
                    caller.shutdownOutput();
                    caller.getInputStream().readAllBytes();
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
            assertThatThrownBy(primary::status).isInstanceOf(UnavailableException.class);
            hangingUp.join();
        }
    }

    @Test
    void answerOfAnotherServerIsForgottenOnceThePrimaryIsBack() throws Exception {
        HttpServer web = HttpServer.create(loopback(0), 0);
        web.start();
        try (BadNetwork network = new BadNetwork(web.getAddress().getPort(), 1);
                RemotePrimary primary = RemotePrimary.of(url(network.port(), "app"))) {
            assertThatThrownBy(primary::status).isInstanceOf(UnsupportedException.class);
            network.exit(server.port());
            assertThat(primary.status().databases()).hasSize(1);
        } finally {
            web.stop(0);
        }
    }

    @Test
    void primaryThatCannotBeReachedIsUnavailableAndTheReplicaKeepsTrying() throws Exception {
        int port;
        try (ServerSocket free = new ServerSocket(0, 0, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        try (RemotePrimary primary = RemotePrimary.of(url(port, "app"));
                Follower follower = new Follower(primary, new MemoryTarget(directory), "early")) {
            assertThatThrownBy(primary::status)
                    .isInstanceOf(UnavailableException.class)
                    .hasMessageContaining(port + "/app: Connection refused; start 'lockstep primary'");
            await().atMost(LIMIT).until(() -> follower.sessions() > 2);
            try (LockstepServer late = LockstepServer.builder()
                    .listen(loopback(port))
                    .database(app, () -> new ServerStatus.Capture("CAPTURING", ""))
                    .sender(OPTIONS)
                    .start()) {
                awaitCaughtUp(follower, app);
                assertThat(late.port()).isEqualTo(port);
            }
            assertThat(follower.stopped()).isNull();
        }
    }

    @Test
    void addressInUseIsAClearError() {
        assertThatThrownBy(() ->
                        LockstepServer.builder().listen(loopback(server.port())).start())
                .isInstanceOf(UnavailableException.class)
                .hasMessageContaining("another program listens there");
    }

    @Test
    void replicaThatStopsReadingCostsAWindowAndHoldsUpNobody() throws Exception {
        MemoryTarget slow = new MemoryTarget(directory);
        MemoryTarget quick = new MemoryTarget(directory);
        try (RemotePrimary slowly = RemotePrimary.of(url(server.port(), "app"));
                RemotePrimary quickly = RemotePrimary.of(url(server.port(), "app"));
                Follower stalled = new Follower(slowly, slow, "stalled");
                Follower going = new Follower(quickly, quick, "going")) {
            awaitCaughtUp(stalled, app);
            awaitCaughtUp(going, app);
            stalled.pause(true);
            for (int i = 0; i < 50; i++) {
                app.commit(10, 50); // some 7 MB in all, many windows
                assertThat(unacknowledged("stalled")).isLessThanOrEqualTo(OPTIONS.windowBytes());
            }
            awaitCaughtUp(going, app);
            assertThat(unacknowledged("stalled")).isBetween(OPTIONS.windowBytes() / 2, OPTIONS.windowBytes());
            assertThat(stalled.applied()).isLessThan(app.log().head().frameNo());

            stalled.pause(false);
            awaitCaughtUp(stalled, app);
            assertThat(stalled.sessions()).isEqualTo(1);
        }
        assertSame(slow, app);
    }

    @Test
    void replicaThatStopsReadingHasTheLogHeldForItOnlyUpToTheBound() throws Exception {
        FrameLog.Options little = new FrameLog.Options(1 << 20, 1 << 20, Duration.ofDays(1));
        try (HistoryOrigin pruned =
                        new HistoryOrigin("pruned", directory.resolve("pruned"), TestHistory.empty(PAGE, 3), little);
                LockstepServer wide = LockstepServer.builder()
                        .listen(loopback(0))
                        .database(pruned, () -> new ServerStatus.Capture("CAPTURING", ""))
                        .sender(SenderOptions.defaults().withHold(8 << 20))
                        .start();
                RemotePrimary primary = RemotePrimary.of(url(wide.port(), ""));
                Follower stalled = new Follower(primary, new MemoryTarget(directory), "stalled", 64 << 20)) {
            pruned.commit(50, 10);
            awaitCaughtUp(stalled, pruned);
            stalled.pause(true); // it goes on saying that it lives
            await().atMost(LIMIT).until(() -> {
                pruned.commit(1000, 5);
                pruned.log().prune();
                return pruned.log().start().startFrameNo() > stalled.applied() + 1;
            });
            assertThat(wide.status().databases().get(0).replicas()).hasSize(1);
        }
    }

    private static long unacknowledged(String replica) {
        return server.status().databases().get(0).replicas().stream()
                .filter(status -> status.name().equals(replica))
                .findFirst()
                .orElseThrow()
                .unacknowledgedBytes();
    }

    private static void assertStops(String name, Class<? extends Exception> kind, String... words) throws Exception {
        try (RemotePrimary primary = RemotePrimary.of(url(server.port(), name));
                Follower follower = new Follower(primary, new MemoryTarget(directory), "lost")) {
            await().atMost(LIMIT).until(() -> follower.stopped() != null);
            assertThat(follower.stopped()).isInstanceOf(kind).hasMessageContainingAll(words);
        }
    }

    static void awaitCaughtUp(Follower follower, HistoryOrigin origin) {
        long head = origin.log().head().frameNo();
        await().pollInterval(Duration.ofMillis(5)).atMost(LIMIT).until(() -> {
            Exception stopped = follower.stopped();
            if (stopped != null) {
                throw new AssertionError("the replica stopped", stopped);
            }
            return follower.applied() >= head;
        });
    }

    static void assertSame(MemoryTarget target, HistoryOrigin origin) {
        assertThat(target.visible())
                .isEqualTo(TestHistory.withoutMark(origin.log().head()));
        assertThat(TestHistory.state(target.pages()))
                .isEqualTo(TestHistory.state(origin.history().pages()));
    }

    static InetSocketAddress loopback(int port) {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    }

    static String url(int port, String name) {
        return "http://127.0.0.1:" + port + "/" + name;
    }
}
