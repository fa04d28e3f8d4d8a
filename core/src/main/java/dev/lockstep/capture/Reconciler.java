package dev.lockstep.capture;

import dev.lockstep.log.CommitRecord;
import dev.lockstep.log.FrameLayout;
import dev.lockstep.log.FrameLog;
import dev.lockstep.log.LogStart;
import dev.lockstep.log.PageChain;
import dev.lockstep.pages.FileScan;
import dev.lockstep.pages.PageIndex;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.UUID;

/**
 * Brings the log to the state of a database whose changes were not followed: a new history begins with its pages, and an old one
 * goes on with the pages that differ from its head, as one transaction (G8).
 */
final class Reconciler {

    /** Differing pages are appended in chunks of about this many bytes. */
    private static final int CHUNK = 1 << 20;

    private Reconciler() {}

    /** The start of a new history: the pages there are count as frames 0 to n - 1 that were compacted away. */
    static LogStart begin(PinnedDatabase database, int pageSize, PageIndex index, UUID logId) throws IOException {
        PageChain chain = PageChain.of(pageSize);
        int lockBytePage = FrameLayout.lockBytePage(pageSize);
        var counter = new Object() {
            long frameNo = -1;
            long checksum = 0;
        };
        FileScan.scan(database, pageSize, database.pages(), (pageNo, contentCrc, bytes, offset) -> {
            if (pageNo != lockBytePage) {
                counter.frameNo++;
                counter.checksum = chain.next(counter.checksum, contentCrc);
                index.set(pageNo, counter.frameNo, contentCrc);
            }
        });
        index.commit(counter.frameNo, database.pages());
        return new LogStart(logId, pageSize, counter.frameNo + 1, counter.checksum, index.state(), database.pages());
    }

    /**
     * Makes a lost page index anew. The frames that last wrote the pages are not known any more, so the head stands for all of them:
     * a difference will later send too many pages, never too few.
     *
     * @return an index of the database as it is, or an empty one if the database is not at the head of the log
     */
    static PageIndex recover(PinnedDatabase database, FrameLog log, Path file) throws IOException {
        CommitRecord head = log.head();
        int pageSize = log.start().pageSize();
        PageIndex index = PageIndex.create(file, log.start().logId(), pageSize);
        int lockBytePage = FrameLayout.lockBytePage(pageSize);
        FileScan.scan(database, pageSize, database.pages(), (pageNo, contentCrc, bytes, offset) -> {
            if (pageNo != lockBytePage) {
                index.set(pageNo, head.frameNo(), contentCrc);
            }
        });
        index.commit(head.frameNo(), database.pages());
        if (index.state() == head.stateChecksum()) {
            return index;
        }
        index.close();
        return PageIndex.create(file, log.start().logId(), pageSize);
    }

    /**
     * Appends the pages in which the database differs from the index.
     *
     * @return how many those were
     */
    static int appendDifference(PinnedDatabase database, int pageSize, PageIndex index, Transcriber transcriber)
            throws IOException {
        Difference difference = new Difference(pageSize, transcriber);
        int lockBytePage = FrameLayout.lockBytePage(pageSize);
        int pagesBefore = index.pages();
        FileScan.scan(database, pageSize, database.pages(), (pageNo, contentCrc, bytes, offset) -> {
            boolean same = index.contains(pageNo) && index.contentCrc(pageNo) == contentCrc;
            if (!same && pageNo != lockBytePage) {
                difference.add(pageNo, bytes, offset);
            }
        });
        if (difference.count == 0 && database.pages() != pagesBefore) {
            byte[] firstPage = new byte[pageSize];
            database.read(0, firstPage, 0, pageSize);
            difference.add(1, firstPage, 0);
        }
        difference.finish(database);
        return difference.count;
    }

    /** Collects pages; the last one is kept back, because only at the end is it known to be the commit frame. */
    private static final class Difference {

        private final int pageSize;
        private final int frameSize;
        private final Transcriber transcriber;
        private final ByteBuffer frames;
        private int lastPageNo;
        private int count;

        Difference(int pageSize, Transcriber transcriber) {
            this.pageSize = pageSize;
            this.frameSize = FrameLayout.frameSize(pageSize);
            this.transcriber = transcriber;
            this.frames = ByteBuffer.allocateDirect(Math.max(2, CHUNK / frameSize) * frameSize)
                    .order(ByteOrder.LITTLE_ENDIAN);
        }

        void add(int pageNo, byte[] bytes, int offset) throws IOException {
            if (count > 0) {
                transcriber.putFrame(frames, frames.position() - frameSize, lastPageNo, 0);
            }
            if (!frames.hasRemaining()) {
                transcriber.append(frames.flip());
                frames.clear();
            }
            frames.position(frames.position() + FrameLayout.HEADER).put(bytes, offset, pageSize);
            lastPageNo = pageNo;
            count++;
        }

        void finish(PinnedDatabase database) throws IOException {
            if (count > 0) {
                transcriber.stamp();
                transcriber.putFrame(frames, frames.position() - frameSize, lastPageNo, database.pages());
                transcriber.commit(frames.position(), database.pages(), database.mark());
                transcriber.append(frames.flip());
            }
        }
    }
}
