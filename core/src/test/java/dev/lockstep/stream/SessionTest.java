package dev.lockstep.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lockstep.DivergedException;
import dev.lockstep.NeedsSnapshotException;
import dev.lockstep.RefusedException;
import dev.lockstep.RefusedException.Kind;
import dev.lockstep.UnavailableException;
import dev.lockstep.UnsupportedException;
import dev.lockstep.log.CommitRecord;
import dev.lockstep.log.FrameLog;
import dev.lockstep.log.Seal;
import dev.lockstep.log.WalMark;
import dev.lockstep.stream.ToPrimary.Ack;
import dev.lockstep.stream.ToPrimary.Hello;
import dev.lockstep.stream.ToReplica.Frames;
import dev.lockstep.stream.ToReplica.Heartbeat;
import dev.lockstep.stream.ToReplica.Refused;
import dev.lockstep.stream.ToReplica.SnapshotBegin;
import dev.lockstep.stream.ToReplica.SnapshotEnd;
import dev.lockstep.stream.ToReplica.SnapshotPages;
import dev.lockstep.stream.ToReplica.Welcome;
import dev.lockstep.verify.TestHistory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ProtocolException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SessionTest {

    private static final int PAGE = 512;
    private static final int FRAME = PAGE + 24;
    private static final SenderOptions SMALL = SenderOptions.defaults().withWindow(10 * FRAME, 40 * FRAME);

    @TempDir
    Path directory;

    private HistoryOrigin origin;
    private MemoryTarget target;

    @BeforeEach
    void open() throws IOException {
        origin = new HistoryOrigin("app", directory.resolve("log"), PAGE, 11);
        target = new MemoryTarget(directory.resolve("spool"));
    }

    @AfterEach
    void close() throws IOException {
        origin.close();
    }

    @Test
    void emptyReplicaGetsACopyAndThenFollows() throws IOException {
        origin.commit(50, 8);
        try (Pair pair = new Pair(origin, target, SMALL)) {
            pair.run();
            requireCaughtUp();
            assertThat(kinds(pair))
                    .startsWith(SnapshotBegin.class, SnapshotPages.class)
                    .contains(SnapshotEnd.class);

            origin.commit(50, 8);
            pair.run();
            requireCaughtUp();
        }
        assertThat(target.copies()).isEqualTo(1);
    }

    @Test
    void copyIsRightThoughPagesChangeAndTearWhileTheyAreRead() throws IOException {
        origin.commit(200, 8);
        origin.whilePagesAreRead(() -> commitQuietly(3));
        try (Pair pair = new Pair(origin, target, SMALL)) {
            pair.run();
        }
        requireCaughtUp();
    }

    @Test
    void emptyPrimaryGivesAnEmptyCopyThatFollows() throws IOException {
        try (Pair pair = new Pair(origin, target, SMALL)) {
            pair.run();
            assertThat(pair.receiver.state()).isEqualTo(Receiver.State.FOLLOWING);
            origin.commit(3, 3);
            pair.run();
        }
        requireCaughtUp();
    }

    @Test
    void copyThatIsNotThePrimarysDatabaseIsRefusedBeforeAnyoneSeesIt() throws IOException {
        origin.commit(50, 8);
        try (Pair pair = new Pair(origin, target, SMALL)) {
            pair.through(message -> message instanceof SnapshotPages pages
                    ? List.of(Messages.withForgedPage(pages, FRAME))
                    : List.of(message));
            assertRefused(pair, Kind.STATE);
        }
        assertThat(target.visible()).isNull();
    }

    @Test
    void replicaThatReturnsContinuesWhereItWasForThePriceOfOneComparison() throws IOException {
        origin.commit(20, 8);
        follow();
        target.makeDurable();
        origin.commit(20, 8);
        try (Pair pair = new Pair(origin, target, SMALL)) {
            pair.run();
            requireCaughtUp();
            assertThat(pair.sent.get(0)).isInstanceOf(Welcome.class);
            long bytes = pair.sent.stream().mapToLong(ToReplica::windowBytes).sum();
            long missing = origin.log().head().frameNo()
                    - ((Welcome) pair.sent.get(0)).at().frameNo();
            assertThat(bytes).isEqualTo(missing * FRAME);
        }
        assertThat(target.copies()).isEqualTo(1);
    }

    @Test
    void replicaInDoubtStartsFromItsBaseAndShowsNothingBetween() throws IOException {
        origin.commit(20, 8);
        follow();
        target.makeDurable();
        origin.commit(20, 8);
        follow(); // seen, and not durable: what a crash leaves behind
        origin.commit(5, 8);

        follow();

        requireCaughtUp();
        assertThat(target.redos()).isEqualTo(1);
    }

    @Test
    void replicaInDoubtWhosePrimaryLostWhatReadersSawHasDiverged() throws IOException {
        origin.commit(20, 8);
        follow();
        target.makeDurable();
        CommitRecord base = origin.log().head();
        origin.commit(5, 8);
        follow();
        CommitRecord seen = origin.log().head();
        // the same log, which went another way after the base
        CommitRecord other = new CommitRecord(
                seen.frameNo(), seen.checksum() ^ 1, seen.sizeAfter(), 0, 0, WalMark.NONE, seen.seal());
        MemoryTarget elsewhere = new MemoryTarget(directory) {
            @Override
            public Standing standing() {
                return new Standing(origin.history().start().logId(), PAGE, base, List.of(other));
            }
        };

        try (Pair pair = new Pair(origin, elsewhere, SMALL)) {
            assertThatThrownBy(pair::run)
                    .isInstanceOf(DivergedException.class)
                    .hasMessageContaining(String.format("%016x", other.checksum()))
                    .hasMessageContaining(String.format("%016x", seen.checksum()));
        }
    }

    @Test
    void replicaWithAnotherChecksumAtItsPositionHasDivergedAndBothSidesAreTold() throws IOException {
        origin.commit(5, 4);
        CommitRecord ours = origin.log().head();
        CommitRecord theirs = new CommitRecord(ours.frameNo(), ours.checksum() + 1, 1, 0, 0, WalMark.NONE, ours.seal());
        assertTurnedAway(
                theirs, DivergedException.class, ours.seal().toString(), String.format("%016x", theirs.checksum()));
    }

    @Test
    void replicaWithAnotherSealAtItsPositionHasDiverged() throws IOException {
        origin.commit(5, 4);
        CommitRecord ours = origin.log().head();
        CommitRecord theirs =
                new CommitRecord(ours.frameNo(), ours.checksum(), 1, 0, 0, WalMark.NONE, new Seal(1, 2, 3, 4));
        assertTurnedAway(
                theirs,
                DivergedException.class,
                ours.seal().toString(),
                theirs.seal().toString());
    }

    @Test
    void replicaAheadOfThePrimaryHasDiverged() throws IOException {
        origin.commit(5, 4);
        CommitRecord head = origin.log().head();
        CommitRecord theirs = new CommitRecord(head.frameNo() + 1, 1, 1, 0, 0, WalMark.NONE, head.seal());
        assertTurnedAway(theirs, DivergedException.class, "ahead of the primary", "frame " + theirs.frameNo());
    }

    @Test
    void replicaWhoseReadersSawMoreThanThePrimaryHasDivergedThoughItsPositionIsGood() throws IOException {
        origin.commit(5, 4);
        CommitRecord base = origin.log().head();
        CommitRecord seen = new CommitRecord(base.frameNo() + 1, 1, 1, 0, 0, WalMark.NONE, base.seal());
        MemoryTarget ahead = new MemoryTarget(directory) {
            @Override
            public Standing standing() {
                return new Standing(origin.history().start().logId(), PAGE, base, List.of(seen));
            }
        };
        try (Pair pair = new Pair(origin, ahead, SMALL)) {
            assertThatThrownBy(pair::run)
                    .isInstanceOf(DivergedException.class)
                    .hasMessageContaining("ahead of the primary");
        }
    }

    @Test
    void replicaWhosePositionIsInsideOfATransactionHasDiverged() throws IOException {
        origin.commitOne(4);
        assertTurnedAway(
                new CommitRecord(2, origin.log().checksumAt(2), 1, 0, 0, WalMark.NONE, new Seal(1, 2, 3, 4)),
                DivergedException.class,
                "inside of a transaction");
    }

    @Test
    void replicaOfAnotherLogIsTurnedAway() throws IOException {
        origin.commit(5, 4);
        follow();
        target.pretend(new UUID(1, 1), Objects.requireNonNull(target.visible()));
        try (Pair pair = new Pair(origin, target, SMALL)) {
            assertRefused(pair, Kind.FOREIGN_LOG);
        }
    }

    @Test
    void replicaThatIsOlderThanTheLogNeedsASnapshot() throws IOException {
        origin.close();
        TestHistory history = TestHistory.empty(PAGE, 12);
        FrameLog.Options little = new FrameLog.Options(20 * FRAME, 20 * FRAME, Duration.ofDays(1));
        origin = new HistoryOrigin("app", directory.resolve("pruned"), history, little);
        origin.commit(3, 3);
        follow();
        target.makeDurable();
        origin.commit(100, 5);
        assertThat(origin.log().start().startFrameNo()).isPositive();

        try (Pair pair = new Pair(origin, target, SMALL)) {
            assertThatThrownBy(pair::run)
                    .isInstanceOf(NeedsSnapshotException.class)
                    .hasMessageContaining(
                            "frame " + Objects.requireNonNull(target.visible()).frameNo());
        }
        assertThat(target.copies()).isEqualTo(1);
    }

    @Test
    void connectedReplicaKeepsTheLogFromBeingPrunedUpToTheBound() throws IOException {
        origin.close();
        TestHistory history = TestHistory.empty(PAGE, 12);
        FrameLog.Options little = new FrameLog.Options(20 * FRAME, 20 * FRAME, Duration.ofDays(1));
        origin = new HistoryOrigin("app", directory.resolve("pruned"), history, little);
        origin.commit(3, 3);
        try (Pair pair = new Pair(origin, target, SMALL.withHold(300L * FRAME))) {
            pair.run();
            target.makeDurable();
            pair.run();
            pair.withoutAcknowledgements();

            origin.commit(50, 3); // at most 150 frames: within the bound
            pair.run();
            assertThat(origin.log().start().startFrameNo()).isLessThanOrEqualTo(target.durable() + 1);

            origin.commit(300, 3);
            origin.commit(300, 3);
            pair.run();
            origin.log().prune();
            assertThat(origin.log().start().startFrameNo()).isGreaterThan(target.durable() + 1);
        }
    }

    @Test
    void replicaThatFellTooFarBehindIsToldSoWhenItComesToFramesThatAreGone() throws IOException {
        origin.close();
        TestHistory history = TestHistory.empty(PAGE, 12);
        FrameLog.Options little = new FrameLog.Options(20 * FRAME, 20 * FRAME, Duration.ofDays(1));
        origin = new HistoryOrigin("app", directory.resolve("pruned"), history, little);
        try (Pair pair = new Pair(origin, target, SMALL.withHold(50L * FRAME))) {
            pair.run();
            pair.withoutAcknowledgements();
            origin.commit(300, 3);
            pair.run(); // stops at a full window
            origin.log().prune();
            pair.sender.receive(pair.receiver.ack());

            assertThatThrownBy(pair::run).isInstanceOf(NeedsSnapshotException.class);
        }
    }

    @Test
    void nothingIsSentThatIsNotDurableUnlessEager() throws IOException {
        origin.commit(3, 3);
        try (Pair pair = new Pair(origin, target, SMALL);
                Pair eager = new Pair(origin, new MemoryTarget(directory), SMALL.withEager(true))) {
            pair.run();
            eager.run();
            long durable = origin.log().durable().frameNo();
            origin.commitUnsynced(3, 3);

            pair.run();
            eager.run();

            assertThat(target.applied()).isEqualTo(durable);
            assertThat(eager.receiver.ack().applied())
                    .isEqualTo(origin.log().head().frameNo());
            origin.log().sync();
            pair.run();
            requireCaughtUp();
        }
    }

    @Test
    void replicaThatDoesNotAcknowledgeGetsAWindowAndNoMore() throws IOException {
        origin.commit(3, 3);
        try (Pair pair = new Pair(origin, target, SMALL)) {
            pair.run();
            pair.withoutAcknowledgements();
            origin.commit(200, 3);
            pair.run();

            SenderProgress progress = pair.sender.progress();
            long unacknowledged = progress.sentBytes() - progress.ack().received();
            assertThat(unacknowledged).isBetween(30L * FRAME, 40L * FRAME);

            pair.sender.receive(pair.receiver.ack());
            assertThat(pair.sender.next()).isInstanceOf(Frames.class);
        }
    }

    @Test
    void replicaMayAskForASmallerWindow() throws IOException {
        try (Pair pair = new Pair(origin, target, SMALL, 15L * FRAME)) {
            pair.run();
            origin.commit(100, 3);
            pair.withoutAcknowledgements().run();
            assertThat(pair.sender.progress().sentBytes()).isEqualTo(10L * FRAME);
        }
    }

    @Test
    void transactionLargerThanTheWindowArrives() throws IOException {
        origin.commit(3, 3);
        try (Pair pair = new Pair(origin, target, SMALL)) {
            pair.run();
            origin.commitOne(500);
            pair.run();
            requireCaughtUp();
        }
    }

    @Test
    void heartbeatsTellTheHeadDuringSilence() throws IOException {
        origin.commit(3, 3);
        try (Pair pair = new Pair(origin, target, SMALL)) {
            pair.run();
            assertThat(pair.sender.next()).isNull();
            pair.pass(Duration.ofMillis(1001));
            long head = origin.log().head().frameNo();
            assertThat(pair.sender.next()).isEqualTo(new Heartbeat(head, head));
            assertThat(pair.sender.next()).isNull();
        }
    }

    @Test
    void framesLostAtTheEndShowAtTheNextHeartbeat() throws IOException {
        origin.commit(3, 3);
        try (Pair pair = new Pair(origin, target, SMALL)) {
            pair.run();
            pair.through(message -> message instanceof Frames ? List.of() : List.of(message));
            origin.commit(1, 3);
            pair.run();
            pair.pass(Duration.ofSeconds(2));
            assertRefused(pair, Kind.GAP);
        }
    }

    @Test
    void headThatGoesBackIsRefused() throws IOException {
        origin.commit(3, 3);
        try (Pair pair = new Pair(origin, target, SMALL)) {
            pair.run();
            long head = origin.log().head().frameNo();
            Heartbeat boast = new Heartbeat(Long.MAX_VALUE, head);
            assertThat(pair.receiver.isOwed()).isFalse();
            pair.through(message -> message instanceof Heartbeat ? List.of(boast, message) : List.of(message));
            pair.pass(Duration.ofSeconds(2));
            assertRefused(pair, Kind.REPEAT);
            requireCaughtUp();
        }
    }

    @Test
    void primaryThatStopsInTheMiddleOfATransactionIsRefused() throws IOException {
        origin.commit(3, 3);
        try (Pair pair = new Pair(origin, target, SMALL)) {
            pair.run();
            origin.commitOne(15); // two messages, 10 frames and 5
            Frames first = (Frames) Objects.requireNonNull(pair.sender.next());
            long last = origin.log().head().frameNo() - 5;
            pair.receiver.accept(new Frames(first.frames(), first.commits(), last));
            assertThatThrownBy(() -> pair.receiver.accept(new Heartbeat(last, last)))
                    .isInstanceOfSatisfying(
                            RefusedException.class, e -> assertThat(e.kind()).isEqualTo(Kind.UNFINISHED));
        }
    }

    @Test
    void replicaThatIsSilentIsTakenForDead() throws IOException {
        origin.commit(3, 3);
        try (Pair pair = new Pair(origin, target, SMALL)) {
            pair.run();
            pair.pass(Duration.ofSeconds(9));
            pair.sender.next();
            pair.pass(Duration.ofSeconds(2));
            assertThatThrownBy(pair.sender::next)
                    .isInstanceOf(UnavailableException.class)
                    .hasMessageContaining("11000 ms");
        }
    }

    @Test
    void timeInWhichThePrimaryReadsIsNotTheReplicasSilence() throws IOException {
        origin.commit(50, 8);
        try (Pair pair = new Pair(origin, target, SMALL)) {
            origin.whilePagesAreRead(() -> pair.pass(Duration.ofSeconds(11)));
            pair.withoutAcknowledgements().run();
            assertThat(pair.sender.progress().sentBytes()).isPositive();
        }
    }

    @Test
    void acknowledgementOfWhatWasNeverSentEndsTheSession() throws IOException {
        origin.commit(3, 3);
        try (Pair pair = new Pair(origin, target, SMALL)) {
            pair.run();
            Ack good = pair.receiver.ack();
            long head = origin.log().head().frameNo();
            for (Ack bad : List.of(
                    new Ack(good.received() + 1, 0, 0),
                    new Ack(good.received() - 1, 0, 0),
                    new Ack(good.received(), 0, head + 1),
                    new Ack(good.received(), head + 1, 0))) {
                assertThatThrownBy(() -> pair.sender.receive(bad)).isInstanceOf(ProtocolException.class);
            }
            pair.sender.receive(good);
        }
    }

    @Test
    void replicaThatAcknowledgesBeforeItIsWelcomedIsWelcomedAtItsPosition() throws IOException {
        origin.commit(3, 3);
        follow();
        target.makeDurable();
        try (Pair pair = new Pair(origin, target, SMALL)) {
            pair.sender.receive(new Ack(0, 0, 0)); // a sign of life; what is durable may be older than the position
            pair.run();
            requireCaughtUp();
        }
    }

    @Test
    void messagesOutOfTurnAreRefused() throws IOException {
        origin.commit(3, 3);
        follow();
        target.makeDurable();
        try (Pair pair = new Pair(origin, target, SMALL)) {
            // G10: a primary cannot talk a replica that has a database into a copy
            SnapshotBegin begin = new SnapshotBegin(
                    origin.history().start().logId(), PAGE, origin.log().head(), 3, 0);
            assertThatThrownBy(() -> pair.receiver.accept(begin))
                    .isInstanceOfSatisfying(
                            RefusedException.class, e -> assertThat(e.kind()).isEqualTo(Kind.MALFORMED));
            assertThatThrownBy(() -> pair.sender.receive(pair.receiver.hello())).isInstanceOf(ProtocolException.class);
        }
    }

    @Test
    void welcomeAtAnotherPlaceIsNotBelieved() throws IOException {
        origin.commit(3, 3);
        follow();
        target.makeDurable();
        CommitRecord at = origin.log().head();
        CommitRecord other = new CommitRecord(at.frameNo(), at.checksum(), 1, 0, 0, WalMark.NONE, new Seal(1, 2, 3, 4));
        UUID log = origin.history().start().logId();
        try (Pair pair = new Pair(origin, target, SMALL)) {
            assertThatThrownBy(() -> pair.receiver.accept(new Welcome(log, PAGE, other, 0)))
                    .isInstanceOf(DivergedException.class);
        }
        try (Pair pair = new Pair(origin, target, SMALL)) {
            assertThatThrownBy(() -> pair.receiver.accept(new Welcome(new UUID(5, 5), PAGE, at, 0)))
                    .isInstanceOfSatisfying(
                            RefusedException.class, e -> assertThat(e.kind()).isEqualTo(Kind.FOREIGN_LOG));
        }
    }

    @Test
    void replicaOfAnotherProtocolVersionIsTurnedAway() throws IOException {
        try (Sender sender = new Sender(origin, SMALL, () -> 0)) {
            sender.receive(new Hello(ToPrimary.PROTOCOL + 1, new UUID(1, 1), "new", null, -1, 1000));
            assertThat(sender.next())
                    .isInstanceOfSatisfying(
                            Refused.class,
                            refused -> assertThat(refused.reason()).isEqualTo(Refused.Reason.UNSUPPORTED));
            assertThat(sender.state()).isEqualTo(Sender.State.ENDED);
        }
        try (Pair pair = new Pair(origin, target, SMALL)) {
            Refused refused = new Refused(Refused.Reason.UNSUPPORTED, "a", "b", "c");
            assertThatThrownBy(() -> pair.receiver.accept(refused)).isInstanceOf(UnsupportedException.class);
        }
    }

    private void follow() throws IOException {
        try (Pair pair = new Pair(origin, target, SMALL)) {
            pair.run();
        }
    }

    private void requireCaughtUp() {
        assertThat(target.visible())
                .isEqualTo(TestHistory.withoutMark(origin.log().head()));
        assertThat(TestHistory.state(target.pages()))
                .isEqualTo(TestHistory.state(origin.history().pages()));
    }

    private void assertRefused(Pair pair, Kind kind) {
        assertThatThrownBy(pair::run)
                .isInstanceOfSatisfying(
                        RefusedException.class, e -> assertThat(e.kind()).isEqualTo(kind));
    }

    private void assertTurnedAway(CommitRecord position, Class<? extends Exception> kind, String... words)
            throws IOException {
        follow();
        target.pretend(origin.history().start().logId(), position);
        try (Pair pair = new Pair(origin, target, SMALL)) {
            assertThatThrownBy(pair::run).isInstanceOf(kind).hasMessageContainingAll(words);
            assertThat(pair.sent)
                    .singleElement()
                    .isInstanceOf(Refused.class); // the primary saw it, not only the replica
        }
    }

    private static List<Class<?>> kinds(Pair pair) {
        return pair.sent.stream().<Class<?>>map(Object::getClass).toList();
    }

    private void commitQuietly(int transactions) {
        try {
            origin.commitUnsynced(transactions, 4);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
