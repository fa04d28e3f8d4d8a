package dev.lockstep.log;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lockstep.Progress;
import dev.lockstep.UnsupportedException;
import dev.lockstep.io.FaultyStorage;
import dev.lockstep.io.Storage;
import dev.lockstep.io.StoredFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LogVerifierTest {

    private static final int FRAME = FrameLayout.frameSize(4096);

    private final long seed = System.nanoTime();
    private final String note = "seed " + seed;
    private final Random random = new Random(seed);

    @TempDir
    Path directory;

    /** A log of several segments, some pieces each; left open by a process that was killed, or closed. */
    private Storage log(History history, boolean closed) throws IOException {
        Storage storage = Storage.directory(directory.resolve("log"));
        FrameLog.Options options = new FrameLog.Options(9_000_000, Long.MAX_VALUE, Duration.ofDays(100_000));
        FrameLog log = FrameLog.create(storage, history.start, options);
        for (int i = 0; i < 25; i++) {
            History.Batch batch = history.transactions(5, 100);
            batch.appendTo(log);
            log.sync();
        }
        if (closed) {
            log.close();
        }
        return storage;
    }

    private static LogVerifier.Result verify(Storage storage, int threads) throws IOException {
        return LogVerifier.verify(LogSource.directory(storage), true, threads, Progress.NONE);
    }

    @Test
    void tellsWhatAWholeLogHoldsWhateverTheNumberOfThreads() throws IOException {
        History history = new History(random, 4096);
        Storage storage = log(history, random.nextBoolean());
        List<Long> progress = new ArrayList<>();
        for (int threads = 1; threads <= 4; threads++) {
            progress.clear();
            LogVerifier.Result result = LogVerifier.verify(directory.resolve("log"), true, threads, (done, total) -> {
                progress.add(done);
                assertThat(done).isLessThanOrEqualTo(total);
            });
            assertThat(result.fault()).as(note).isNull();
            assertThat(result.logId()).isEqualTo(history.start.logId());
            assertThat(result.pageSize()).isEqualTo(4096);
            assertThat(result.segments())
                    .isGreaterThan(2)
                    .isEqualTo(storage.list().size() / 2);
            assertThat(result.frames()).isEqualTo(history.head().frameNo() + 1 - history.start.startFrameNo());
            assertThat(result.transactions()).isEqualTo(history.transactions());
            assertThat(result.firstFrameNo()).isEqualTo(history.start.startFrameNo());
            assertThat(result.lastFrameNo()).isEqualTo(history.head().frameNo());
            assertThat(result.firstTimeMillis())
                    .isEqualTo(history.commits().get(1).timeMillis());
            assertThat(result.lastTimeMillis()).isEqualTo(history.head().timeMillis());
            assertThat(result.sealed()).isTrue();
            assertThat(result.bytes()).isEqualTo(result.frames() * FRAME);
            int pieces = (int) (result.bytes() / Piece.BYTES);
            assertThat(progress).isSorted().hasSizeGreaterThan(10 * pieces).endsWith(result.bytes());
        }
        String middle = Segment.framesName(history.start.startFrameNo());
        LogVerifier.Result one = LogVerifier.verify(directory.resolve("log").resolve(middle), Progress.NONE);
        assertThat(one.fault()).isNull();
        assertThat(one.segments()).isEqualTo(1);
        assertThat(one.sealed()).isTrue();
        assertThat(one.transactions()).isPositive().isLessThan(history.transactions());
    }

    @Test
    void namesTheFirstBadFrameWhateverTheNumberOfThreads() throws IOException {
        History history = new History(random, 4096);
        Storage storage = log(history, true);
        for (int i = 0; i < 60; i++) {
            long victim = history.start.startFrameNo()
                    + random.nextInt((int) (history.head().frameNo() - history.start.startFrameNo()));
            int at = random.nextInt(3) == 0 ? random.nextInt(FrameLayout.HEADER) : random.nextInt(FRAME);
            flip(storage, victim, at);
            long later = Math.min(history.head().frameNo(), victim + random.nextInt(2000));
            if (later > victim) {
                flip(storage, later, 100);
            }
            LogVerifier.Result result = verify(storage, 1 + random.nextInt(3));
            LogVerifier.Fault fault = requireNonNull(result.fault(), note);
            // Page number and size are covered by the seal alone, which is known wrong at the end of the transaction;
            // by then, the
            // chain may have told of the later frame.
            CommitRecord commit = history.commits().stream()
                    .filter(c -> c.frameNo() >= victim)
                    .findFirst()
                    .orElseThrow();
            long known = later > victim ? Math.min(later, commit.frameNo()) : commit.frameNo();
            assertThat(fault.frameNo()).as(note + ", byte " + at).isIn(victim, known);
            if (at < 16 || at >= FrameLayout.HEADER) {
                assertThat(fault.frameNo()).isEqualTo(victim);
                assertThat(fault.fault().field()).isEqualTo(at < 8 ? "frame number" : "checksum");
            }
            long start = segmentOf(storage, fault.frameNo());
            assertThat(fault.file()).isEqualTo(storage.path(Segment.framesName(start)));
            assertThat(fault.offset()).isEqualTo(64 + (fault.frameNo() - start) * FRAME);
            assertThat(fault.fault().expected()).isNotEqualTo(fault.fault().found());
            assertThat(result.frames()).isEqualTo(fault.frameNo() - history.start.startFrameNo());
            assertThat(result.lastFrameNo()).isLessThan(victim);
            if (later > victim) {
                flip(storage, later, 100);
            }
            flip(storage, victim, at);
        }
        assertThat(verify(storage, 2).fault()).isNull();
    }

    private static long segmentOf(Storage storage, long frameNo) throws IOException {
        return storage.list().stream()
                .filter(Segment::isFramesName)
                .mapToLong(Segment::startFrameNo)
                .filter(start -> start <= frameNo)
                .max()
                .orElseThrow();
    }

    private static void flip(Storage storage, long frameNo, int at) throws IOException {
        long start = segmentOf(storage, frameNo);
        try (StoredFile file = storage.open(Segment.framesName(start))) {
            ByteBuffer one = ByteBuffer.allocate(1);
            long offset = 64 + (frameNo - start) * FRAME + at;
            file.read(one, offset);
            one.put(0, (byte) (one.get(0) ^ 0x40));
            file.write(one.flip(), offset);
        }
    }

    @Test
    void withoutSealsAChangedPageNumberIsNotNoticed() throws IOException {
        History history = new History(random, 4096);
        Storage storage = log(history, true);
        flip(storage, history.start.startFrameNo() + 3, FrameLayout.PAGE_NO);

        assertThat(LogVerifier.verify(LogSource.directory(storage), false, 2, Progress.NONE)
                        .fault())
                .isNull();
        LogVerifier.Fault fault = requireNonNull(verify(storage, 2).fault());
        assertThat(fault.fault().field()).isEqualTo("seal");
    }

    @Test
    void aChangedTimeOrStateInTheCommitIndexIsNoticedEvenWithARightCrc() throws IOException {
        FaultyStorage storage = new FaultyStorage(random);
        History history = new History(random, 512);
        try (FrameLog log = FrameLog.create(storage, history.start, FrameLog.Options.defaults())) {
            History.Batch batch = history.transactions(10, 10);
            batch.appendTo(log);
        }
        String name = Segment.commitsName(history.start.startFrameNo());
        for (int field : new int[] {24, 32}) {
            FaultyStorage forged = storage.copy();
            ByteBuffer bytes = ByteBuffer.wrap(storage.bytes(name)).order(ByteOrder.LITTLE_ENDIAN);
            int slot = 5 * CommitCodec.LENGTH;
            bytes.putLong(slot + field, bytes.getLong(slot + field) + 1);
            bytes.putLong(slot + 96, Crc64.of(bytes, slot, 96));
            forged.put(name, bytes.array());

            LogVerifier.Fault fault = requireNonNull(verify(forged, 1).fault());
            assertThat(fault.fault().field()).isEqualTo("seal");
            assertThat(fault.frameNo()).isEqualTo(history.commits().get(4).frameNo());
        }
    }

    @Test
    void aTornTailIsANoteAndNotAFault() throws IOException {
        FaultyStorage storage = new FaultyStorage(random);
        History history = new History(random, 512);
        FrameLog log = FrameLog.create(storage, history.start, FrameLog.Options.defaults());
        append(log, history.transactions(5, 5));
        CommitRecord synced = log.sync();
        append(log, history.transactions(1, 5));
        append(log, history.batch(0, 1, 3));
        String name = Segment.framesName(history.start.startFrameNo());
        byte[] bytes = storage.bytes(name);

        LogVerifier.Result whole = verify(storage, 2);
        assertThat(whole.fault()).isNull();
        assertThat(whole.lastFrameNo()).isEqualTo(log.head().frameNo());
        assertThat(whole.notes()).anyMatch(text -> text.startsWith("frames follow"));

        bytes[64 + (int) (log.head().frameNo() + 1 - history.start.startFrameNo()) * history.frameSize - 7] ^= 1;
        storage.put(name, bytes);
        LogVerifier.Result torn = verify(storage, 2);
        assertThat(torn.fault()).isNull();
        assertThat(torn.lastFrameNo()).isEqualTo(synced.frameNo());
        assertThat(torn.notes()).anyMatch(text -> text.startsWith("torn after"));
    }

    private static void append(FrameLog log, History.Batch batch) throws IOException {
        batch.appendTo(log);
    }

    @Test
    void damageOfHeadersAndMissingSegmentsIsPartOfTheResult() throws IOException {
        History history = new History(random, 4096);
        Storage storage = log(history, true);
        String second = storage.list().get(2);
        assertThat(Segment.isCommitsName(second)).isTrue();
        try (StoredFile file = storage.open(second)) {
            file.write(ByteBuffer.wrap(new byte[] {1}), 150);
        }
        LogVerifier.Fault damaged = requireNonNull(verify(storage, 2).fault());
        assertThat(damaged.frameNo()).isEqualTo(-1);
        assertThat(damaged.toString()).contains(second).contains("damaged");
        storage.delete(second);
        storage.delete(storage.list().get(2));

        LogVerifier.Result missing = verify(storage, 2);
        assertThat(requireNonNull(missing.fault()).toString()).contains("does not continue");
        assertThat(missing.frames()).isPositive();
    }

    @Test
    void verifiesWhileThePrimaryWrites() throws Exception {
        FaultyStorage storage = new FaultyStorage(random);
        History history = new History(random, 512);
        FrameLog.Options options = new FrameLog.Options(50_000, Long.MAX_VALUE, Duration.ofDays(100_000));
        try (FrameLog log = FrameLog.create(storage, history.start, options)) {
            List<History.Batch> batches = new ArrayList<>();
            for (int i = 0; i < 300; i++) {
                batches.add(history.transactions(3, 5));
            }
            Thread writer = new Thread(() -> {
                try {
                    for (History.Batch batch : batches) {
                        append(log, batch);
                        log.sync();
                    }
                } catch (IOException e) {
                    throw new IllegalStateException(e);
                }
            });
            writer.start();
            long last = -1;
            while (writer.isAlive()) {
                LogVerifier.Result result = verify(storage, 2);
                assertThat(result.fault()).as(note).isNull();
                assertThat(result.lastFrameNo()).isGreaterThanOrEqualTo(last);
                last = result.lastFrameNo();
            }
            writer.join();
            assertThat(verify(storage, 2).lastFrameNo())
                    .isEqualTo(history.head().frameNo());
        }
    }

    @Test
    void verifiesFramesThatLibsqlWrote() throws IOException {
        Path file = SharedFiles.libsql("test_wallog");
        LogVerifier.Result result = LogVerifier.verify(file, Progress.NONE);

        assertThat(result.fault()).isNull();
        assertThat(result.frames()).isEqualTo(7);
        assertThat(result.transactions()).isEqualTo(6);
        assertThat(result.lastFrameNo()).isEqualTo(6);
        assertThat(result.sealed()).isFalse();
        assertThat(result.logId()).isNull();

        byte[] bytes = Files.readAllBytes(file);
        bytes[4 * FRAME + 1000] ^= 1;
        Path damaged = Files.write(directory.resolve("damaged"), bytes);
        LogVerifier.Result bad = LogVerifier.verify(damaged, Progress.NONE);
        LogVerifier.Fault fault = requireNonNull(bad.fault());
        assertThat(fault.frameNo()).isEqualTo(4);
        assertThat(fault.offset()).isEqualTo(4L * FRAME);
        assertThat(fault.fault().found()).isEqualTo("5eb54334a67d897b");
        assertThat(bad.frames()).isEqualTo(4);
    }

    @Test
    void verifiesAWallogWithHeaderAndWithoutCommitIndex() throws IOException {
        byte[] frames = Files.readAllBytes(SharedFiles.libsql("test_wallog"));
        UUID id = new UUID(1, 2);
        Path file = directory.resolve("wallog");
        SegmentHeader header = new SegmentHeader(id, 4096, 0, 0, 7);
        Files.write(file, concat(header.encode().array(), frames));

        LogVerifier.Result closed = LogVerifier.verify(file, Progress.NONE);
        assertThat(closed.fault()).isNull();
        assertThat(closed.logId()).isEqualTo(id);
        assertThat(closed.frames()).isEqualTo(7);

        // Our own segment, taken out of its directory.
        Files.write(file, concat(header.withFrameCount(0).encode().array(), frames, new byte[99]));
        LogVerifier.Result open = LogVerifier.verify(file, Progress.NONE);
        assertThat(open.fault()).isNull();
        assertThat(open.frames()).isEqualTo(7);
        assertThat(open.notes()).anyMatch(text -> text.startsWith("99 bytes after"));

        Files.write(file, concat(header.withFrameCount(8).encode().array(), frames));
        assertThat(requireNonNull(LogVerifier.verify(file, Progress.NONE).fault())
                        .toString())
                .contains("counts 8");

        Files.write(file, concat(new SegmentHeader(id, 4096, 0, 5, 7).encode().array(), frames));
        LogVerifier.Fault otherStart =
                requireNonNull(LogVerifier.verify(file, Progress.NONE).fault());
        assertThat(otherStart.frameNo()).isZero();
    }

    private static byte[] concat(byte[]... parts) {
        ByteBuffer all = ByteBuffer.allocate(1 << 20);
        for (byte[] part : parts) {
            all.put(part);
        }
        byte[] bytes = new byte[all.position()];
        all.get(0, bytes);
        return bytes;
    }

    @Test
    void verifiesASnapshotThatLibsqlWrote() throws IOException {
        Path file = SharedFiles.libsql("snapshot.snap");
        LogVerifier.Result result = LogVerifier.verify(file, Progress.NONE);

        assertThat(result.fault()).isNull();
        assertThat(result.frames()).isEqualTo(2);
        assertThat(result.notes()).anyMatch(text -> text.contains("2 of 2 frames"));

        byte[] bytes = Files.readAllBytes(file);
        for (int at : new int[] {
            16, 24, 32, 40, 48, 56, 64, 68, 200, 48 + FRAME, 48 + FRAME + 8, 48 + FRAME + 16, bytes.length - 1
        }) {
            byte[] damaged = bytes.clone();
            damaged[at] ^= 3;
            Path copy = Files.write(directory.resolve("damaged.snap"), damaged);
            assertThat(LogVerifier.verify(copy, Progress.NONE).fault())
                    .as("byte %d", at)
                    .isNotNull();
        }
        Path cut = Files.write(directory.resolve("cut.snap"), java.util.Arrays.copyOf(bytes, 5000));
        assertThat(LogVerifier.verify(cut, Progress.NONE).fault()).isNotNull();
    }

    @Test
    void refusesWhatIsNoLog() throws IOException {
        Path text = Files.writeString(directory.resolve("text"), "no log at all");
        assertThatThrownBy(() -> LogVerifier.verify(text, Progress.NONE)).isInstanceOf(UnsupportedException.class);
        assertThatThrownBy(() -> LogVerifier.verify(directory, Progress.NONE)).isInstanceOf(NoSuchFileException.class);
        assertThatThrownBy(() -> LogVerifier.verify(directory.resolve("absent"), Progress.NONE))
                .isInstanceOf(NoSuchFileException.class);
    }
}
