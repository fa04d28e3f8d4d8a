package dev.lockstep.server.libsql;

import dev.lockstep.log.CommitRecord;
import dev.lockstep.log.Crc64;
import dev.lockstep.log.FrameLayout;
import dev.lockstep.log.FrameLog;
import dev.lockstep.stream.PageSource;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** The pages that a received history starts from: those of a snapshot, or none. They are those of the start exactly. Not thread-safe. */
final class ReceivedPages implements PageSource {

    private static final int PAGE_SIZE = LibsqlHistory.PAGE_SIZE;

    private final @Nullable RandomAccessFile file;
    private final FrameLog log;
    private final FrameLog.Hold hold;
    private final CommitRecord start;
    private final byte[] page = new byte[PAGE_SIZE];
    private int nextPage = 1;

    /**
     * @param snapshot has the pages, if the start has any
     * @param hold keeps the log after the start; let go when this is closed
     */
    ReceivedPages(CommitRecord start, Path snapshot, FrameLog log, FrameLog.Hold hold) throws IOException {
        this.start = start;
        this.log = log;
        this.hold = hold;
        this.file = start.sizeAfter() == 0 ? null : new RandomAccessFile(snapshot.toFile(), "r");
    }

    @Override
    public CommitRecord start() {
        return start;
    }

    @Override
    public int pages() {
        return start.sizeAfter();
    }

    @Override
    public int read(ByteBuffer dst) throws IOException {
        int entries = 0;
        while (file != null && nextPage <= pages() && dst.remaining() >= LibsqlHistory.FRAME_SIZE) {
            if (nextPage != FrameLayout.lockBytePage(PAGE_SIZE)) {
                file.seek((nextPage - 1L) * PAGE_SIZE);
                file.readFully(page);
                int at = dst.position();
                dst.position(at + FrameLayout.HEADER).put(page);
                long crc = Crc64.of(dst, at + FrameLayout.HEADER, PAGE_SIZE);
                FrameLayout.putHeader(dst, at, start.frameNo(), crc, nextPage, 0);
                entries++;
            }
            nextPage++;
        }
        return entries;
    }

    /** Of a history without a start, the first transactions are the copy. */
    @Override
    public long consistentAt() {
        return pages() == 0 ? log.durable().frameNo() : start.frameNo();
    }

    @Override
    public void close() throws IOException {
        hold.close();
        if (file != null) {
            file.close();
        }
    }
}
