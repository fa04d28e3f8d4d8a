package dev.lockstep.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lockstep.RefusedException;
import dev.lockstep.RefusedException.Kind;
import dev.lockstep.log.Crc64;
import dev.lockstep.log.FrameLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

class PageVerifierTest {

    private static final int PAGE = 512;
    private static final int ENTRY = FrameLayout.frameSize(PAGE);

    private final Random random = new Random(5);

    @Test
    void pagesOneToLastPassWithoutTheLockBytePage() throws RefusedException {
        int pageSize = 65536; // the page size with the smallest lock-byte page, 16385
        PageVerifier verifier = new PageVerifier(pageSize, 16387, "test");
        ByteBuffer entry = ByteBuffer.allocate(FrameLayout.frameSize(pageSize)).order(ByteOrder.LITTLE_ENDIAN);
        FrameLayout.putChecksum(entry, 0, Crc64.of(entry, FrameLayout.HEADER, pageSize));
        for (int page = 1; page <= 16387; page++) {
            if (page != 16385) {
                FrameLayout.putPageNo(entry, 0, page);
                verifier.accept(entry);
            }
        }
        verifier.end();
    }

    @Test
    void everyFlippedBitOfAPageItsNumberOrItsChecksumIsRefused() {
        ByteBuffer pages = pages(1, 2);
        for (int bit = 0; bit < pages.limit() * 8; bit++) {
            int field = bit / 8 % ENTRY;
            boolean matters =
                    field >= FrameLayout.CHECKSUM && (field < FrameLayout.SIZE_AFTER || field >= FrameLayout.HEADER);
            if (matters) {
                ByteBuffer changed = TestHistory.copyOf(pages, 0, pages.limit());
                changed.put(bit / 8, (byte) (changed.get(bit / 8) ^ (1 << bit % 8)));
                boolean number = field >= FrameLayout.PAGE_NO && field < FrameLayout.SIZE_AFTER;
                assertRefused(
                        number ? Kind.PAGE_NUMBER : Kind.CHECKSUM,
                        () -> verifier(2).accept(changed));
            }
        }
    }

    @Test
    void missingRepeatedOrSurplusPagesAreRefused() throws RefusedException {
        assertRefused(Kind.PAGE_NUMBER, () -> verifier(5).accept(pages(1, 3)));
        assertRefused(Kind.PAGE_NUMBER, () -> verifier(5).accept(pages(1, 1)));
        assertRefused(Kind.PAGE_NUMBER, () -> verifier(2).accept(pages(1, 2, 3)));
        assertRefused(Kind.MALFORMED, () -> verifier(2).accept(pages(1).limit(ENTRY - 1)));
        PageVerifier verifier = verifier(3);
        verifier.accept(pages(1, 2));
        assertRefused(Kind.UNFINISHED, verifier::end);
    }

    private static PageVerifier verifier(int pages) {
        return new PageVerifier(PAGE, pages, "test");
    }

    private static void assertRefused(Kind kind, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        RefusedException.class, e -> assertThat(e.kind()).isEqualTo(kind));
    }

    private ByteBuffer pages(int... numbers) {
        ByteBuffer entries = ByteBuffer.allocate(numbers.length * ENTRY).order(ByteOrder.LITTLE_ENDIAN);
        byte[] page = new byte[PAGE];
        for (int i = 0; i < numbers.length; i++) {
            random.nextBytes(page);
            entries.put(i * ENTRY + FrameLayout.HEADER, page);
            long crc = Crc64.of(entries, i * ENTRY + FrameLayout.HEADER, PAGE);
            FrameLayout.putHeader(entries, i * ENTRY, 0, crc, numbers[i], 0);
        }
        return entries;
    }
}
