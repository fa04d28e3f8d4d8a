package dev.lockstep.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.lockstep.CorruptException;
import dev.lockstep.DivergedException;
import dev.lockstep.RefusedException;
import dev.lockstep.RefusedException.Kind;
import dev.lockstep.log.CommitRecord;
import dev.lockstep.log.FrameLayout;
import dev.lockstep.log.LogStart;
import dev.lockstep.log.Seal;
import dev.lockstep.log.WalMark;
import dev.lockstep.verify.TestHistory.Delivery;
import dev.lockstep.verify.TestHistory.Transaction;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VerifierTest {

    private static final int PAGE = 512;
    private static final int FRAME = FrameLayout.frameSize(PAGE);
    private static final long MAX_PAGE = 0xFFFFFFFEL;

    @TempDir
    Path directory;

    private final TestHistory history = TestHistory.empty(PAGE, 1);
    private final CommitRecord from = history.head();

    @Test
    void transactionsOfOneMessageComeOutWholeAndInOrder() throws IOException {
        List<Transaction> sent = history.next(20, 5);

        List<VerifiedTransaction> got = verify(TestHistory.together(sent));

        requireSame(sent, got);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7})
    void transactionsThatAreCutAcrossMessagesComeOutWhole(int framesPerMessage) throws IOException {
        List<Transaction> sent = history.next(20, 5);
        List<VerifiedTransaction> got = new ArrayList<>();

        Verifier verifier = verifier(from);
        for (Delivery part : TestHistory.cut(TestHistory.together(sent), FRAME, framesPerMessage)) {
            verifier.accept(part.frames(), part.commits(), got);
        }
        verifier.end();

        requireSame(sent, got);
    }

    @ParameterizedTest
    @ValueSource(ints = {512, 1024, 4096, 65536})
    void everyPageSizeIsVerified(int pageSize) throws IOException {
        TestHistory own = TestHistory.empty(pageSize, pageSize);
        CommitRecord before = own.head();
        List<Transaction> sent = own.next(3, 4);
        Delivery all = TestHistory.together(sent);
        List<VerifiedTransaction> got = new ArrayList<>();

        new Verifier(pageSize, before, directory, "test").accept(all.frames(), all.commits(), got);

        requireSame(sent, got);
    }

    @Test
    void verificationResumesAtAnyCommitOfTheHistory() throws IOException {
        history.next(5, 5);
        CommitRecord middle = history.head();
        List<Transaction> rest = history.next(5, 5);
        Delivery all = TestHistory.together(rest);
        List<VerifiedTransaction> got = new ArrayList<>();

        verifier(middle).accept(all.frames(), all.commits(), got);

        requireSame(rest, got);
    }

    @Test
    void everyFlippedBitOfAFrameIsRefusedWithTheKindOfItsField() {
        Delivery sent = TestHistory.together(List.of(history.next(1), history.next(3)));
        for (int bit = 0; bit < sent.frames().limit() * 8; bit++) {
            ByteBuffer frames =
                    TestHistory.copyOf(sent.frames(), 0, sent.frames().limit());
            frames.put(bit / 8, (byte) (frames.get(bit / 8) ^ (1 << bit % 8)));
            int frame = bit / 8 / FRAME;
            Kind kind = kindOfChange(frames, frame * FRAME, bit / 8 % FRAME, frame == 0 || frame == 3);
            assertRefused("bit " + bit, new Delivery(frames, sent.commits()), kind, frame == 0 ? 0 : 1);
        }
    }

    /** What a change at that byte of the frame is to be refused as. */
    private static Kind kindOfChange(ByteBuffer frames, int frame, int offset, boolean commit) {
        if (offset < FrameLayout.CHECKSUM) {
            long expected = frame / FRAME;
            boolean later = Long.compareUnsigned(FrameLayout.frameNo(frames, frame), expected) > 0;
            return later ? Kind.GAP : Kind.REPEAT;
        }
        if (offset < FrameLayout.PAGE_NO || offset >= FrameLayout.HEADER) {
            return Kind.CHECKSUM;
        }
        if (offset < FrameLayout.SIZE_AFTER) {
            long page = Integer.toUnsignedLong(FrameLayout.pageNo(frames, frame));
            boolean possible = page != 0 && page <= MAX_PAGE && page != FrameLayout.lockBytePage(PAGE);
            return possible ? Kind.SEAL : Kind.PAGE_NUMBER;
        }
        boolean stillCommit = FrameLayout.sizeAfter(frames, frame) != 0;
        return commit && stillCommit ? Kind.COMMIT_MISMATCH : Kind.COMMIT_MISPLACED;
    }

    @Test
    void everyFlippedBitOfACommitRecordIsRefusedWithTheKindOfItsField() {
        Delivery sent = TestHistory.together(List.of(history.next(1), history.next(3)));
        for (int bit = 0; bit < 64; bit++) {
            long flip = 1L << bit;
            if (bit < 63) { // a negative frame number cannot even be held in a record
                assertRecordRefused(
                        sent, c -> with(c, c.frameNo() ^ flip, c.checksum(), c.sizeAfter()), Kind.COMMIT_MISPLACED);
            }
            assertRecordRefused(
                    sent, c -> with(c, c.frameNo(), c.checksum() ^ flip, c.sizeAfter()), Kind.COMMIT_MISMATCH);
            assertRecordRefused(sent, c -> with(c, c.timeMillis() ^ flip, c.stateChecksum(), c.seal()), Kind.SEAL);
            assertRecordRefused(sent, c -> with(c, c.timeMillis(), c.stateChecksum() ^ flip, c.seal()), Kind.SEAL);
        }
        for (int bit = 0; bit < 32; bit++) {
            int flip = 1 << bit;
            assertRecordRefused(
                    sent, c -> with(c, c.frameNo(), c.checksum(), c.sizeAfter() ^ flip), Kind.COMMIT_MISMATCH);
        }
        for (int bit = 0; bit < Seal.LENGTH * 8; bit++) {
            int at = bit;
            assertRecordRefused(
                    sent, c -> with(c, c.timeMillis(), c.stateChecksum(), flipped(c.seal(), at)), Kind.SEAL);
        }
    }

    @Test
    void walMarkIsNoPartOfTheHistoryAndIsNotHandedOut() throws IOException {
        Transaction sent = history.next(2);
        assertThat(sent.commit().wal()).isNotEqualTo(WalMark.NONE);

        List<VerifiedTransaction> got = verify(TestHistory.together(List.of(sent)));

        assertThat(got.get(0).after().wal()).isEqualTo(WalMark.NONE);
    }

    @Test
    void droppedFrameIsAGap() {
        Delivery sent = TestHistory.together(List.of(history.next(1), history.next(4)));
        ByteBuffer without = ByteBuffer.allocate(4 * FRAME);
        without.put(sent.frames().slice(0, 2 * FRAME)).put(sent.frames().slice(3 * FRAME, 2 * FRAME));

        assertRefused(
                "frame 2 dropped", new Delivery(without.flip(), sent.commits().subList(0, 1)), Kind.GAP, 1);
    }

    @Test
    void droppedMessageIsAGap() throws IOException {
        List<Transaction> sent = history.next(3, 4);
        Verifier verifier = verifier(from);
        verifier.accept(sent.get(0).copy(), List.of(sent.get(0).commit()), new ArrayList<>());

        RefusedException refusal = catchThrowableOfType(
                RefusedException.class, () -> verifier.accept(sent.get(2).copy(), List.of(), new ArrayList<>()));

        assertThat(refusal.kind()).isEqualTo(Kind.GAP);
        assertThat(refusal.expected())
                .isEqualTo("frame " + (sent.get(0).commit().frameNo() + 1));
    }

    @Test
    void repeatedMessageIsARepeat() throws IOException {
        Transaction sent = history.next(3);
        Verifier verifier = verifier(from);
        verifier.accept(sent.copy(), List.of(sent.commit()), new ArrayList<>());

        // without a commit record, which would be the first thing out of place
        assertThatThrownBy(() -> verifier.accept(sent.copy(), List.of(), new ArrayList<>()))
                .isInstanceOfSatisfying(
                        RefusedException.class, e -> assertThat(e.kind()).isEqualTo(Kind.REPEAT));
        assertThat(verifier.position().frameNo()).isEqualTo(2);
    }

    @Test
    void framesInAnotherOrderAreRefusedEvenIfTheyAreNumberedAnew() {
        Delivery sent = TestHistory.together(List.of(history.next(3)));
        ByteBuffer swapped = TestHistory.copyOf(sent.frames(), 0, sent.frames().limit());
        swapped.put(0, sent.frames(), FRAME, FRAME).put(FRAME, sent.frames(), 0, FRAME);
        assertRefused("swapped", new Delivery(swapped, sent.commits()), Kind.GAP, 0);

        FrameLayout.putFrameNo(swapped, 0, 0);
        FrameLayout.putFrameNo(swapped, FRAME, 1);
        assertRefused("swapped and numbered", new Delivery(swapped, sent.commits()), Kind.CHECKSUM, 0);
    }

    @Test
    void swappedPageNumbersOfTwoFramesAreRefusedByTheSeal() {
        Delivery sent = TestHistory.together(List.of(history.next(30)));
        ByteBuffer swapped = TestHistory.copyOf(sent.frames(), 0, sent.frames().limit());
        int other = FRAME;
        while (FrameLayout.pageNo(swapped, other) == FrameLayout.pageNo(swapped, 0)) {
            other += FRAME;
        }
        FrameLayout.putPageNo(swapped, 0, FrameLayout.pageNo(sent.frames(), other));
        FrameLayout.putPageNo(swapped, other, FrameLayout.pageNo(sent.frames(), 0));

        assertRefused("page numbers swapped", new Delivery(swapped, sent.commits()), Kind.SEAL, 0);
    }

    @Test
    void commitFrameAndRecordThatLieTogetherAboutTheSizeAreRefusedByTheSeal() {
        Delivery sent = TestHistory.together(List.of(history.next(3)));
        ByteBuffer frames = TestHistory.copyOf(sent.frames(), 0, sent.frames().limit());
        FrameLayout.putSizeAfter(frames, 2 * FRAME, 4711);
        CommitRecord c = sent.commits().get(0);

        assertRefused("size", new Delivery(frames, List.of(with(c, c.frameNo(), c.checksum(), 4711))), Kind.SEAL, 0);
    }

    @Test
    void sizeThatNoDatabaseCanHaveIsRefused() {
        Delivery sent = TestHistory.together(List.of(history.next(1)));
        FrameLayout.putSizeAfter(sent.frames(), 0, -1);

        assertRefused("size", sent, Kind.SIZE, 0);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, (1 << 30) / PAGE + 1})
    void pageNumberThatNoPageCanHaveIsRefused(int pageNo) {
        Delivery sent = TestHistory.together(List.of(history.next(1)));
        FrameLayout.putPageNo(sent.frames(), 0, pageNo);

        assertRefused("page number", sent, Kind.PAGE_NUMBER, 0);
    }

    @Test
    void bufferThatEndsInsideAFrameIsRefused() {
        Delivery sent = TestHistory.together(List.of(history.next(2)));
        ByteBuffer shortened =
                TestHistory.copyOf(sent.frames(), 0, sent.frames().limit() - 1);

        assertRefused("cut", new Delivery(shortened, sent.commits()), Kind.MALFORMED, 0);
    }

    @Test
    void endInTheMiddleOfATransactionIsRefused() throws IOException {
        Transaction first = history.next(1);
        Transaction second = history.next(3);
        Verifier verifier = verifier(from);
        verifier.accept(first.copy(), List.of(first.commit()), new ArrayList<>());
        verifier.accept(TestHistory.copyOf(second.frames(), 0, 2 * FRAME), List.of(), new ArrayList<>());

        assertThatThrownBy(verifier::end)
                .isInstanceOfSatisfying(
                        RefusedException.class, e -> assertThat(e.kind()).isEqualTo(Kind.UNFINISHED));
        assertThat(verifier.position()).isEqualTo(TestHistory.withoutMark(first.commit()));
    }

    @Test
    void framesOfAnotherHistoryAreRefused() {
        history.next(3);
        TestHistory foreign =
                new TestHistory(history.start(), 99); // the same log_id: an older copy that went its own way
        Transaction theirs = foreign.next(3);

        assertRefused("foreign", new Delivery(theirs.copy(), List.of()), Kind.COMMIT_MISPLACED, 0);
        CommitRecord ours = history.head();
        Verifier verifier = verifier(ours);
        TestHistory continued = new TestHistory(startAfter(ours), 99);
        Transaction next = continued.next(2);
        // it continues our frame number and checksum, and even so its seal is not ours
        assertThatThrownBy(() -> verifier.accept(next.copy(), List.of(next.commit()), new ArrayList<>()))
                .isInstanceOfSatisfying(
                        RefusedException.class, e -> assertThat(e.kind()).isEqualTo(Kind.SEAL));
    }

    private LogStart startAfter(CommitRecord head) {
        return new LogStart(
                history.start().logId(),
                PAGE,
                head.frameNo() + 1,
                head.checksum(),
                head.stateChecksum(),
                head.sizeAfter());
    }

    @Test
    void transactionsBeforeTheRefusedOneAreHandedOutAndNothingAfterIt() throws IOException {
        List<Transaction> sent = history.next(5, 3);
        Delivery all = TestHistory.together(sent);
        int third = sent.get(0).frames().limit() + sent.get(1).frames().limit();
        all.frames().put(third + FrameLayout.HEADER + 17, (byte) ~all.frames().get(third + FrameLayout.HEADER + 17));
        List<VerifiedTransaction> got = new ArrayList<>();
        Verifier verifier = verifier(from);

        assertThatThrownBy(() -> verifier.accept(all.frames(), all.commits(), got))
                .isInstanceOf(RefusedException.class);

        requireSame(sent.subList(0, 2), got);
        assertThat(verifier.position().frameNo()).isEqualTo(sent.get(1).commit().frameNo());
        assertThatThrownBy(() ->
                        verifier.accept(sent.get(2).copy(), List.of(sent.get(2).commit()), got))
                .isInstanceOf(IllegalStateException.class);
        assertThat(got).hasSize(2);
    }

    /** Drops, repeats and reorders at random, over many seeds: whatever comes out is a prefix of what went in. */
    @Test
    void whateverHappensOnTheWayOnlyAPrefixOfTheHistoryComesOut() throws IOException {
        for (long seed = 0; seed < 300; seed++) {
            Random random = new Random(seed);
            TestHistory own = TestHistory.empty(PAGE, seed);
            CommitRecord before = own.head();
            List<Transaction> sent = own.next(6, 4);
            List<Delivery> parts =
                    new ArrayList<>(TestHistory.cut(TestHistory.together(sent), FRAME, 1 + random.nextInt(4)));
            boolean changed = mutate(parts, random);
            List<VerifiedTransaction> got = new ArrayList<>();
            boolean refused = false;
            try (Verifier verifier = verifier(before)) {
                for (Delivery part : parts) {
                    verifier.accept(part.frames(), part.commits(), got);
                }
                verifier.end();
            } catch (RefusedException e) {
                refused = true;
            }
            requireSame(sent.subList(0, got.size()), got);
            assertThat(refused || got.size() < sent.size() || !changed)
                    .as("seed %d", seed)
                    .isTrue();
        }
    }

    private static boolean mutate(List<Delivery> parts, Random random) {
        int at = random.nextInt(parts.size());
        int other = random.nextInt(parts.size());
        switch (random.nextInt(4)) {
            case 0 -> parts.remove(at);
            case 1 -> parts.add(at, copy(parts.get(at)));
            case 2 -> Collections.swap(parts, at, other);
            default -> {
                ByteBuffer frames = parts.get(at).frames();
                int bit = random.nextInt(frames.limit() * 8);
                frames.put(bit / 8, (byte) (frames.get(bit / 8) ^ (1 << bit % 8)));
                return true;
            }
        }
        return at != other;
    }

    private static Delivery copy(Delivery part) {
        return new Delivery(TestHistory.copyOf(part.frames(), 0, part.frames().limit()), part.commits());
    }

    @Test
    void largeTransactionIsSpooledReadBackAndLeavesNoFile() throws IOException {
        List<Transaction> sent = List.of(history.next(2), history.next(200), history.next(1));
        List<VerifiedTransaction> got = new ArrayList<>();
        Verifier verifier = new Verifier(PAGE, from, directory, "test", 20 * FRAME);
        for (Delivery part : TestHistory.cut(TestHistory.together(sent), FRAME, 7)) {
            verifier.accept(part.frames(), part.commits(), got);
        }

        assertThat(got).extracting(VerifiedTransaction::isInMemory).containsExactly(true, false, true);
        requireSame(sent, got);
        requireSame(sent, got); // reading is repeatable
        try (var files = Files.list(directory)) {
            assertThat(files).isEmpty();
        }
        got.forEach(VerifiedTransaction::close);
        assertThatThrownBy(() -> got.get(1).read(frames -> {})).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void spooledFramesThatChangeOnDiskAreNotHandedOut() throws IOException {
        try (Spool spool = new Spool(directory)) {
            spool.append(ByteBuffer.wrap(new byte[5000]));
            spool.append(ByteBuffer.wrap(new byte[3000]));
            spool.damage(5001);
            List<Integer> read = new ArrayList<>();

            assertThatThrownBy(() -> spool.read(chunk -> read.add(chunk.remaining())))
                    .isInstanceOf(CorruptException.class)
                    .hasMessageContaining("offset 5000");
            assertThat(read).containsExactly(5000);
        }
    }

    @Test
    void closedTransactionCannotBeRead() throws IOException {
        VerifiedTransaction transaction =
                verify(TestHistory.together(List.of(history.next(2)))).get(0);
        transaction.close();

        assertThatThrownBy(() -> transaction.read(frames -> {})).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void refusalSaysWhatWasExpectedWhatWasFoundWhereAndWhatToDo() {
        Delivery sent = TestHistory.together(List.of(history.next(1)));
        FrameLayout.putFrameNo(sent.frames(), 0, 7);

        assertThatThrownBy(() -> verify(sent))
                .hasMessageContaining("frame 7 from test")
                .hasMessageContaining("Expected frame 0")
                .hasMessageContaining("found frame 7")
                .hasMessageContaining("start the replica again");
    }

    @Test
    void nothingComesOutBeforeTheStatesThatReadersHaveSeenAndThenAllAtOnce() throws IOException {
        List<Transaction> sent = history.next(10, 5);
        List<VerifiedTransaction> got = new ArrayList<>();
        Verifier verifier = verifier(from);
        verifier.passThrough(List.of(sent.get(4).commit(), sent.get(6).commit()));

        for (Transaction t : sent.subList(0, 6)) {
            verifier.accept(t.copy(), List.of(t.commit()), got);
            assertThat(got).isEmpty();
        }
        for (Transaction t : sent.subList(6, 10)) {
            verifier.accept(t.copy(), List.of(t.commit()), got);
        }

        ByteBuffer run = ByteBuffer.allocate((int) got.get(0).size());
        got.get(0).read(run::put);
        assertThat(run.flip())
                .isEqualTo(TestHistory.together(sent.subList(0, 7)).frames());
        assertThat(got.get(0).before()).isEqualTo(from);
        assertThat(got.get(0).after())
                .isEqualTo(TestHistory.withoutMark(sent.get(6).commit()));
        requireSame(sent.subList(7, 10), got.subList(1, 4));
    }

    @Test
    void historyThatDoesNotGoThroughAStateThatReadersHaveSeenHasDiverged() throws IOException {
        Transaction first = history.next(2);
        Transaction theirs = history.next(2);
        for (CommitRecord seen : List.of(
                with(theirs.commit(), 2, theirs.commit().checksum(), 7), // a commit in the middle of theirs
                with(
                        theirs.commit(),
                        theirs.commit().timeMillis(),
                        0,
                        flipped(theirs.commit().seal(), 0)))) {
            List<VerifiedTransaction> got = new ArrayList<>();
            Verifier verifier = verifier(from);
            verifier.passThrough(List.of(seen));
            verifier.accept(first.copy(), List.of(first.commit()), got);

            assertThatThrownBy(() -> verifier.accept(theirs.copy(), List.of(theirs.commit()), got))
                    .isInstanceOf(DivergedException.class)
                    .hasMessageContaining(seen.seal().toString())
                    .hasMessageContaining(theirs.commit().seal().toString());
            assertThat(got).isEmpty();
            assertThat(verifier.position()).isEqualTo(from);
        }
    }

    private Verifier verifier(CommitRecord position) {
        return new Verifier(PAGE, position, directory, "test");
    }

    private List<VerifiedTransaction> verify(Delivery delivery) throws IOException {
        List<VerifiedTransaction> got = new ArrayList<>();
        verifier(from).accept(delivery.frames(), delivery.commits(), got);
        return got;
    }

    private void assertRecordRefused(Delivery sent, UnaryOperator<CommitRecord> change, Kind kind) {
        List<CommitRecord> commits =
                List.of(sent.commits().get(0), change.apply(sent.commits().get(1)));
        ByteBuffer frames = TestHistory.copyOf(sent.frames(), 0, sent.frames().limit());
        // a record that is out of place at all makes the whole message refused
        int good = kind == Kind.COMMIT_MISPLACED && !inBuffer(commits.get(1)) ? 0 : 1;
        assertRefused(commits.get(1).toString(), new Delivery(frames, commits), kind, good);
    }

    private static boolean inBuffer(CommitRecord commit) {
        return commit.frameNo() > 0 && commit.frameNo() <= 3;
    }

    private void assertRefused(String what, Delivery delivery, Kind kind, int transactionsBefore) {
        List<VerifiedTransaction> got = new ArrayList<>();
        Verifier verifier = verifier(from);
        RefusedException refusal = catchThrowableOfType(
                RefusedException.class, () -> verifier.accept(delivery.frames(), delivery.commits(), got));
        assertThat(refusal).as(what).isNotNull();
        assertThat(refusal.kind()).as(what).isEqualTo(kind);
        assertThat(got).as(what).hasSize(transactionsBefore);
        assertThat(verifier.position().frameNo()).as(what).isEqualTo(transactionsBefore - 1L);
    }

    private static void requireSame(List<Transaction> sent, List<VerifiedTransaction> got) throws IOException {
        assertThat(got).hasSize(sent.size());
        for (int i = 0; i < sent.size(); i++) {
            Transaction expected = sent.get(i);
            VerifiedTransaction found = got.get(i);
            ByteBuffer bytes = ByteBuffer.allocate((int) found.size()).order(ByteOrder.LITTLE_ENDIAN);
            found.read(bytes::put);
            assertThat(bytes.flip()).isEqualTo(expected.frames());
            assertThat(found.after()).isEqualTo(TestHistory.withoutMark(expected.commit()));
            assertThat(found.frameCount()).isEqualTo(expected.frames().limit() / (found.pageSize() + 24));
            if (i > 0) {
                assertThat(found.before()).isEqualTo(got.get(i - 1).after());
            }
        }
    }

    private static Seal flipped(Seal seal, int bit) {
        byte[] bytes = seal.toBytes();
        bytes[bit / 8] ^= (byte) (1 << bit % 8);
        return Seal.of(bytes);
    }

    private static CommitRecord with(CommitRecord c, long frameNo, long checksum, int sizeAfter) {
        return new CommitRecord(frameNo, checksum, sizeAfter, c.timeMillis(), c.stateChecksum(), c.wal(), c.seal());
    }

    private static CommitRecord with(CommitRecord c, long time, long state, Seal seal) {
        return new CommitRecord(c.frameNo(), c.checksum(), c.sizeAfter(), time, state, c.wal(), seal);
    }
}
