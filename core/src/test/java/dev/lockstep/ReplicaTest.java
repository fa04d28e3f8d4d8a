package dev.lockstep;

import static dev.lockstep.sqlite.SqliteConnections.execute;
import static dev.lockstep.sqlite.SqliteConnections.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.lockstep.Replica.State;
import dev.lockstep.stream.ToReplica;
import dev.lockstep.stream.ToReplica.Frames;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Objects;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A primary and a replica in one process, all of it but the sockets. */
class ReplicaTest {

    private static final Duration SOON = Duration.ofSeconds(30);

    private static final ToReplica DENIAL =
            new ToReplica.Refused(ToReplica.Refused.Reason.UNKNOWN_DATABASE, "", "", "there is no such database");

    @TempDir
    Path directory;

    private Path database;
    private Path copy;

    @BeforeEach
    void create() throws Exception {
        database = directory.resolve("app.db");
        copy = directory.resolve("copy.db");
        try (Connection writer = connect(database)) {
            execute(writer, "PRAGMA journal_mode=WAL");
            execute(writer, "CREATE TABLE t (id INTEGER PRIMARY KEY, v)");
            execute(
                    writer,
                    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000)"
                            + " INSERT INTO t(v) SELECT randomblob(500) FROM n");
        }
    }

    @Test
    void anEmptyReplicaIsCopiedAndThenFollowsEveryTransaction() throws Exception {
        try (Primary primary = Primary.of(database).open();
                LocalUpstream upstream = new LocalUpstream(primary);
                Replica replica = Replica.of(copy, upstream).open();
                Connection writer = connect(database)) {
            for (int i = 0; i < 200; i++) {
                execute(writer, "INSERT INTO t(v) VALUES (randomblob(" + i * 50 + "))");
            }
            execute(writer, "DELETE FROM t WHERE id % 3 = 0");
            execute(writer, "VACUUM");
            assertFollowed(primary, replica);
        }
        assertEqual();
    }

    @Test
    void aReplicaThatWasAwayGoesOnWithoutANewCopy() throws Exception {
        try (Primary primary = Primary.of(database).open();
                LocalUpstream upstream = new LocalUpstream(primary);
                Connection writer = connect(database)) {
            try (Replica replica = Replica.of(copy, upstream).open()) {
                assertFollowed(primary, replica);
            }
            Object inode = Files.getAttribute(copy, "unix:ino");
            execute(writer, "UPDATE t SET v = 'away' WHERE id < 50");
            try (Replica replica = Replica.of(copy, upstream).open()) {
                assertFollowed(primary, replica);
            }
            assertThat(Files.getAttribute(copy, "unix:ino")).isEqualTo(inode);
        }
        assertEqual();
    }

    @Test
    void aDamagedFrameIsRefusedAndTheLastGoodStateStays() throws Exception {
        try (Primary primary = Primary.of(database).open();
                LocalUpstream upstream = new LocalUpstream(primary);
                Connection writer = connect(database)) {
            try (Replica replica = Replica.of(copy, upstream).open()) {
                assertFollowed(primary, replica);
                upstream.through(ReplicaTest::flipABit);
                execute(writer, "UPDATE t SET v = 'damaged on the way' WHERE id = 7");
                await().atMost(SOON).until(() -> replica.status().state() == State.REFUSED);
                assertThat(replica.refusal())
                        .isInstanceOf(RefusedException.class)
                        .hasMessageContaining("checksum");
                try (Connection reader = connect(copy)) {
                    assertThat(text(reader, "SELECT count(*) FROM t WHERE v = 'damaged on the way'"))
                            .isEqualTo("0");
                    assertThat(text(reader, "PRAGMA integrity_check")).isEqualTo("ok");
                }
            }
            upstream.through(message -> message);
            try (Replica replica = Replica.of(copy, upstream).open()) {
                assertFollowed(primary, replica);
            }
        }
        assertEqual();
    }

    @Test
    void listenersHearOfTransactionsAndOfTheEnd() throws Exception {
        Set<Position> durable = ConcurrentHashMap.newKeySet();
        Set<Position> applied = ConcurrentHashMap.newKeySet();
        Queue<State> states = new ConcurrentLinkedQueue<>();
        Queue<LockstepException> stops = new ConcurrentLinkedQueue<>();
        Primary.Listener atPrimary = new Primary.Listener() {
            @Override
            public void durable(Position position) {
                durable.add(position);
            }
        };
        Replica.Listener atReplica = new Replica.Listener() {
            @Override
            public void applied(Position position) {
                applied.add(position);
                throw new IllegalStateException("what a listener throws stops nothing");
            }

            @Override
            public void stateChanged(State state, @Nullable String problem) {
                states.add(state);
            }

            @Override
            public void stopped(LockstepException reason) {
                stops.add(reason);
            }
        };
        try (Primary primary = Primary.of(database).listener(atPrimary).open();
                LocalUpstream upstream = new LocalUpstream(primary);
                Replica replica = Replica.of(copy, upstream).listener(atReplica).open();
                Connection writer = connect(database)) {
            assertFollowed(primary, replica);
            execute(writer, "INSERT INTO t(v) VALUES (1)");
            Position committed = primary.awaitCaptured(SOON);
            await().atMost(SOON).until(() -> durable.contains(committed) && applied.contains(committed));
            assertThat(primary.awaitAcknowledged(committed, 1, SOON)).isEqualTo(new Primary.Acknowledged(true, 1));
            assertThat(primary.awaitAcknowledged(committed, 2, Duration.ZERO).reaches(2))
                    .isFalse();
            assertThat(stops).isEmpty();
            upstream.through(ReplicaTest::flipABit);
            execute(writer, "INSERT INTO t(v) VALUES (2)");
            await().atMost(SOON).until(() -> states.contains(State.REFUSED));
            assertThat(states).containsSubsequence(State.COPYING, State.FOLLOWING, State.REFUSED);
            assertThat(stops).containsExactly(replica.refusal());
        }
    }

    @Test
    void aListenerMayCloseItsReplica() throws Exception {
        CompletableFuture<Replica> itself = new CompletableFuture<>();
        CountDownLatch returned = new CountDownLatch(1);
        Replica.Listener closing = new Replica.Listener() {
            @Override
            public void stopped(LockstepException reason) {
                itself.join().close();
                returned.countDown();
            }
        };
        try (Primary primary = Primary.of(database).open();
                LocalUpstream upstream = new LocalUpstream(primary);
                Replica replica = Replica.of(copy, upstream).listener(closing).open();
                Connection writer = connect(database)) {
            itself.complete(replica);
            assertFollowed(primary, replica);
            upstream.through(ReplicaTest::flipABit);
            execute(writer, "INSERT INTO t(v) VALUES (1)");
            assertThat(returned.await(SOON.toSeconds(), TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void anErrorOfTheMachineIsShownAndTheReplicaTriesAgain() throws Exception {
        try (Primary primary = Primary.of(database).open();
                LocalUpstream upstream = new LocalUpstream(primary);
                Replica replica = Replica.of(copy, upstream).open()) {
            assertFollowed(primary, replica);
            upstream.through(message -> {
                throw new NoClassDefFoundError("gone/Missing");
            });
            await().atMost(SOON)
                    .untilAsserted(() -> assertThat(replica.status().problem()).contains("gone/Missing"));
            upstream.through(message -> message);
            assertFollowed(primary, replica);
        }
        assertEqual();
    }

    @Test
    void theLagIsKnownOnceTheReplicaHasCaughtUpAndGrowsWithoutThePrimary() throws Exception {
        try (Primary primary = Primary.of(database).open()) {
            Replica replica;
            try (LocalUpstream upstream = new LocalUpstream(primary)) {
                replica = Replica.of(copy, upstream).open();
                assertThat(replica.awaitLag(Duration.ofSeconds(5), SOON)).isTrue();
            }
            try (replica) {
                Duration lag = Objects.requireNonNull(replica.lag());
                await().atMost(SOON)
                        .until(() -> Objects.requireNonNull(replica.lag()).compareTo(lag.plusMillis(300)) > 0);
                assertThat(replica.awaitLag(Duration.ofMillis(100), Duration.ofMillis(50)))
                        .isFalse();
            }
        }
    }

    private static ToReplica flipABit(ToReplica message) {
        if (message instanceof Frames frames) {
            int at = frames.frames().position() + 1000;
            frames.frames().put(at, (byte) (frames.frames().get(at) ^ 4));
        }
        return message;
    }

    @Test
    void aDatabaseThatIsNoReplicaIsNotTouched() throws Exception {
        try (Connection other = connect(copy)) {
            execute(other, "CREATE TABLE precious (a)");
        }
        byte[] before = Files.readAllBytes(copy);
        try (Primary primary = Primary.of(database).open();
                LocalUpstream upstream = new LocalUpstream(primary)) {
            assertThatThrownBy(() -> Replica.of(copy, upstream).open()).isInstanceOf(NotAReplicaException.class);
            assertThat(Files.readAllBytes(copy)).isEqualTo(before);
            try (Replica replica = Replica.of(copy, upstream).force(true).open()) {
                assertFollowed(primary, replica);
            }
        }
        assertEqual();
    }

    @Test
    void aFinishedCopyThatReplacesADatabaseWaitsUntilNobodyReadsThat() throws Exception {
        try (Connection old = connect(copy)) {
            execute(old, "PRAGMA journal_mode=WAL");
            execute(old, "CREATE TABLE old (a)");
        }
        AtomicInteger copies = new AtomicInteger();
        CompletableFuture<Connection> reader = new CompletableFuture<>();
        try (Primary primary = Primary.of(database).open();
                LocalUpstream upstream = new LocalUpstream(primary)) {
            upstream.through(message -> {
                if (message instanceof ToReplica.SnapshotBegin) {
                    copies.incrementAndGet();
                } else if (message instanceof ToReplica.SnapshotEnd && !reader.isDone()) {
                    reader.complete(reading(copy));
                }
                return message;
            });
            try (Replica replica = Replica.of(copy, upstream).force(true).open()) {
                await().atMost(SOON)
                        .until(() -> String.valueOf(replica.status().problem()).contains("has it open"));
                reader.join().close();
                assertFollowed(primary, replica);
            }
        }
        assertThat(copies).hasValue(1);
        assertEqual();
    }

    private static Connection reading(Path path) {
        try {
            Connection connection = connect(path);
            text(connection, "SELECT count(*) FROM sqlite_schema");
            return connection;
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void aReplicaOfAnotherPrimaryIsRefused() throws Exception {
        try (Primary primary = Primary.of(database).open();
                LocalUpstream upstream = new LocalUpstream(primary);
                Replica replica = Replica.of(copy, upstream).open()) {
            assertFollowed(primary, replica);
        }
        try (Primary other = Primary.of(directory.resolve("other.db")).open();
                LocalUpstream upstream = new LocalUpstream(other);
                Replica replica = Replica.of(copy, upstream).open()) {
            await().atMost(SOON).until(() -> replica.status().state() == State.REFUSED);
            assertThat(replica.refusal()).hasMessageContaining("another log");
        }
        assertEqual();
    }

    @Test
    void aDenialIsBelievedAtOnceByAReplicaThatNeverFollowed() throws Exception {
        try (Primary primary = Primary.of(database).open();
                LocalUpstream upstream = new LocalUpstream(primary)) {
            upstream.through(message -> DENIAL);
            try (Replica replica = Replica.of(copy, upstream).open()) {
                await().atMost(SOON).until(() -> replica.status().state() == State.REFUSED);
                assertThat(replica.refusal()).isInstanceOf(UnsupportedException.class);
            }
        }
    }

    @Test
    void aDenialThatPassesDoesNotStopAReplicaThatHasFollowed() throws Exception {
        try (Primary primary = Primary.of(database).open();
                LocalUpstream upstream = new LocalUpstream(primary);
                Replica replica = Replica.of(copy, upstream).open()) {
            assertFollowed(primary, replica);
            AtomicInteger denials = new AtomicInteger();
            upstream.through(message -> denials.incrementAndGet() <= 3 ? DENIAL : message);
            await().atMost(SOON).until(() -> denials.get() > 3);
            assertFollowed(primary, replica);
            assertThat(replica.refusal()).isNull();
        }
    }

    @Test
    void aDenialThatLastsStopsAReplicaThatHasFollowed() throws Exception {
        try (Primary primary = Primary.of(database).open();
                LocalUpstream upstream = new LocalUpstream(primary);
                Replica replica = Replica.of(copy, upstream)
                        .denialPatience(Duration.ofMillis(500))
                        .open()) {
            assertFollowed(primary, replica);
            upstream.through(message -> DENIAL);
            await().atMost(SOON).until(() -> replica.status().state() == State.REFUSED);
            assertThat(replica.refusal()).hasMessageContaining("no such database");
        }
    }

    @Test
    void aHeadThatIsNeverSentIsNotWaitedForInSilence() throws Exception {
        Queue<String> problems = new ConcurrentLinkedQueue<>();
        Replica.Listener listener = new Replica.Listener() {
            @Override
            public void stateChanged(State state, @Nullable String problem) {
                problems.add(String.valueOf(problem));
            }
        };
        AtomicBoolean honest = new AtomicBoolean();
        try (Primary primary = Primary.of(database).open();
                LocalUpstream upstream = new LocalUpstream(primary);
                Replica replica = Replica.of(copy, upstream)
                        .listener(listener)
                        .owedPatience(Duration.ofMillis(500))
                        .open()) {
            assertFollowed(primary, replica);
            upstream.through(message -> {
                honest.compareAndSet(false, message instanceof ToReplica.Welcome); // the next session's
                return message instanceof ToReplica.Heartbeat heartbeat && !honest.get()
                        ? new ToReplica.Heartbeat(Long.MAX_VALUE, heartbeat.sent())
                        : message;
            });
            await().atMost(SOON)
                    .untilAsserted(() -> assertThat(problems)
                            .anySatisfy(
                                    problem -> assertThat(problem).contains("it has frames up to " + Long.MAX_VALUE)));
            assertFollowed(primary, replica);
        }
        assertEqual();
    }

    @Test
    void whatIsNoDatabaseIsRefusedBeforeAnyFileIsMade() throws Exception {
        Path text = Files.writeString(directory.resolve("notes.txt"), "no database ".repeat(100));
        assertThatThrownBy(() -> Primary.of(text).open())
                .isInstanceOf(UnsupportedException.class)
                .hasMessageContaining("is not a SQLite database");
        assertThat(directory.resolve("notes.txt-lockstep")).doesNotExist();
    }

    private static void assertFollowed(Primary primary, Replica replica) throws Exception {
        await().atMost(SOON).until(() -> captured(primary));
        assertThat(replica.awaitFrame(primary.position().frameNo(), SOON))
                .as(() -> primary.status() + " " + replica.status())
                .isTrue();
    }

    /** Whether all that was committed before this call was captured: SQLite's count in the wal-index would tell, the database does too. */
    private static boolean captured(Primary primary) throws Exception {
        try (Connection writer = connect(primary.database())) {
            long before = primary.position().frameNo();
            execute(writer, "PRAGMA user_version=" + (int) (before + 1));
            await().atMost(SOON).until(() -> primary.position().frameNo() > before);
            return true;
        }
    }

    private void assertEqual() throws SQLException, java.io.IOException {
        for (Path file : new Path[] {database, copy}) {
            try (Connection connection = connect(file)) {
                assertThat(text(connection, "PRAGMA wal_checkpoint(TRUNCATE)")).isEqualTo("0");
                assertThat(text(connection, "PRAGMA integrity_check")).isEqualTo("ok");
            }
        }
        assertThat(Files.mismatch(database, copy)).isEqualTo(-1);
    }

    private static Connection connect(Path file) throws SQLException {
        Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file);
        execute(connection, "PRAGMA busy_timeout=20000");
        return connection;
    }
}
