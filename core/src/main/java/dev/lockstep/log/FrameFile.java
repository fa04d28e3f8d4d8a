package dev.lockstep.log;

import dev.lockstep.CorruptException;
import dev.lockstep.io.StoredFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Consecutive frames in a file: a segment's, libSQL's wallog, or bare frames without a header.
 *
 * @param file open for reading; closing it is up to the owner
 * @param dataOffset where the first frame stands
 * @param startChecksum the chain's checksum before the first frame
 */
record FrameFile(StoredFile file, int dataOffset, int pageSize, long firstFrameNo, long startChecksum) {

    static FrameFile of(StoredFile file, SegmentHeader header) {
        return new FrameFile(
                file, SegmentHeader.LENGTH, header.pageSize(), header.startFrameNo(), header.startChecksum());
    }

    int frameSize() {
        return FrameLayout.frameSize(pageSize);
    }

    long offsetOf(long frameNo) {
        return dataOffset + (frameNo - firstFrameNo) * frameSize();
    }

    /** How many whole frames the file has room for now. */
    long wholeFrames() throws IOException {
        return Math.max(0, file.size() - dataOffset) / frameSize();
    }

    /** Whether there is no frame, or only zeros written ahead where its header would be. */
    boolean isBlank(long frameNo) throws IOException {
        ByteBuffer header = ByteBuffer.allocate(FrameLayout.HEADER);
        file.read(header, offsetOf(frameNo));
        return header.rewind().equals(ByteBuffer.allocate(FrameLayout.HEADER));
    }

    /** Reads whole frames, from the one named on; they must be there and fit into the buffer. */
    void read(ByteBuffer dst, long frameNo, int count) throws IOException {
        int bytes = count * frameSize();
        int limit = dst.limit();
        int read = file.read(dst.limit(dst.position() + bytes), offsetOf(frameNo));
        dst.limit(limit);
        if (read < bytes) {
            throw new CorruptException(String.format(
                    "%s ends at offset %d, within frame %d; it should reach to frame %d",
                    file.path(), offsetOf(frameNo) + read, frameNo + read / frameSize(), frameNo + count - 1));
        }
    }

    /** The header of a frame, by itself. */
    ByteBuffer header(long frameNo) throws IOException {
        ByteBuffer header = ByteBuffer.allocate(FrameLayout.HEADER).order(ByteOrder.LITTLE_ENDIAN);
        if (file.read(header, offsetOf(frameNo)) < FrameLayout.HEADER || FrameLayout.frameNo(header, 0) != frameNo) {
            throw new CorruptException(
                    "At offset " + offsetOf(frameNo) + " of " + file.path() + " there should be frame " + frameNo);
        }
        return header;
    }

    /** The chain's checksum at a frame of this file or the one before it, as the headers say. */
    long checksumAt(long frameNo) throws IOException {
        return frameNo == firstFrameNo - 1 ? startChecksum : FrameLayout.checksum(header(frameNo), 0);
    }
}
