package dev.lockstep.pages;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lockstep.log.Crc64;
import dev.lockstep.log.FrameLayout;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PageFileTest {

    private static final int PAGE = 512;
    private static final int FRAME = FrameLayout.frameSize(PAGE);

    @TempDir
    Path directory;

    /** Transactions that grow with and without frames for the new pages, shrink, and write pages that their end cuts off. */
    @Test
    void theStateIsThatOfTheFileAfterEveryTransaction() throws IOException {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        Path path = directory.resolve("pages");
        try (FileChannel channel =
                FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            PageFile file = new PageFile(channel, PAGE);
            int size = 1 + random.nextInt(300);
            for (int pageNo = 1; pageNo <= size; pageNo++) {
                file.add(frame(random, pageNo, 0));
            }
            file.flush();
            file.resize(size);
            for (int n = 0; n < 200; n++) {
                int sizeAfter = 1 + random.nextInt(400);
                for (int frames = random.nextInt(5); frames > 0; frames--) {
                    ByteBuffer frame = frame(random, 1 + random.nextInt(400), 0);
                    if (random.nextBoolean()) {
                        file.overlay(frame);
                    } else {
                        file.overlay(frame, sizeAfter);
                    }
                }
                file.overlay(frame(random, 1 + random.nextInt(sizeAfter), sizeAfter));
                byte[] bytes = Files.readAllBytes(path);
                assertThat(bytes).as("seed %d, transaction %d", seed, n).hasSize(sizeAfter * PAGE);
                assertThat(file.state()).as("seed %d, transaction %d", seed, n).isEqualTo(state(bytes));
            }
        }
    }

    private static ByteBuffer frame(Random random, int pageNo, int sizeAfter) {
        ByteBuffer frame = ByteBuffer.allocate(FRAME).order(ByteOrder.LITTLE_ENDIAN);
        byte[] page = new byte[PAGE];
        random.nextBytes(page);
        frame.put(FrameLayout.HEADER, page);
        FrameLayout.putHeader(frame, 0, 0, Crc64.of(frame, FrameLayout.HEADER, PAGE), pageNo, sizeAfter);
        return frame;
    }

    private static long state(byte[] pages) {
        long state = 0;
        ByteBuffer buf = ByteBuffer.wrap(pages);
        for (int at = 0; at < pages.length; at += PAGE) {
            state ^= StateChecksum.mix(at / PAGE + 1, Crc64.of(buf, at, PAGE));
        }
        return state;
    }
}
