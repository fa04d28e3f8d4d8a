package dev.lockstep.apply;

import dev.lockstep.log.Crc64;
import dev.lockstep.log.FrameLayout;
import dev.lockstep.pages.PageChanges;
import dev.lockstep.pages.StateChecksum;
import dev.lockstep.sqlite.LiveDatabase;
import dev.lockstep.sqlite.WalAppender;
import dev.lockstep.sqlite.WalFile;
import dev.lockstep.sqlite.WalFormat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The state checksum of a database from its bytes alone: the pages of its file, those in its WAL over them, and over both, those
 * that are to be appended. Good only while SQLite's write lock is held. Not thread-safe.
 *
 * <p>A checkpoint by another program may go on meanwhile: it moves into the file what is read from the WAL here anyway.
 */
final class VisibleState {

    private static final int CHUNK = 1 << 20;

    private final LiveDatabase database;
    private final int pageSize;
    private final int pages;

    /** The content CRCs of pages whose newest version does not stand in the database file. */
    private final PageChanges newer = new PageChanges();

    /** Reads the WAL of a database of which {@code appender} holds the write lock. */
    VisibleState(LiveDatabase database, WalAppender appender) throws IOException {
        this.database = database;
        this.pageSize = appender.pageSize();
        this.pages = appender.pages() > 0 ? appender.pages() : Math.toIntExact(database.size() / pageSize);
        addWal(appender.place().frame());
    }

    private void addWal(int frames) throws IOException {
        int frameSize = WalFormat.FRAME_HEADER_SIZE + pageSize;
        ByteBuffer buffer = ByteBuffer.allocate(Math.max(1, CHUNK / frameSize) * frameSize);
        try (WalFile wal = new WalFile(database)) {
            int count;
            for (int frame = 1; frame <= frames; frame += count) {
                count = Math.min(frames - frame + 1, buffer.capacity() / frameSize);
                wal.readFrames(frame, count, pageSize, buffer);
                buffer.order(ByteOrder.BIG_ENDIAN);
                for (int at = 0; at < buffer.limit(); at += frameSize) {
                    put(buffer.getInt(at), buffer, at + WalFormat.FRAME_HEADER_SIZE);
                }
            }
        }
    }

    /** Lays frames of a log over what is there, from position 0 to the limit. */
    void add(ByteBuffer frames) {
        int frameSize = FrameLayout.frameSize(pageSize);
        for (int at = 0; at < frames.limit(); at += frameSize) {
            put(FrameLayout.pageNo(frames, at), frames, at + FrameLayout.HEADER);
        }
    }

    private void put(int pageNo, ByteBuffer buffer, int page) {
        newer.put(pageNo, Crc64.of(buffer, page, pageSize), 0);
    }

    /** The database's size in pages without what was added. */
    int pages() {
        return pages;
    }

    /** The state checksum of the first {@code size} pages. */
    long checksum(int size) throws IOException {
        return StateChecksum.of(database::read, pageSize, size, newer);
    }
}
