package dev.lockstep.server;

import static dev.lockstep.server.ReplicationTest.assertSame;
import static dev.lockstep.server.ReplicationTest.awaitCaughtUp;
import static dev.lockstep.server.ReplicationTest.loopback;
import static dev.lockstep.server.ReplicationTest.url;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.lockstep.LockstepException;
import dev.lockstep.log.FrameLog;
import dev.lockstep.stream.HistoryOrigin;
import dev.lockstep.stream.MemoryTarget;
import dev.lockstep.stream.SenderOptions;
import dev.lockstep.verify.TestHistory;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Replication over a network that damages, cuts and stalls, and across restarts. The target fails on any wrong state (G1, G2). */
class BadNetworkTest {

    private static final int PAGE = 512;
    private static final Duration LIMIT = Duration.ofSeconds(20);
    private static final SenderOptions OPTIONS = SenderOptions.defaults()
            .withWindow(64 << 10, 256 << 10)
            .withTimes(Duration.ofMillis(100), Duration.ofSeconds(1));

    @TempDir
    Path directory;

    @Test
    void flippedBitsNeverReachReadersAndTheReplicaGoesOnOnceTheyStop() throws Exception {
        for (int seed = 0; seed < 3; seed++) {
            try (HistoryOrigin app = origin(seed);
                    LockstepServer server = serve(app, 0);
                    BadNetwork network = new BadNetwork(server.port(), seed);
                    RemotePrimary primary = RemotePrimary.of(url(network.port(), ""))) {
                MemoryTarget target = new MemoryTarget(directory);
                app.commit(50, 10);
                network.flipOneIn(20);
                for (int round = 0; round < 4; round++) {
                    try (Follower follower = new Follower(primary, target, "seed-" + seed)) {
                        for (int i = 0; i < 10; i++) {
                            app.commit(3, 10);
                        }
                        long head = app.log().head().frameNo();
                        await().atMost(LIMIT)
                                .until(() -> follower.stopped() != null
                                        || follower.sessions() > 3
                                        || follower.applied() >= head);
                        if (follower.stopped() != null) {
                            assertThat(follower.stopped()).isInstanceOf(LockstepException.class);
                        }
                    }
                }
                network.flipOneIn(0);
                network.cut();
                try (Follower follower = new Follower(primary, target, "healed")) {
                    awaitCaughtUp(follower, app);
                }
                assertSame(target, app);
            }
        }
    }

    @Test
    void replicaResumesAfterEveryCutWithoutAnotherCopy() throws Exception {
        try (HistoryOrigin app = origin(1);
                LockstepServer server = serve(app, 0);
                BadNetwork network = new BadNetwork(server.port(), 1);
                RemotePrimary primary = RemotePrimary.of(url(network.port(), ""))) {
            MemoryTarget target = new MemoryTarget(directory);
            app.commit(50, 10);
            try (Follower follower = new Follower(primary, target, "cut")) {
                awaitCaughtUp(follower, app);
                for (int i = 0; i < 10; i++) {
                    int before = follower.sessions();
                    app.commit(10, 30);
                    network.cut();
                    await().atMost(LIMIT).until(() -> follower.sessions() > before);
                }
                awaitCaughtUp(follower, app);
            }
            assertSame(target, app);
            assertThat(target.copies()).isEqualTo(1);
        }
    }

    @Test
    void stalledNetworkIsNoticedByBothSidesAndHoldsUpNoCommit() throws Exception {
        try (HistoryOrigin app = origin(2);
                LockstepServer server = serve(app, 0);
                BadNetwork network = new BadNetwork(server.port(), 2);
                RemotePrimary primary = RemotePrimary.of(url(network.port(), ""))) {
            MemoryTarget target = new MemoryTarget(directory);
            app.commit(50, 10);
            try (Follower follower = new Follower(primary, target, "stalled")) {
                awaitCaughtUp(follower, app);
                network.stall(true);
                for (int i = 0; i < 50; i++) {
                    app.commit(10, 20);
                }
                await().atMost(LIMIT)
                        .until(() ->
                                server.status().databases().get(0).replicas().isEmpty());
                await().atMost(LIMIT).until(() -> "silence".equals(follower.lastLoss()));
                network.stall(false);
                awaitCaughtUp(follower, app);
            }
            assertSame(target, app);
        }
    }

    @Test
    void replicaThatTakesNothingMoreFromTheNetworkIsTakenForDeadThoughTheWindowHasRoom() throws Exception {
        SenderOptions wide = SenderOptions.defaults().withTimes(Duration.ofMillis(100), Duration.ofSeconds(1));
        try (HistoryOrigin app = origin(5);
                LockstepServer server = serve(app, 0, wide);
                BadNetwork network = new BadNetwork(server.port(), 5);
                RemotePrimary primary = RemotePrimary.of(url(network.port(), ""));
                Follower follower = new Follower(primary, new MemoryTarget(directory), "stopped", 64 << 20)) {
            app.commit(50, 10);
            awaitCaughtUp(follower, app);
            network.stall(true);
            app.commitOne(20_000); // 10 MB, more than the network layers take in: the sender has a message in hand
            await().atMost(LIMIT)
                    .until(() -> server.status().databases().get(0).replicas().isEmpty());
        }
    }

    @Test
    void connectionThatDiedWithoutAWordIsNotUsedAgain() throws Exception {
        try (HistoryOrigin app = origin(6);
                LockstepServer server = serve(app, 0);
                BadNetwork network = new BadNetwork(server.port(), 6);
                RemotePrimary primary = RemotePrimary.of(url(network.port(), ""));
                Follower follower = new Follower(primary, new MemoryTarget(directory), "forgotten")) {
            app.commit(50, 10);
            awaitCaughtUp(follower, app);
            network.abandon();
            app.commit(50, 10);
            awaitCaughtUp(follower, app);
        }
    }

    @Test
    void replicaGoesOnWhenThePrimaryRestarts() throws Exception {
        TestHistory history = TestHistory.empty(PAGE, 3);
        MemoryTarget target = new MemoryTarget(directory);
        int port;
        HistoryOrigin first = new HistoryOrigin("app", directory.resolve("log"), history, FrameLog.Options.defaults());
        first.commit(50, 10);
        LockstepServer server = serve(first, 0);
        port = server.port();
        try (RemotePrimary primary = RemotePrimary.of(url(port, ""));
                Follower follower = new Follower(primary, target, "patient")) {
            awaitCaughtUp(follower, first);
            server.close();
            first.close();
            await().atMost(LIMIT).until(() -> follower.lastLoss() != null);
            try (HistoryOrigin second =
                            new HistoryOrigin("app", directory.resolve("log"), history, FrameLog.Options.defaults());
                    LockstepServer again = serve(second, port)) {
                second.commit(20, 10);
                awaitCaughtUp(follower, second);
                assertThat(again.port()).isEqualTo(port);
            }
        }
        assertThat(target.copies()).isEqualTo(1);
    }

    @Test
    void sessionMayLastLongerThanAnHttpRequestMayBeLong() throws Exception {
        try (HistoryOrigin app = origin(4);
                LockstepServer server = LockstepServer.builder()
                        .listen(loopback(0))
                        .database(app, () -> new ServerStatus.Capture("CAPTURING", ""))
                        .sender(OPTIONS)
                        .maxRequest(500)
                        .start();
                RemotePrimary primary = RemotePrimary.of(url(server.port(), ""))) {
            MemoryTarget target = new MemoryTarget(directory);
            try (Follower follower = new Follower(primary, target, "long")) {
                for (int i = 0; i < 100; i++) { // one acknowledgement of some 15 bytes each, at least
                    app.commit(1, 3);
                    awaitCaughtUp(follower, app);
                }
                assertThat(follower.sessions()).isEqualTo(1);
            }
        }
    }

    private HistoryOrigin origin(int seed) throws IOException {
        return new HistoryOrigin("app", directory.resolve("log" + seed), PAGE, seed);
    }

    private static LockstepServer serve(HistoryOrigin origin, int port) throws IOException {
        return serve(origin, port, OPTIONS);
    }

    private static LockstepServer serve(HistoryOrigin origin, int port, SenderOptions options) throws IOException {
        return LockstepServer.builder()
                .listen(loopback(port))
                .database(origin, () -> new ServerStatus.Capture("CAPTURING", ""))
                .sender(options)
                .start();
    }
}
