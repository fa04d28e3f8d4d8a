package dev.lockstep.pages;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lockstep.io.Storage;
import dev.lockstep.log.Commit;
import dev.lockstep.log.Crc64;
import dev.lockstep.log.FrameLayout;
import dev.lockstep.log.FrameLog;
import dev.lockstep.log.LogStart;
import dev.lockstep.log.PageChain;
import dev.lockstep.log.PageCrcs;
import dev.lockstep.log.WalMark;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The index beside a log of random transactions, against a plain map of pages. */
class PageIndexTest {

    private static final int PAGE_SIZE = 512;
    private static final int FRAME_SIZE = FrameLayout.frameSize(PAGE_SIZE);
    private static final LogStart START = new LogStart(new UUID(1, 2), PAGE_SIZE, 0, 0, 0, 0);

    @TempDir
    Path directory;

    private final TreeMap<Integer, Long> model = new TreeMap<>();
    private final PageChain chain = PageChain.of(PAGE_SIZE);
    private final long seed = System.nanoTime();
    private final Random random = new Random(seed);

    @Test
    void anIndexThatIsReopenedAfterACrashEqualsOneThatWasNot() throws Exception {
        System.out.println("PageIndexTest seed " + seed);
        Path file = directory.resolve("pages.idx");
        try (FrameLog log =
                FrameLog.create(Storage.directory(directory.resolve("log")), START, FrameLog.Options.defaults())) {
            PageIndex index = PageIndex.create(file, START.logId(), PAGE_SIZE);
            index.flush(-1);
            index.force();
            for (int round = 0; round < 60; round++) {
                for (int i = random.nextInt(20); i >= 0; i--) {
                    transaction(log, index);
                    if (random.nextInt(10) == 0) {
                        index.flush(log.sync().frameNo());
                    }
                    if (random.nextInt(20) == 0) {
                        index.force();
                    }
                }
                assertEqual(index, log);
                index.close(); // without a flush, as a crash does
                index = PageIndex.open(file, log);
                assertThat(index).as("seed %d", seed).isNotNull();
                assertEqual(index, log);
            }
            index.close();
        }
    }

    /** An index of one transaction. */
    private void write(Path file, FrameLog log) throws Exception {
        try (PageIndex index = PageIndex.create(file, START.logId(), PAGE_SIZE)) {
            transaction(log, index);
            index.flush(log.sync().frameNo());
            index.force();
        }
    }

    @Test
    void aDamagedHeaderIsNotTrusted() throws Exception {
        Path file = directory.resolve("pages.idx");
        try (FrameLog log =
                FrameLog.create(Storage.directory(directory.resolve("log")), START, FrameLog.Options.defaults())) {
            write(file, log);
            try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
                bytes.seek(2048 + 33);
                bytes.write(bytes.read() ^ 1);
                bytes.seek(33);
                bytes.write(99);
            }
            assertThat(PageIndex.open(file, log)).isNull();
        }
    }

    @Test
    void aDamagedEntryIsNoticed() throws Exception {
        Path file = directory.resolve("pages.idx");
        try (FrameLog log =
                FrameLog.create(Storage.directory(directory.resolve("log")), START, FrameLog.Options.defaults())) {
            write(file, log);
            try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
                bytes.seek(4096);
                int crc = bytes.read();
                bytes.seek(4096);
                bytes.write(~crc);
            }
            assertThat(PageIndex.open(file, log)).isNull();
        }
    }

    /** A few pages, of which some may be past the end that the commit frame then says, as spilled pages are. */
    private void transaction(FrameLog log, PageIndex index) throws IOException {
        int frames = 1 + random.nextInt(6);
        int sizeAfter = Math.max(1, (model.isEmpty() ? 0 : model.lastKey()) + random.nextInt(9) - 4);
        ByteBuffer buffer = ByteBuffer.allocateDirect(frames * FRAME_SIZE).order(ByteOrder.LITTLE_ENDIAN);
        PageCrcs crcs = new PageCrcs(PAGE_SIZE);
        long frameNo = log.head().frameNo();
        long checksum = log.head().checksum();
        for (int i = 0; i < frames; i++) {
            int at = i * FRAME_SIZE;
            int pageNo = 1 + random.nextInt(i == frames - 1 ? sizeAfter : sizeAfter + 3);
            buffer.putLong(at + FrameLayout.HEADER + 8 * random.nextInt(60), random.nextLong());
            long crc = crcs.add(buffer, at);
            checksum = chain.next(checksum, crc);
            frameNo++;
            FrameLayout.putHeader(buffer, at, frameNo, checksum, pageNo, i == frames - 1 ? sizeAfter : 0);
            index.set(pageNo, frameNo, crc);
            model.put(pageNo, crc);
        }
        index.commit(frameNo, sizeAfter);
        model.tailMap(sizeAfter, false).clear();
        long zeros = Crc64.of(ByteBuffer.allocate(PAGE_SIZE), 0, PAGE_SIZE);
        for (int pageNo = 1; pageNo <= sizeAfter; pageNo++) {
            model.putIfAbsent(pageNo, zeros);
        }
        List<Commit> commits = new ArrayList<>();
        commits.add(new Commit(buffer.capacity(), 1, index.state(), WalMark.NONE));
        log.append(buffer, crcs, commits);
    }

    private void assertEqual(PageIndex index, FrameLog log) {
        long state = 0;
        for (var page : model.entrySet()) {
            assertThat(index.contains(page.getKey())).as("seed %d", seed).isTrue();
            assertThat(index.contentCrc(page.getKey())).as("seed %d", seed).isEqualTo(page.getValue());
            state ^= StateChecksum.mix(page.getKey(), page.getValue());
        }
        assertThat(index.contains(index.pages() + 1)).isFalse();
        assertThat(index.pages()).as("seed %d", seed).isEqualTo(log.head().sizeAfter());
        assertThat(index.state())
                .as("seed %d", seed)
                .isEqualTo(state)
                .isEqualTo(log.head().stateChecksum());
    }
}
