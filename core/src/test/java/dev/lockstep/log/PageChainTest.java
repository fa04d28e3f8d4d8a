package dev.lockstep.log;

import static dev.lockstep.log.FrameLayout.HEADER;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class PageChainTest {

    private static final int FRAME = FrameLayout.frameSize(4096);

    @Test
    void equalsTheDefinitionForAllPageSizesAndPreviousChecksums() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        for (int pageSize = 512; pageSize <= 65536; pageSize *= 2) {
            PageChain chain = PageChain.of(pageSize);
            byte[] page = new byte[pageSize];
            long previous = 0;
            for (int i = 0; i < 20; i++) {
                random.nextBytes(page);
                long expected = PlainCrc.step(previous, page, 0, pageSize);

                assertThat(chain.next(previous, ByteBuffer.wrap(page), 0))
                        .as("page size %d, seed %d", pageSize, seed)
                        .isEqualTo(expected);
                previous = expected;
            }
        }
    }

    @Test
    void continuesTheLogThatLibsqlWrote() throws IOException {
        ByteBuffer frames = read("test_wallog");
        PageChain chain = PageChain.of(4096);
        long checksum = 0;
        for (int i = 0; i < 7; i++) {
            checksum = chain.next(checksum, frames, i * FRAME + HEADER);

            assertThat(FrameLayout.frameNo(frames, i * FRAME)).isEqualTo(i);
            assertThat(checksum).isEqualTo(FrameLayout.checksum(frames, i * FRAME));
        }
        assertThat(frames.capacity()).isEqualTo(7 * FRAME);
    }

    @Test
    void continuesTheSnapshotThatLibsqlWroteInAscendingOrder() throws IOException {
        ByteBuffer frames = read("snapshot.snap");
        PageChain chain = PageChain.of(4096);
        long checksum = 0;
        for (int i = 1; i >= 0; i--) {
            int frame = 48 + i * FRAME;
            checksum = chain.next(checksum, frames, frame + HEADER);

            assertThat(checksum).isEqualTo(FrameLayout.checksum(frames, frame));
        }
    }

    @Test
    void equalsLibsqlsVectors() throws IOException {
        ByteBuffer frames = read("test_wallog");
        List<String> prev = values("prev");
        List<String> checksum = values("checksum");
        assertThat(checksum).hasSizeGreaterThanOrEqualTo(5);
        PageChain chain = PageChain.of(4096);
        for (int i = 0; i < checksum.size(); i++) {
            long next = chain.next(Long.parseUnsignedLong(prev.get(i), 16), frames, i * FRAME + HEADER);

            assertThat(String.format("%016x", next)).isEqualTo(checksum.get(i));
        }
    }

    @Test
    void refusesPageSizesThatSqliteDoesNotHave() {
        for (int pageSize : new int[] {0, 256, 1000, 4095, 131072, -4096, Integer.MIN_VALUE}) {
            assertThatThrownBy(() -> PageChain.of(pageSize)).isInstanceOf(IllegalArgumentException.class);
        }
    }

    private static ByteBuffer read(String name) throws IOException {
        return ByteBuffer.wrap(Files.readAllBytes(SharedFiles.libsql(name))).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static List<String> values(String field) throws IOException {
        String json = Files.readString(SharedFiles.libsql("vectors.json"));
        List<String> values = new ArrayList<>();
        for (Matcher m = Pattern.compile('"' + field + "\": \"([0-9a-f]{16})\"").matcher(json); m.find(); ) {
            values.add(m.group(1));
        }
        return values;
    }
}
