package dev.lockstep.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lockstep.NeedsSnapshotException;
import dev.lockstep.io.FaultyStorage;
import dev.lockstep.io.Storage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FrameLogTest {

    private static final FrameLog.Options SMALL =
            new FrameLog.Options(20_000, Long.MAX_VALUE, Duration.ofDays(100_000));

    private static final long LONG = TimeUnit.SECONDS.toNanos(20);

    private final long seed = System.nanoTime();
    private final String note = "seed " + seed;
    private final Random random = new Random(seed);
    private final FaultyStorage storage = new FaultyStorage(random);
    private final History history = new History(random, 512);

    @TempDir
    Path directory;

    private FrameLog create(FrameLog.Options options) throws IOException {
        return FrameLog.create(storage, history.start, options);
    }

    private static void append(FrameLog log, History.Batch batch) throws IOException {
        batch.appendTo(log);
    }

    @Test
    void givesBackWhatWasAppendedAcrossSegmentsAndRestarts() throws IOException {
        Storage files = Storage.directory(directory.resolve("log"));
        assertThat(FrameLog.exists(files)).isFalse();
        FrameLog log = FrameLog.create(files, history.start, SMALL);
        for (int i = 0; i < 10; i++) {
            for (int k = 0; k < 5; k++) {
                append(log, history.transactions(random.nextInt(8), 12));
            }
            history.assertSameAs(log, history.start.startFrameNo() - 1, note);
            log.close();
            assertThat(FrameLog.exists(files)).isTrue();
            log = FrameLog.open(files, SMALL);
            assertThat(log.start()).isEqualTo(history.start);
            assertThat(log.durable()).isEqualTo(log.head());
        }
        assertThat(files.list()).hasSizeGreaterThan(10);
        for (CommitRecord commit : history.commits()) {
            history.assertSameAs(log, commit.frameNo(), note);
        }
        log.close();
    }

    @Test
    void worksForAllPageSizesAndLargeBuffers() throws IOException {
        for (int pageSize = 512; pageSize <= 65536; pageSize *= 2) {
            Storage files = Storage.directory(directory.resolve("log" + pageSize));
            History pages = new History(random, pageSize);
            try (FrameLog log = FrameLog.create(files, pages.start, FrameLog.Options.defaults())) {
                append(log, pages.transactions(3, 5));
                append(log, pages.batch(2, 900_000 / pageSize, 300_000 / pageSize));
                append(log, pages.transactions(2, 3));
                pages.assertSameAs(log, pages.start.startFrameNo() - 1, note);
            }
            try (FrameLog log = FrameLog.open(files, FrameLog.Options.defaults())) {
                pages.assertSameAs(log, pages.start.startFrameNo() - 1, note);
            }
        }
    }

    @Test
    void movesTheBufferAndRefusesFramesThatDoNotContinue() throws IOException {
        try (FrameLog log = create(SMALL)) {
            History.Batch batch = history.transactions(3, 4);
            ByteBuffer frames = batch.frames();
            int first = frames.position();
            int size = history.frameSize;
            for (int field : new int[] {
                first + FrameLayout.FRAME_NO,
                first + FrameLayout.CHECKSUM,
                first + FrameLayout.HEADER + random.nextInt(512),
                batch.commits().get(0).end() - size + FrameLayout.CHECKSUM
            }) {
                frames.put(field, (byte) (frames.get(field) ^ 1));
                assertThatThrownBy(() -> append(log, batch)).as(note).isInstanceOf(IllegalArgumentException.class);
                frames.put(field, (byte) (frames.get(field) ^ 1));
            }
            frames.putInt(first + FrameLayout.PAGE_NO, 0);
            assertThatThrownBy(() -> append(log, batch)).hasMessageContaining("page number");
            frames.putInt(first + FrameLayout.PAGE_NO, FrameLayout.lockBytePage(512));
            assertThatThrownBy(() -> append(log, batch)).hasMessageContaining("lock-byte");
            frames.putInt(first + FrameLayout.PAGE_NO, 1);
            assertThat(frames.position()).isEqualTo(first);
            assertThat(log.head()).isEqualTo(CommitRecord.before(history.start));

            History.Batch.appendTo(log, frames, batch.commits());

            assertThat(frames.hasRemaining()).isFalse();
            assertThat(log.head().frameNo()).isEqualTo(history.head().frameNo());
        }
    }

    @Test
    void refusesCommitsThatDoNotEndWhereAFrameSaysSo() throws IOException {
        try (FrameLog log = create(SMALL)) {
            History.Batch batch = history.transactions(3, 4);
            List<Commit> two = batch.commits().subList(0, 2);
            assertThatThrownBy(() -> History.Batch.appendTo(log, batch.frames(), two))
                    .isInstanceOf(IllegalArgumentException.class);

            Commit third = batch.commits().get(2);
            Commit beside = new Commit(third.end() - 1, third.timeMillis(), third.stateChecksum(), third.wal());
            List<Commit> wrong = List.of(two.get(0), two.get(1), beside);
            assertThatThrownBy(() -> History.Batch.appendTo(log, batch.frames(), wrong))
                    .isInstanceOf(IllegalArgumentException.class);

            ByteBuffer partial = batch.frames().duplicate().order(ByteOrder.LITTLE_ENDIAN);
            partial.limit(partial.limit() - 1);
            assertThatThrownBy(() -> History.Batch.appendTo(log, partial, batch.commits()))
                    .isInstanceOf(IllegalArgumentException.class);

            append(log, batch);
            history.assertSameAs(log, history.start.startFrameNo() - 1, note);
        }
    }

    @Test
    void unfinishedTransactionsAreSeenByNobodyUntilTheyEnd() throws IOException {
        try (FrameLog log = create(SMALL)) {
            append(log, history.transactions(2, 4));
            CommitRecord before = log.head();
            append(log, history.batch(0, 1, 100)); // more than a segment
            append(log, history.batch(0, 1, 3));
            assertThat(log.head()).isEqualTo(before);
            try (LogReader reader = log.reader(before.frameNo())) {
                ByteBuffer buf = ByteBuffer.allocate(1 << 20).order(ByteOrder.LITTLE_ENDIAN);
                assertThat(reader.read(buf, new ArrayList<>(), Long.MAX_VALUE)).isZero();
            }
            append(log, history.transactions(3, 3));
            history.assertSameAs(log, history.start.startFrameNo() - 1, note);
        }
    }

    @Test
    void rolledBackFramesAreGone() throws IOException {
        FrameLog log = create(SMALL);
        append(log, history.transactions(2, 4));
        CommitRecord head = history.head();
        append(log, history.batch(0, 1, 30));
        history.cutAfter(head.frameNo());
        log.rollback();
        append(log, history.transactions(1, 2));
        history.assertSameAs(log, history.start.startFrameNo() - 1, note);
        append(log, history.batch(0, 1, 5));
        history.cutAfter(history.head().frameNo());
        log.close();
        try (FrameLog reopened = FrameLog.open(storage, SMALL)) {
            history.assertSameAs(reopened, history.start.startFrameNo() - 1, note);
        }
    }

    @Test
    void readsNoFurtherThanAsked() throws IOException {
        try (FrameLog log = create(SMALL)) {
            append(log, history.transactions(50, 3));
            for (CommitRecord commit : history.commits()) {
                try (LogReader reader = log.reader(history.start.startFrameNo() - 1)) {
                    ByteBuffer buf = ByteBuffer.allocate(7 * history.frameSize).order(ByteOrder.LITTLE_ENDIAN);
                    List<CommitRecord> found = new ArrayList<>();
                    long frames = 0;
                    for (int n; (n = reader.read(buf.clear(), found, commit.frameNo())) > 0; ) {
                        frames += n;
                    }
                    assertThat(frames).isEqualTo(commit.frameNo() + 1 - history.start.startFrameNo());
                    assertThat(reader.frameNo()).isEqualTo(commit.frameNo());
                    if (frames > 0) {
                        assertThat(found.get(found.size() - 1)).isEqualTo(commit);
                    }
                }
            }
        }
    }

    @Test
    void findsCommitsAndChecksumsByFrame() throws IOException {
        try (FrameLog log = create(SMALL)) {
            for (int i = 0; i < 30; i++) {
                append(log, history.transactions(2, 6));
            }
            assertThat(storage.list()).hasSizeGreaterThan(4);
            long checked = history.start.startFrameNo() - 1;
            for (CommitRecord commit : history.commits()) {
                for (; checked < commit.frameNo(); checked++) {
                    boolean ends = history.commits().stream().anyMatch(new CommitOf(checked)::is);
                    assertThat(log.commitAt(checked) != null).isEqualTo(ends);
                }
                assertThat(log.commitAt(commit.frameNo())).isEqualTo(commit);
                assertThat(log.checksumAt(commit.frameNo())).isEqualTo(commit.checksum());
            }
            assertThat(log.commitAt(log.head().frameNo() + 1)).isNull();
            assertThat(log.commitAt(history.start.startFrameNo() - 2)).isNull();
            assertThatThrownBy(() -> log.checksumAt(log.head().frameNo() + 1))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> log.reader(log.head().frameNo() + 1)).isInstanceOf(IllegalArgumentException.class);
        }
    }

    private record CommitOf(long frameNo) {
        boolean is(CommitRecord commit) {
            return commit.frameNo() == frameNo;
        }
    }

    @Test
    void syncMakesTheHeadDurableAndWakesThoseWhoWait() throws Exception {
        try (FrameLog log = create(SMALL)) {
            CommitRecord base = log.durable();
            CompletableFuture<Boolean> committed = waiting(log, base.frameNo(), false);
            CompletableFuture<Boolean> durable = waiting(log, base.frameNo(), true);
            append(log, history.transactions(1, 3));
            assertThat(committed.get(10, TimeUnit.SECONDS)).isTrue();
            assertThat(durable).isNotDone();
            assertThat(log.durable()).isEqualTo(base);

            assertThat(log.sync()).isEqualTo(log.head()).isEqualTo(log.durable());

            assertThat(durable.get(10, TimeUnit.SECONDS)).isTrue();
            assertThat(log.await(log.head().frameNo(), false, 1_000)).isFalse();
        }
    }

    @Test
    void syncIsDueAtOnceOnlyForSomebodyWhoWaits() throws Exception {
        try (FrameLog log = create(SMALL)) {
            assertThat(log.isAwaited()).isFalse();
            assertThat(log.awaitSyncDue(0)).isFalse();
            long base = log.head().frameNo();
            CompletableFuture<Boolean> due = later(() -> log.awaitSyncDue(LONG));
            append(log, history.transactions(1, 3));
            assertThat(log.awaitSyncDue(0)).isTrue();
            assertThat(due).isNotDone();

            CompletableFuture<Boolean> durable = waiting(log, base, true);
            assertThat(due.get(10, TimeUnit.SECONDS)).isTrue();
            assertThat(log.isAwaited()).isTrue();

            log.sync();
            assertThat(durable.get(10, TimeUnit.SECONDS)).isTrue();
            CompletableFuture<Boolean> next = waiting(log, log.head().frameNo(), true);
            CompletableFuture<Boolean> dueAgain = later(() -> log.awaitSyncDue(LONG));
            append(log, history.transactions(1, 3));
            assertThat(dueAgain.get(10, TimeUnit.SECONDS)).isTrue();
            log.sync();
            assertThat(next.get(10, TimeUnit.SECONDS)).isTrue();
        }
    }

    private static CompletableFuture<Boolean> waiting(FrameLog log, long frameNo, boolean durable) {
        return later(() -> log.await(frameNo, durable, LONG));
    }

    private static CompletableFuture<Boolean> later(Callable<Boolean> wait) {
        return CompletableFuture.supplyAsync(
                () -> {
                    try {
                        return wait.call();
                    } catch (Exception e) {
                        throw new IllegalStateException(e);
                    }
                },
                task -> new Thread(task, "await").start());
    }

    @Test
    void retentionKeepsTheNewestBytesAndWhatIsHeld() throws IOException {
        FrameLog.Options options = new FrameLog.Options(20_000, 60_000, Duration.ofDays(100_000));
        try (FrameLog log = create(options)) {
            FrameLog.Hold hold = log.hold(history.start.startFrameNo() - 1);
            for (int i = 0; i < 100; i++) {
                append(log, history.transactions(2, 6));
            }
            assertThat(log.start()).isEqualTo(history.start);
            long middle = history.commits().get(100).frameNo();
            hold.moveTo(middle);
            log.prune();
            assertThat(log.start().startFrameNo())
                    .isGreaterThan(history.start.startFrameNo())
                    .isLessThanOrEqualTo(middle + 1);
            assertThat(log.reader(middle)).isNotNull();
            hold.close();
            log.prune();

            LogStart start = log.start();
            CommitRecord base = Objects.requireNonNull(log.commitAt(start.startFrameNo() - 1));
            assertThat(base).isIn(history.commits());
            long keptBytes = (log.head().frameNo() + 1 - start.startFrameNo()) * history.frameSize;
            assertThat(keptBytes).isBetween(60_000L, 90_000L);
            assertThat(start.startPages()).isEqualTo(base.sizeAfter());
            history.assertSameAs(log, base.frameNo(), note);
            assertThatThrownBy(() -> log.reader(middle)).isInstanceOf(NeedsSnapshotException.class);
            assertThatThrownBy(() -> log.checksumAt(middle)).isInstanceOf(NeedsSnapshotException.class);
            assertThat(log.commitAt(middle)).isNull();
        }
        try (FrameLog log = FrameLog.open(storage, options)) {
            history.assertSameAs(log, log.start().startFrameNo() - 1, note);
        }
    }

    @Test
    void retentionDropsWhatIsTooOldButNeverTheNewestSegment() throws IOException {
        try (FrameLog log = create(new FrameLog.Options(5_000, Long.MAX_VALUE, Duration.ofDays(1)))) {
            for (int i = 0; i < 30; i++) {
                append(log, history.transactions(2, 6)); // years old
            }
            assertThat(storage.list()).hasSize(2);
            history.assertSameAs(log, log.start().startFrameNo() - 1, note);
        }
    }

    @Test
    void aReaderGoesOnInASegmentThatIsDeletedUnderIt() throws IOException {
        Storage files = Storage.directory(directory);
        FrameLog.Options options = new FrameLog.Options(20_000, 0, Duration.ofDays(100_000));
        try (FrameLog log = FrameLog.create(files, history.start, options)) {
            append(log, history.transactions(20, 6));
            try (LogReader reader = log.reader(history.start.startFrameNo() - 1)) {
                append(log, history.transactions(20, 6));
                append(log, history.transactions(20, 6));
                assertThat(log.start().startFrameNo()).isGreaterThan(history.start.startFrameNo());
                ByteBuffer buf = ByteBuffer.allocate(1 << 20).order(ByteOrder.LITTLE_ENDIAN);
                assertThat(reader.read(buf.clear(), new ArrayList<>(), Long.MAX_VALUE))
                        .isPositive();
                assertThatThrownBy(() -> reader.read(buf.clear(), new ArrayList<>(), Long.MAX_VALUE))
                        .isInstanceOf(NeedsSnapshotException.class);
            }
        }
    }

    @Test
    void aFailedWriteLeavesTheLogAtItsLastCommitAndUsable() throws IOException {
        for (int operation = 1; operation < 40; operation++) {
            FaultyStorage disk = new FaultyStorage(random);
            History pages = new History(random, 512);
            FrameLog log =
                    FrameLog.create(disk, pages.start, new FrameLog.Options(5_000, 20_000, Duration.ofDays(100_000)));
            append(log, pages.transactions(3, 4));
            disk.fillDiskAtOperation(operation);
            for (int i = 0; i < 10; i++) {
                CommitRecord before = pages.head();
                History.Batch batch = pages.batch(3, 4, 0);
                try {
                    append(log, batch);
                } catch (IOException e) {
                    assertThat(e).hasMessageContaining("No space");
                    pages.cutAfter(before.frameNo());
                    append(log, pages.transactions(2, 2));
                }
                log.sync();
            }
            pages.assertSameAs(log, log.start().startFrameNo() - 1, note);
            disk.restartAfterPowerLoss();
            try (FrameLog reopened = FrameLog.open(disk, SMALL)) {
                pages.assertSameAs(reopened, reopened.start().startFrameNo() - 1, note);
            }
        }
    }

    @Test
    void whatAFailedCreationLeftDoesNotDisturbALogThatBeginsElsewhere() throws IOException {
        LogStart start = history.start;
        LogStart later = new LogStart(
                start.logId(),
                start.pageSize(),
                start.startFrameNo() + 1,
                start.startChecksum(),
                start.startState(),
                start.startPages());
        for (int operation = 1; operation < 5; operation++) { // the fifth, a sync, finds both files whole
            FaultyStorage disk = new FaultyStorage(random);
            disk.losePowerAtOperation(operation);
            assertThatThrownBy(() -> FrameLog.create(disk, start, SMALL)).isInstanceOf(FaultyStorage.PowerLoss.class);
            disk.restartAfterKill();
            FrameLog.create(disk, later, SMALL).close();
            try (FrameLog reopened = FrameLog.open(disk, SMALL)) {
                assertThat(reopened.start())
                        .as("operation %d, %s", operation, note)
                        .isEqualTo(later);
            }
        }
    }

    @Test
    void afterAFailedSyncTheLogRefusesToGoOn() throws IOException {
        FrameLog log = create(SMALL);
        append(log, history.transactions(2, 4));
        CommitRecord safe = log.sync();
        append(log, history.transactions(2, 4));
        storage.failSync(1);

        assertThatThrownBy(log::sync).hasMessageContaining("Input/output error");

        assertThat(log.durable()).isEqualTo(safe);
        assertThatThrownBy(log::sync).hasMessageContaining("must be opened again");
        assertThatThrownBy(() -> append(log, history.transactions(1, 1))).hasMessageContaining("must be opened again");
        log.close();
    }

    @Test
    void closedSegmentsHaveTheFrameCountAndLengthThatLibsqlExpects() throws IOException {
        Storage files = Storage.directory(directory);
        try (FrameLog log = FrameLog.create(files, history.start, SMALL)) {
            for (int i = 0; i < 20; i++) {
                append(log, history.transactions(5, 5));
            }
        }
        List<String> segments =
                files.list().stream().filter(Segment::isFramesName).toList();
        assertThat(segments).hasSizeGreaterThan(3);
        for (String name : segments.subList(0, segments.size() - 1)) {
            byte[] bytes = Files.readAllBytes(directory.resolve(name));
            ByteBuffer header = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
            assertThat(bytes).startsWith('S', 'Q', 'L', 'D', 'W', 'A', 'L', 0);
            assertThat(header.getLong(32)).isEqualTo(Long.parseLong(name.substring(0, 20)));
            assertThat(64 + header.getLong(40) * history.frameSize).isEqualTo(bytes.length);
        }
    }

    @Test
    void headerOfAnEmptyLogEqualsLibsqls() throws IOException {
        byte[] theirs = Files.readAllBytes(SharedFiles.libsql("empty_wallog_header"));
        SegmentHeader header = SegmentHeader.decode(ByteBuffer.wrap(theirs).order(ByteOrder.LITTLE_ENDIAN), "theirs");
        byte[] ours = header.encode().array();
        for (int i = 0; i < 56; i++) { // then comes the version of their server
            assertThat(ours[i]).as("byte %d", i).isEqualTo(theirs[i]);
        }
    }

    @Test
    void refusesToCreateALogOverAnother() throws IOException {
        create(SMALL).close();

        assertThatThrownBy(() -> create(SMALL)).isInstanceOf(IllegalStateException.class);
    }
}
