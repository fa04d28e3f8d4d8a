package dev.lockstep.server;

import static dev.lockstep.sqlite.SqliteConnections.execute;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import dev.lockstep.DivergedException;
import dev.lockstep.LockstepException;
import dev.lockstep.Primary;
import dev.lockstep.Programs;
import dev.lockstep.RefusedException;
import dev.lockstep.RefusedException.Kind;
import dev.lockstep.Replica;
import dev.lockstep.Replica.State;
import dev.lockstep.log.FrameLayout;
import dev.lockstep.server.v1.Proto;
import dev.lockstep.server.v1.Proto.FollowReply;
import dev.lockstep.testing.Databases;
import dev.lockstep.testing.Sqlite3;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A real primary and a real replica with somebody between them who changes what travels. Whatever is changed, readers of the replica go on
 * with its last good state; the refusal says what did not line up, to the primary, too; and with an honest network the replica goes on
 * from there, without another copy (G2).
 */
class MeddlingTest {

    private static final Duration SOON = Duration.ofSeconds(30);
    private static final int PAGE = 512;

    @TempDir
    Path directory;

    private Path database;
    private Path copy;
    private Connection writer;
    private Primary primary;
    private LockstepServer server;
    private Meddler meddler;

    @BeforeEach
    void start() throws Exception {
        Programs.require("sqlite3");
        database = directory.resolve("app.db");
        copy = directory.resolve("copy.db");
        writer = connect(database);
        execute(writer, "PRAGMA page_size=" + PAGE);
        execute(writer, "PRAGMA journal_mode=WAL");
        execute(writer, "CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB)");
        primary = Primary.of(database).open();
        server = serve(primary);
        meddler = new Meddler(server.port());
        change();
        following(replica -> {});
    }

    @AfterEach
    void stop() throws Exception {
        meddler.close();
        server.close();
        primary.close();
        writer.close();
    }

    private static LockstepServer serve(Primary primary) throws Exception {
        return LockstepServer.builder()
                .listen(ReplicationTest.loopback(0))
                .database(primary)
                .start();
    }

    private static Connection connect(Path path) throws SQLException {
        return DriverManager.getConnection("jdbc:sqlite:" + path);
    }

    /** A transaction of a few pages. */
    private void change() throws SQLException {
        execute(writer, "INSERT INTO t (v) VALUES (randomblob(2000))");
    }

    private interface Use {
        void with(Replica replica) throws Exception;
    }

    /** A replica that has caught up; ends at the primary's state, with the file it had before, if it had one. */
    private void following(Use use) throws Exception {
        Object before = Files.exists(copy) ? Files.getAttribute(copy, "unix:ino") : null;
        try (RemotePrimary remote = RemotePrimary.of(meddler.url("app"));
                Replica replica = Replica.of(copy, remote).name("meddled").open()) {
            assertCaughtUp(replica);
            use.with(replica);
        }
        if (before != null) {
            assertThat(Files.getAttribute(copy, "unix:ino")).isEqualTo(before);
        }
    }

    private void assertCaughtUp(Replica replica) throws Exception {
        long head = primary.awaitCaptured(SOON).frameNo();
        boolean caughtUp = replica.awaitFrame(head, SOON);
        assertThat(caughtUp)
                .as("%s, refusal %s", replica.status(), replica.refusal())
                .isTrue();
    }

    /** Something is changed on the way; the replica must refuse it, keep its state, and go on afterwards. */
    private LockstepException refused(Function<FollowReply, List<FollowReply>> way) throws Exception {
        return refused(way, copy);
    }

    /** @param good whose state, after the first of two changes, the replica must keep: its own, or already the primary's */
    private LockstepException refused(Function<FollowReply, List<FollowReply>> way, Path good) throws Exception {
        LockstepException[] refusal = new LockstepException[1];
        following(replica -> {
            Path kept = directory.resolve("kept.db");
            Sqlite3.run(copy, ".backup '" + kept + "'");
            meddler.meddle(way);
            change();
            if (good.equals(database)) {
                Sqlite3.run(database, ".backup '" + kept + "'");
                await().atMost(SOON)
                        .until(() -> replica.status().state() == State.REFUSED); // else both go in one message
            }
            change();
            await().atMost(SOON).until(() -> replica.status().state() == State.REFUSED);
            meddler.meddle(List::of);
            Databases.assertSamePages(copy, kept);
            Files.delete(kept);
            refusal[0] = replica.refusal();
        });
        following(replica -> {});
        Databases.assertSamePages(copy, database);
        return refusal[0];
    }

    /** @param kinds those that it may be: which one can depend on whether a heartbeat comes first */
    private void assertRefused(Function<FollowReply, List<FollowReply>> way, Kind... kinds) throws Exception {
        assertRefused(refused(way), kinds);
    }

    private void assertRefused(LockstepException refusal, Kind... kinds) {
        assertThat(refusal)
                .isInstanceOfSatisfying(
                        RefusedException.class,
                        it -> assertThat(kinds).as(it.getMessage()).contains(it.kind()));
        String kind = ((RefusedException) refusal).kind().name();
        assertThat(refusal).hasMessageContainingAll("xpected", "found");
        await().atMost(SOON)
                .untilAsserted(
                        () -> assertThat(server.status().databases().get(0).refusals())
                                .anySatisfy(told -> assertThat(told.kind()).isEqualTo(kind)));
    }

    /** Changes the first message with frames that comes, and lets all others pass. */
    private static Function<FollowReply, List<FollowReply>> once(Function<Proto.Frames, List<Proto.Frames>> change) {
        AtomicBoolean done = new AtomicBoolean();
        return reply -> reply.hasFrames() && done.compareAndSet(false, true)
                ? change.apply(reply.getFrames()).stream()
                        .map(frames -> reply.toBuilder().setFrames(frames).build())
                        .toList()
                : List.of(reply);
    }

    private static Function<FollowReply, List<FollowReply>> flip(int offset) {
        return once(frames -> List.of(
                frames.toBuilder().setFrames(flip(frames.getFrames(), offset)).build()));
    }

    private static ByteString flip(ByteString bytes, int offset) {
        byte[] changed = bytes.toByteArray();
        changed[offset] ^= (byte) (1 << offset % 8);
        return ByteString.copyFrom(changed);
    }

    @Test
    void eachFieldOfAFrameIsRefusedWithItsOwnKind() throws Exception {
        assertRefused(flip(1), Kind.GAP); // frame number, 512 more
        assertRefused(flip(8), Kind.CHECKSUM);
        assertRefused(flip(17), Kind.SEAL); // page number, 512 more
        assertRefused(flip(20), Kind.COMMIT_MISPLACED); // size after
        assertRefused(flip(FrameLayout.HEADER + 77), Kind.CHECKSUM);
    }

    @Test
    void eachFieldOfACommitRecordIsRefused() throws Exception {
        for (FieldDescriptor field : Proto.Commit.getDescriptor().getFields()) {
            LockstepException refusal = refused(once(frames -> {
                Proto.Frames.Builder changed = frames.toBuilder();
                changed.setCommits(0, flip(changed.getCommits(0), field));
                return List.of(changed.build());
            }));
            assertThat(refusal).as(field.getName()).isInstanceOf(RefusedException.class);
        }
    }

    private static Proto.Commit flip(Proto.Commit commit, FieldDescriptor field) {
        Message.Builder changed = commit.toBuilder();
        Object value = commit.getField(field);
        changed.setField(
                field,
                value instanceof Long number
                        ? (Object) (number ^ 1)
                        : value instanceof Integer number ? number ^ 1 : flip((ByteString) value, 5));
        return (Proto.Commit) changed.build();
    }

    @Test
    void whatIsDroppedRepeatedReorderedOrCutShortIsRefused() throws Exception {
        assertRefused(once(frames -> List.of()), Kind.GAP, Kind.COMMIT_MISPLACED);
        assertRefused(refused(once(frames -> List.of(frames, frames)), database), Kind.REPEAT, Kind.COMMIT_MISPLACED);
        assertRefused(new Overtaking(), Kind.GAP, Kind.COMMIT_MISPLACED);
        assertRefused(once(frames -> List.of(cut(frames, PAGE + FrameLayout.HEADER))), Kind.COMMIT_MISPLACED);
        assertRefused(once(frames -> List.of(cut(frames, 1))), Kind.MALFORMED);
        assertRefused( // what claims to be compressed, and is not
                once(frames -> List.of(frames.toBuilder().setRawLength(1000).build())), Kind.MALFORMED);
        assertRefused(once(frames -> List.of(frames.toBuilder().clearCommits().build())), Kind.COMMIT_MISPLACED);
    }

    /** Ends the frames within the first transaction, of which nothing is applied then; both may have come in one message. */
    private static Proto.Frames cut(Proto.Frames frames, int bytes) {
        long first = frames.getFrames()
                .asReadOnlyByteBuffer()
                .order(ByteOrder.LITTLE_ENDIAN)
                .getLong(0);
        int size = (int) (frames.getCommits(0).getFrameNo() - first + 1) * FrameLayout.frameSize(PAGE);
        ByteString left = frames.getFrames().substring(0, size - bytes);
        return frames.toBuilder().setFrames(left).build();
    }

    /** Holds the first message with frames back until the second has passed. */
    private static final class Overtaking implements Function<FollowReply, List<FollowReply>> {

        private final List<FollowReply> held = new ArrayList<>();
        private boolean done;

        @Override
        public synchronized List<FollowReply> apply(FollowReply reply) {
            if (done || !reply.hasFrames()) {
                return List.of(reply);
            }
            held.add(0, reply);
            done = held.size() == 2;
            return done ? held : List.of();
        }
    }

    @Test
    void anotherLogIsRefused() throws Exception {
        Path other = directory.resolve("other").resolve("app.db");
        Files.createDirectory(other.getParent());
        try (Primary stranger = Primary.of(other).open();
                LockstepServer strange = serve(stranger)) {
            assertThat(refusedAt(strange))
                    .isInstanceOfSatisfying(
                            RefusedException.class,
                            refusal -> assertThat(refusal.kind()).isEqualTo(Kind.FOREIGN_LOG));
        }
    }

    /** What a restored backup of the primary leads to: the same log_id, and another history since. */
    @Test
    void anOlderLogOfTheSameHistoryThatWentOnDifferentlyIsRefused() throws Exception {
        Path restored = directory.resolve("restored");
        Files.createDirectories(restored.resolve("app.db-lockstep/log"));
        primary.close();
        writer.close();
        for (String file : List.of("app.db", "app.db-lockstep/pages.idx")) {
            Sqlite3.copy(directory.resolve(file), restored.resolve(file));
        }
        try (var segments = Files.list(directory.resolve("app.db-lockstep/log"))) {
            for (Path file : segments.toList()) {
                Sqlite3.copy(file, restored.resolve("app.db-lockstep/log").resolve(file.getFileName()));
            }
        }
        server.close();
        writer = connect(database);
        primary = Primary.of(database).open();
        server = serve(primary);
        meddler.lead(server.port());
        following(replica -> {
            change();
            assertCaughtUp(replica);
        });
        try (Connection elsewhere = connect(restored.resolve("app.db"));
                Primary old = Primary.of(restored.resolve("app.db")).open();
                LockstepServer older = serve(old)) {
            assertThat(refusedAt(older)).isInstanceOf(DivergedException.class);
            for (int i = 0; i < 5; i++) {
                execute(elsewhere, "INSERT INTO t (v) VALUES (randomblob(3000))");
            }
            assertThat(refusedAt(older)).isInstanceOf(DivergedException.class);
        }
    }

    /** The replica is led to another server, must refuse it and keep its state, and goes on when led back. */
    private LockstepException refusedAt(LockstepServer other) throws Exception {
        Path good = directory.resolve("good.db");
        Sqlite3.run(copy, ".backup '" + good + "'");
        meddler.lead(other.port());
        LockstepException refusal;
        try (RemotePrimary remote = RemotePrimary.of(meddler.url("app"));
                Replica replica = Replica.of(copy, remote).open()) {
            await().atMost(SOON).until(() -> replica.status().state() == State.REFUSED);
            refusal = replica.refusal();
        }
        Databases.assertSamePages(copy, good);
        Files.delete(good);
        meddler.lead(server.port());
        change();
        following(replica -> {});
        Databases.assertSamePages(copy, database);
        assertThat(refusal).isNotNull();
        return refusal;
    }

    @Test
    void anyBitOfAnyMessageLeavesCommittedStatesOnly() throws Exception {
        flipAnyBits(60);
    }

    @Test
    @Tag("soak")
    void anyBitOfAnyMessageLeavesCommittedStatesOnlyForLong() throws Exception {
        flipAnyBits(5000);
    }

    /** Bits of lengths, tags and numbers of the messages, too; some of them mean nothing, and then the replica just goes on. */
    private void flipAnyBits(int times) throws Exception {
        long seed = Long.getLong("lockstep.seed", System.nanoTime());
        System.out.println("MeddlingTest: -Dlockstep.seed=" + seed);
        Random random = new Random(seed);
        for (int i = 0; i < times; i++) {
            following(replica -> {
                Path good = directory.resolve("good.db");
                Sqlite3.run(copy, ".backup '" + good + "'");
                meddler.meddle(flipOneBit(random));
                change();
                long head = primary.awaitCaptured(SOON).frameNo();
                await().atMost(SOON)
                        .pollInterval(Duration.ofMillis(2))
                        .until(() ->
                                replica.status().state() == State.REFUSED || replica.awaitFrame(head, Duration.ZERO));
                // A head that was changed may be refused only after the frames beside it were applied.
                Databases.assertSamePages(copy, replica.awaitFrame(head, Duration.ZERO) ? database : good);
                Files.delete(good);
                meddler.meddle(List::of);
            });
        }
        following(replica -> {});
        Databases.assertSamePages(copy, database);
    }

    private static Function<FollowReply, List<FollowReply>> flipOneBit(Random random) {
        AtomicBoolean done = new AtomicBoolean();
        return reply -> {
            if (!reply.hasFrames() || !done.compareAndSet(false, true)) {
                return List.of(reply);
            }
            byte[] bytes = reply.toByteArray();
            int bit = random.nextInt(bytes.length * 8);
            bytes[bit / 8] ^= (byte) (1 << bit % 8);
            try {
                return List.of(FollowReply.parseFrom(bytes));
            } catch (InvalidProtocolBufferException e) {
                return List.of(FollowReply.getDefaultInstance()); // as unreadable
            }
        };
    }
}
