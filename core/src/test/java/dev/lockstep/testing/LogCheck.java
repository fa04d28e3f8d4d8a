package dev.lockstep.testing;

import dev.lockstep.log.CommitRecord;
import dev.lockstep.log.Crc64;
import dev.lockstep.log.FrameLayout;
import dev.lockstep.log.FrameLog;
import dev.lockstep.log.LogReader;
import dev.lockstep.pages.StateChecksum;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Executes a whole log on an image of the database it began with, and compares: every commit's state checksum on the way, every page of
 * the database at the end. Not thread-safe.
 */
public final class LogCheck {

    private static final int CHUNK = 4 << 20;

    private final int pageSize;
    private byte[] image;
    private int pages;

    /** Content CRC of page p at index p; the state checksum is the XOR of the mixes of those up to {@link #pages}. */
    private long[] crcs = new long[64];

    private long state;

    /** Up to which transaction the log was executed. */
    private @Nullable CommitRecord head;

    /** @param base the database file as it was when the log began */
    public LogCheck(Path base, int pageSize) throws IOException {
        this.pageSize = pageSize;
        this.image = Files.readAllBytes(base);
        this.pages = image.length / pageSize;
        for (int pageNo = 1; pageNo <= pages; pageNo++) {
            put(pageNo, ByteBuffer.wrap(image), (pageNo - 1) * pageSize);
        }
    }

    /**
     * Executes what the log has since the last call, or since its start, which must be the base; fails where a commit's state is not what
     * its record says.
     */
    public void execute(FrameLog log) throws IOException {
        CommitRecord from = head == null ? CommitRecord.before(log.start()) : head;
        if (from.stateChecksum() != state || !from.equals(log.commitAt(from.frameNo()))) {
            throw new AssertionError("expected a log that goes on from " + from + ", found one from " + log.start()
                    + " to " + log.head());
        }
        ByteBuffer frames = ByteBuffer.allocate(Math.max(CHUNK, FrameLayout.frameSize(pageSize)))
                .order(ByteOrder.LITTLE_ENDIAN);
        List<CommitRecord> commits = new ArrayList<>();
        try (LogReader reader = log.reader(from.frameNo())) {
            while (reader.read(frames.clear(), commits, log.head().frameNo()) > 0) {
                frames.flip();
                execute(frames, commits);
                commits.clear();
            }
        }
    }

    private void execute(ByteBuffer frames, List<CommitRecord> commits) {
        int next = 0;
        for (int at = frames.position(); at < frames.limit(); at += FrameLayout.frameSize(pageSize)) {
            put(FrameLayout.pageNo(frames, at), frames, at + FrameLayout.HEADER);
            int size = FrameLayout.sizeAfter(frames, at);
            if (size != 0) {
                resize(size);
                CommitRecord commit = commits.get(next++);
                if (commit.stateChecksum() != state || commit.sizeAfter() != size) {
                    throw new AssertionError("executing the log leads to " + size + " pages with state checksum "
                            + Long.toHexString(state) + " where it says " + commit);
                }
                head = commit;
            }
        }
    }

    private void put(int pageNo, ByteBuffer buffer, int offset) {
        image = image.length >= pageNo * pageSize ? image : Arrays.copyOf(image, 2 * pageNo * pageSize);
        crcs = crcs.length > pageNo ? crcs : Arrays.copyOf(crcs, 2 * pageNo);
        long crc = Crc64.of(buffer, offset, pageSize);
        if (crcs[pageNo] != 0) {
            state ^= StateChecksum.mix(pageNo, crcs[pageNo]);
        }
        state ^= StateChecksum.mix(pageNo, crc);
        crcs[pageNo] = crc;
        buffer.get(offset, image, (pageNo - 1) * pageSize, pageSize);
    }

    /** Pages past the end are gone, and what comes back unwritten is zero. */
    private void resize(int size) {
        for (int pageNo = size + 1; pageNo < crcs.length; pageNo++) {
            if (crcs[pageNo] != 0) {
                state ^= StateChecksum.mix(pageNo, crcs[pageNo]);
                crcs[pageNo] = 0;
            }
        }
        for (int pageNo = pages + 1; pageNo <= size; pageNo++) {
            if (crcs[pageNo] == 0) {
                put(pageNo, ByteBuffer.allocate(pageSize), 0);
            }
        }
        pages = size;
    }

    /** Fails at the first page of the database, which nobody may be using, that is not as the log says. */
    public void assertIs(Path database) throws IOException {
        Path copy = Files.createTempFile("lockstep-test-", ".db");
        try {
            String checkpointed = Sqlite3.run(database, "PRAGMA wal_checkpoint(TRUNCATE);");
            if (!checkpointed.equals("0|0|0")) {
                throw new AssertionError(database + " is in use: " + checkpointed);
            }
            Sqlite3.copy(database, copy);
            byte[] expected = Files.readAllBytes(copy);
            int difference = Arrays.mismatch(image, 0, pages * pageSize, expected, 0, expected.length);
            if (difference >= 0) {
                throw new AssertionError("the log's head has " + pages + " pages and differs from " + database + " ("
                        + expected.length / pageSize + " pages) in page " + (difference / pageSize + 1) + ", offset "
                        + difference % pageSize);
            }
        } finally {
            Files.delete(copy);
        }
    }
}
