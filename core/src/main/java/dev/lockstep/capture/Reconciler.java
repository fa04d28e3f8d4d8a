package dev.lockstep.capture;

import dev.lockstep.log.CommitRecord;
import dev.lockstep.log.FrameLayout;
import dev.lockstep.log.FrameLog;
import dev.lockstep.log.LogStart;
import dev.lockstep.log.PageChain;
import dev.lockstep.log.WalMark;
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

    /** Fills an empty index with the database, as if frames 0 to n - 1 had written its pages in their order. */
    static PinnedDatabase fill(PageIndex index, LiveScan scan, int pageSize) throws IOException {
        int lockBytePage = FrameLayout.lockBytePage(pageSize);
        PinnedDatabase state = scan.scan((pageNo, contentCrc, bytes, offset) -> {
            if (pageNo != lockBytePage) {
                index.set(pageNo, frames(pageNo, lockBytePage) - 1, contentCrc);
            }
        });
        index.commit(frames(state.pages(), lockBytePage) - 1, state.pages());
        return state;
    }

    private static long frames(int pages, int lockBytePage) {
        return pages < lockBytePage ? pages : pages - 1;
    }

    /** The start of a new history: the pages that {@link #fill} found count as frames that were compacted away. */
    static LogStart begin(PageIndex index, int pageSize, UUID logId) {
        PageChain chain = PageChain.of(pageSize);
        int lockBytePage = FrameLayout.lockBytePage(pageSize);
        long checksum = 0;
        for (int pageNo = 1; pageNo <= index.pages(); pageNo++) {
            if (pageNo != lockBytePage) {
                checksum = chain.next(checksum, index.contentCrc(pageNo));
            }
        }
        return new LogStart(
                logId, pageSize, frames(index.pages(), lockBytePage), checksum, index.state(), index.pages());
    }

    /**
     * Makes a lost page index anew. The frames that last wrote the pages are not known any more, so the head stands for all of them:
     * a difference will later send too many pages, never too few.
     *
     * @return an index of the database as it is, or an empty one if the database is not at the head of the log
     */
    static PageIndex recover(LiveScan scan, FrameLog log, Path file) throws IOException {
        CommitRecord head = log.head();
        int pageSize = log.start().pageSize();
        PageIndex index = PageIndex.create(file, log.start().logId(), pageSize);
        int lockBytePage = FrameLayout.lockBytePage(pageSize);
        PinnedDatabase state = scan.scan((pageNo, contentCrc, bytes, offset) -> {
            if (pageNo != lockBytePage) {
                index.set(pageNo, head.frameNo(), contentCrc);
            }
        });
        index.commit(head.frameNo(), state.pages());
        if (index.state() == head.stateChecksum()) {
            return index;
        }
        index.close();
        return PageIndex.create(file, log.start().logId(), pageSize);
    }

    /**
     * What was appended.
     *
     * @param pages how many; those that changed while they were compared are in it more than once, the last time as they are at the end
     * @param end where the state that the log now ends with stands in the WAL
     */
    record Appended(int pages, WalMark end) {}

    /**
     * Appends the pages in which the database differs from the index, as one transaction.
     *
     * @param index of the log's head
     * @param next a new one, which is at the log's head afterwards if anything was appended; the transcriber writes to it
     */
    static Appended appendDifference(
            LiveScan scan, int pageSize, PageIndex index, PageIndex next, Transcriber transcriber) throws IOException {
        Difference difference = new Difference(pageSize, transcriber);
        int lockBytePage = FrameLayout.lockBytePage(pageSize);
        PinnedDatabase state = scan.scan((pageNo, contentCrc, bytes, offset) -> {
            PageIndex seen = next.contains(pageNo) ? next : index;
            boolean same = seen.contains(pageNo) && seen.contentCrc(pageNo) == contentCrc;
            boolean again = pageNo == difference.lastPageNo; // which the index does not know yet
            if (same && !again) {
                next.set(pageNo, seen.frameNo(pageNo), contentCrc);
            } else if (pageNo != lockBytePage) {
                difference.add(pageNo, bytes, offset);
            }
        });
        if (difference.count == 0 && state.pages() != index.pages()) {
            byte[] firstPage = new byte[pageSize];
            state.read(0, firstPage, 0, pageSize);
            difference.add(1, firstPage, 0);
        }
        difference.finish(state);
        return new Appended(difference.count, state.mark());
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
