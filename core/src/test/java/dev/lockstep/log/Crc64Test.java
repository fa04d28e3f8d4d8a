package dev.lockstep.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;

class Crc64Test {

    private final long seed = System.nanoTime();
    private final Random random = new Random(seed);

    @Test
    void agreesWithTheCatalogue() {
        ByteBuffer digits = ByteBuffer.wrap("123456789".getBytes(StandardCharsets.US_ASCII));

        assertThat(Crc64.step(-1, digits, 0, 9)).isEqualTo(0xb90956c775a41001L);
    }

    @Test
    void agreesWithTheDefinitionAtEveryLengthUpToSomeChunks() {
        byte[] bytes = new byte[40_000];
        random.nextBytes(bytes);
        ByteBuffer heap = ByteBuffer.wrap(bytes);
        ByteBuffer direct = ByteBuffer.allocateDirect(bytes.length).put(bytes);
        for (int length = 0; length < bytes.length - 50; length += length < 5_000 ? 1 : 977) {
            int offset = random.nextInt(50);
            long initial = random.nextLong();
            long expected = PlainCrc.step(initial, bytes, offset, length);

            assertThat(Crc64.step(initial, heap, offset, length))
                    .as("heap, length %d, seed %d", length, seed)
                    .isEqualTo(expected);
            assertThat(Crc64.step(initial, direct, offset, length))
                    .as("direct, length %d, seed %d", length, seed)
                    .isEqualTo(expected);
        }
    }

    @Test
    void agreesWithTheDefinitionOnPagesOfAllSizes() {
        for (int pageSize = 512; pageSize <= 65536; pageSize *= 2) {
            byte[] page = new byte[pageSize];
            random.nextBytes(page);
            ByteBuffer readOnly = ByteBuffer.wrap(page).asReadOnlyBuffer();

            assertThat(Crc64.of(readOnly, 0, pageSize))
                    .as("page size %d, seed %d", pageSize, seed)
                    .isEqualTo(PlainCrc.step(0, page, 0, pageSize));
        }
    }

    @Test
    void everySingleBitOfAPageCounts() {
        ByteBuffer page = ByteBuffer.allocate(4096).order(ByteOrder.LITTLE_ENDIAN);
        long zeros = Crc64.of(page, 0, 4096);
        for (int word = 0; word < 4096; word += 8) {
            for (int bit = 0; bit < 64; bit++) {
                page.putLong(word, 1L << bit);
                assertThat(Crc64.of(page, 0, 4096)).isNotEqualTo(zeros);
            }
            page.putLong(word, 0);
        }
    }

    @Test
    void leavesTheBufferAlone() {
        ByteBuffer buf = ByteBuffer.allocate(100).position(7).limit(50);

        Crc64.of(buf, 0, 50);

        assertThat(buf).isEqualTo(ByteBuffer.allocate(100).position(7).limit(50));
        assertThat(buf.order()).isEqualTo(ByteOrder.BIG_ENDIAN);
        assertThat(buf.position()).isEqualTo(7);
    }
}
