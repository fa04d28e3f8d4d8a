package dev.lockstep.testing;

import dev.lockstep.log.CommitRecord;
import dev.lockstep.log.Crc64;
import dev.lockstep.log.FrameLayout;
import dev.lockstep.log.LogStart;
import dev.lockstep.log.PageChain;
import dev.lockstep.log.SealHasher;
import dev.lockstep.log.WalMark;
import dev.lockstep.pages.StateChecksum;
import dev.lockstep.sqlite.LiveDatabase;
import dev.lockstep.sqlite.SqliteConnections;
import dev.lockstep.sqlite.WalFile;
import dev.lockstep.sqlite.WalIndexHeader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;

/**
 * A source database and its history, made by hand from its WAL: the simplest capture that can be right, independent of the real
 * one. Nobody else may write to or checkpoint the database. Not thread-safe.
 */
public final class TestPrimary implements AutoCloseable {

    /** Whole transactions as a sender's message holds them: frames in log layout, little-endian, and their commit records. */
    public record Delivery(ByteBuffer frames, List<CommitRecord> commits) {}

    private final Path path;
    private final Connection connection;
    private final LiveDatabase database;
    private final WalFile wal;
    private final WalIndexHeader header = new WalIndexHeader();
    private final LogStart start;
    private final PageChain chain;
    private final SealHasher hasher = new SealHasher();
    private final int pageSize;
    private final int frameSize;

    /** Content CRC of page p at index p; the state checksum is the XOR of the mixes of those up to the size. */
    private long[] crcs = new long[64];

    private CommitRecord head;
    private int captured;

    /** Opens or creates the database; what is in it now is the history's start. */
    public TestPrimary(Path path, int pageSize, String... pragmas) throws IOException, SQLException {
        this.path = path;
        connection = DriverManager.getConnection("jdbc:sqlite:" + path);
        SqliteConnections.execute(connection, "PRAGMA page_size=" + pageSize);
        for (String pragma : pragmas) {
            SqliteConnections.execute(connection, "PRAGMA " + pragma);
        }
        SqliteConnections.execute(connection, "PRAGMA journal_mode=WAL");
        SqliteConnections.execute(connection, "PRAGMA synchronous=OFF");
        SqliteConnections.execute(connection, "PRAGMA wal_autocheckpoint=0");
        SqliteConnections.text(connection, "PRAGMA wal_checkpoint(TRUNCATE)");
        database = LiveDatabase.of(path);
        this.pageSize = pageSize;
        this.frameSize = FrameLayout.frameSize(pageSize);
        this.chain = PageChain.of(pageSize);
        this.start = scanStart();
        this.head = CommitRecord.before(start);
        this.wal = new WalFile(database);
    }

    private LogStart scanStart() throws IOException {
        int pages = (int) (database.size() / pageSize);
        byte[] page = new byte[pageSize];
        long checksum = 0;
        long frames = 0;
        for (int p = 1; p <= pages; p++) {
            if (p != FrameLayout.lockBytePage(pageSize)) {
                database.read((p - 1L) * pageSize, page, 0, pageSize);
                setCrc(p, Crc64.of(ByteBuffer.wrap(page), 0, pageSize));
                checksum = chain.next(checksum, crcs[p]);
                frames++;
            }
        }
        return new LogStart(UUID.randomUUID(), pageSize, frames, checksum, state(pages), pages);
    }

    /** The writer's connection. */
    public Connection connection() {
        return connection;
    }

    public Path path() {
        return path;
    }

    public LogStart start() {
        return start;
    }

    /** The last commit captured. */
    public CommitRecord head() {
        return head;
    }

    /** What was committed since the last call. */
    public Delivery capture() throws IOException {
        if (!database.walIndex().read(header)) {
            throw new IOException("no valid header");
        }
        int count = header.maxFrame() - captured;
        ByteBuffer frames = ByteBuffer.allocate(count * frameSize).order(ByteOrder.LITTLE_ENDIAN);
        if (count > 0) {
            wal.readFrames(captured + 1, count, pageSize, frames);
        }
        List<CommitRecord> commits = new ArrayList<>();
        int begin = 0;
        long frameNo = head.frameNo();
        long checksum = head.checksum();
        for (int at = 0; at < count * frameSize; at += frameSize) {
            int pageNo = Integer.reverseBytes(frames.getInt(at));
            int sizeAfter = Integer.reverseBytes(frames.getInt(at + 4));
            long crc = Crc64.of(frames, at + FrameLayout.HEADER, pageSize);
            setCrc(pageNo, crc);
            checksum = chain.next(checksum, crc);
            FrameLayout.putHeader(frames, at, ++frameNo, checksum, pageNo, sizeAfter);
            if (sizeAfter != 0) {
                long state = state(sizeAfter);
                hasher.begin(head.seal());
                hasher.update(frames.slice(begin, at + frameSize - begin));
                long time = System.currentTimeMillis();
                head = new CommitRecord(
                        frameNo, checksum, sizeAfter, time, state, WalMark.NONE, hasher.finish(time, state));
                commits.add(head);
                begin = at + frameSize;
            }
        }
        captured = header.maxFrame();
        return new Delivery(frames.clear(), commits);
    }

    /** Empties the WAL, all of which must have been captured. */
    public void checkpoint() throws IOException, SQLException {
        if (!database.walIndex().read(header) || header.maxFrame() != captured) {
            throw new IllegalStateException("capture() comes first");
        }
        SqliteConnections.text(connection, "PRAGMA wal_checkpoint(TRUNCATE)");
        captured = 0;
    }

    private void setCrc(int pageNo, long crc) {
        if (pageNo >= crcs.length) {
            crcs = Arrays.copyOf(crcs, Math.max(pageNo + 1, crcs.length * 2));
        }
        crcs[pageNo] = crc;
    }

    private long state(int pages) {
        long state = 0;
        for (int p = 1; p <= pages; p++) {
            if (p != FrameLayout.lockBytePage(pageSize)) {
                state ^= StateChecksum.mix(p, crcs[p]);
            }
        }
        return state;
    }

    /** All pages as they stand in the database file now, as a sender's messages of a first copy hold them. */
    public List<ByteBuffer> pages() throws IOException {
        List<ByteBuffer> messages = new ArrayList<>();
        int pages = (int) (database.size() / pageSize);
        int perMessage = Math.max(1, (256 << 10) / frameSize);
        byte[] page = new byte[pageSize];
        for (int first = 1; first <= pages; first += perMessage) {
            int count = Math.min(perMessage, pages - first + 1);
            ByteBuffer message = ByteBuffer.allocate(count * frameSize).order(ByteOrder.LITTLE_ENDIAN);
            for (int p = first; p < first + count; p++) {
                database.read((p - 1L) * pageSize, page, 0, pageSize);
                int at = (p - first) * frameSize;
                message.put(at + FrameLayout.HEADER, page);
                FrameLayout.putHeader(message, at, 0, Crc64.of(message, at + FrameLayout.HEADER, pageSize), p, 0);
            }
            messages.add(message);
        }
        return messages;
    }

    /** Empties the WAL and copies the database file. */
    public void copyTo(Path target) throws IOException, SQLException {
        checkpoint();
        Sqlite3.copy(path, target);
    }

    @Override
    public void close() throws IOException, SQLException {
        wal.close();
        connection.close();
    }
}
