package dev.lockstep.server.hrana;

import static org.assertj.core.api.Assertions.assertThat;

import com.linecorp.armeria.common.HttpData;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class WholeHeadersTest {

    private final long seed = System.nanoTime();
    private final Random random = new Random(seed);
    private final ByteArrayOutputStream frames = new ByteArrayOutputStream();

    /** Where a piece must not end. */
    private final Set<Integer> insideHeaders = new HashSet<>();

    @Test
    void piecesKeepAllBytesAndCutNoHeader() {
        for (int i = 0; i < 2000; i++) {
            addFrame(random.nextInt(5) == 0 ? 65_536 + random.nextInt(1000) : random.nextInt(600));
        }
        byte[] all = frames.toByteArray();
        WholeHeaders whole = new WholeHeaders();
        ByteArrayOutputStream seen = new ByteArrayOutputStream();
        for (int at = 0; at < all.length; ) {
            int length = Math.min(1 + random.nextInt(random.nextBoolean() ? 3 : 2000), all.length - at);
            HttpData piece = whole.apply(HttpData.wrap(Arrays.copyOfRange(all, at, at + length)));
            seen.writeBytes(piece.array());
            at += length;
            assertThat(insideHeaders).as("seed %d", seed).doesNotContain(seen.size());
        }
        assertThat(seen.toByteArray()).as("seed %d", seed).isEqualTo(all);
    }

    private void addFrame(int length) {
        int mask = random.nextBoolean() ? 0x80 : 0;
        ByteBuffer header = ByteBuffer.allocate(14).put((byte) 0x82);
        if (length < 126) {
            header.put((byte) (mask | length));
        } else if (length < 65_536) {
            header.put((byte) (mask | 126)).putShort((short) length);
        } else {
            header.put((byte) (mask | 127)).putLong(length);
        }
        header.put(new byte[mask == 0 ? 0 : 4]);
        for (int i = 1; i < header.position(); i++) {
            insideHeaders.add(frames.size() + i);
        }
        frames.write(header.array(), 0, header.position());
        byte[] payload = new byte[length];
        random.nextBytes(payload);
        frames.writeBytes(payload);
    }
}
