package dev.lockstep.stream;

import dev.lockstep.log.Crc64;
import dev.lockstep.log.FrameLayout;
import dev.lockstep.stream.ToReplica.SnapshotPages;
import dev.lockstep.verify.TestHistory;
import java.nio.ByteBuffer;

/** Messages that were tampered with. */
final class Messages {

    private Messages() {}

    /** The same pages, but one has other content, with the CRC that fits. */
    static SnapshotPages withForgedPage(SnapshotPages pages, int frameSize) {
        ByteBuffer forged = TestHistory.copyOf(pages.pages(), 0, pages.pages().limit());
        int last = forged.limit() - frameSize;
        forged.put(last + FrameLayout.HEADER, (byte) ~forged.get(last + FrameLayout.HEADER));
        FrameLayout.putChecksum(
                forged, last, Crc64.of(forged, last + FrameLayout.HEADER, frameSize - FrameLayout.HEADER));
        return new SnapshotPages(forged);
    }
}
