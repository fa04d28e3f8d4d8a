package dev.lockstep.apply;

import dev.lockstep.CorruptException;
import dev.lockstep.io.ExclusiveFile;
import dev.lockstep.io.Mapping;
import dev.lockstep.log.CommitRecord;
import dev.lockstep.log.Crc64;
import dev.lockstep.log.Seal;
import dev.lockstep.log.WalMark;
import java.io.Closeable;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel.MapMode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The file {@code <copy>-lockstep} beside a replica's database: which history it follows, and where in that history it is.
 *
 * <pre>
 *    0  slot 0      512  slot 1      4096  1024 commits
 *
 * slot, 176 bytes, little-endian                        commit, 96 bytes, little-endian
 *   0 8 B "LSREPL1\0"                                     0 u64 frame_no of its last frame
 *   8 u64 sequence, counted from 1                        8 u64 chain checksum at that frame
 *  16 u64 x 2 log_id, most significant half first        16 u64 wall-clock time, ms
 *  32 u64 x 2 replica_id                                 24 u64 state checksum
 *  48 u32 page size                                      32 32 B seal
 *  52 u32 0 = the copy has its name, 1 = it is           64 u32 database size in pages
 *         complete under its temporary name,             68 u32 frame in the replica's own WAL, 0 = none
 *         2 = the same, and may replace a database       72 8 B salts of that WAL
 *  56 u64 file size, 64 u64 time of last change, ns:     80 8 B running checksum of that WAL at that frame
 *         the database file's stamp when base was        88 u64 CRC-64 of bytes 0-87
 *         all that was in it; 0 = not known
 *  72 base, a commit
 * 168 u64 CRC-64 of bytes 0-167
 * </pre>
 *
 * <ol>
 *   <li>A slot is valid when its magic and CRC fit; of two valid ones that with the higher sequence counts.
 *   <li>A commit is valid when its CRC fits.
 *   <li>The base is durable in the database file. It changes only after that is so, and is forced to disk before anything
 *       relies on it.
 *   <li>Commit n of the replica's life stands in place n mod 1024. It is stored before its frames are written to the WAL, so
 *       whatever of them a crash leaves visible is found here; it is not forced, as readers do not outlive a loss of power.
 * </ol>
 *
 * The CRCs find torn and stale bytes. They do not resist an attacker, who could as well change the database.
 *
 * <p>The file is locked against a second Lockstep process while it is open. Not thread-safe.
 */
final class ReplicaRecord implements Closeable {

    /** Commits that the ring holds. More at once would overwrite each other. */
    static final int RING = 1024;

    private static final long MAGIC = ByteBuffer.wrap("LSREPL1\0".getBytes(StandardCharsets.US_ASCII))
            .order(ByteOrder.LITTLE_ENDIAN)
            .getLong();
    private static final int SLOT_DISTANCE = 512;
    private static final int COMMITS = 4096;
    private static final int COMMIT = 96;
    private static final int COMMIT_CRC = COMMIT - 8;
    private static final int BASE = 72;
    private static final int SLOT_CRC = BASE + COMMIT;
    private static final int NAMED = 0;
    private static final int TO_BE_NAMED = 1;
    private static final int TO_REPLACE = 2;
    private static final int SIZE = COMMITS + RING * COMMIT;

    private final Closeable file;
    private final MappedByteBuffer bytes;

    private UUID logId = new UUID(0, 0);
    private UUID replicaId = new UUID(0, 0);
    private int pageSize;

    /** One of the constants above: what word 52 of a slot says. */
    private int naming;

    private FileStamp stamp = FileStamp.NONE;
    private CommitRecord base = new CommitRecord(-1, 0, 0, 0, 0, WalMark.NONE, Seal.of(new byte[Seal.LENGTH]));
    private long sequence;

    /** Where in the ring the next commit goes. */
    private int next;

    private boolean addedSinceForced;

    private ReplicaRecord(Closeable file, RandomAccessFile bytesOf, MapMode mode) throws IOException {
        this.file = file;
        boolean mapped = false;
        try {
            if (mode == MapMode.READ_WRITE) {
                Mapping.extend(bytesOf, SIZE); // else a full disk would show at a store
            }
            bytes = bytesOf.getChannel().map(mode, 0, SIZE);
            bytes.order(ByteOrder.LITTLE_ENDIAN);
            mapped = true;
        } finally {
            if (!mapped) {
                file.close();
            }
        }
    }

    private static ReplicaRecord openExclusively(Path path) throws IOException {
        ExclusiveFile file = ExclusiveFile.open(path, "follows a primary with this replica; end that one first");
        return new ReplicaRecord(file, file.file(), MapMode.READ_WRITE);
    }

    /**
     * Opens the record at {@code path} to look at it, while another process may be changing it: without its lock. Not for
     * the process that follows with it, because closing this one would drop its lock.
     *
     * @throws CorruptException if neither slot is valid
     */
    static ReplicaRecord openToLook(Path path) throws IOException {
        RandomAccessFile file = new RandomAccessFile(path.toFile(), "r");
        if (file.length() < SIZE) {
            file.close();
            throw unusable(path);
        }
        return new ReplicaRecord(file, file, MapMode.READ_ONLY).read(path);
    }

    /**
     * Opens the record at {@code path}.
     *
     * @throws CorruptException if neither slot is valid
     * @throws dev.lockstep.UnavailableException if somebody else has it open
     */
    static ReplicaRecord open(Path path) throws IOException {
        if (Files.size(path) < SIZE) { // mapping would make it longer, and it may be no record at all
            throw unusable(path);
        }
        return openExclusively(path).read(path);
    }

    private ReplicaRecord read(Path path) throws IOException {
        if (!readSlots()) {
            close();
            throw unusable(path);
        }
        next = placeOfNewest() + 1;
        return this;
    }

    private static CorruptException unusable(Path path) {
        return new CorruptException(
                path + " is damaged: neither of its slots has a valid checksum, so the replica's position is"
                        + " lost; copy the database anew with --force");
    }

    /** Makes the record of a copy that is complete under its temporary name, in place of any former record, and forces it. */
    static ReplicaRecord create(
            Path path, UUID logId, int pageSize, CommitRecord base, FileStamp stamp, boolean mayReplace)
            throws IOException {
        ReplicaRecord record = openExclusively(path);
        record.readSlots(); // for the sequence, so that the new slot wins
        record.logId = logId;
        record.replicaId = UUID.randomUUID();
        record.pageSize = pageSize;
        record.naming = mayReplace ? TO_REPLACE : TO_BE_NAMED;
        record.base = base;
        record.stamp = stamp;
        record.forgetAfter(Long.MIN_VALUE);
        record.writeSlot();
        return record;
    }

    UUID logId() {
        return logId;
    }

    /** Stays the same for the life of this replica. */
    UUID replicaId() {
        return replicaId;
    }

    int pageSize() {
        return pageSize;
    }

    /** Whether the copy is complete, but may still have its temporary name. */
    boolean renamePending() {
        return naming != NAMED;
    }

    /** Whether the copy may take its name from a database that has it. */
    boolean mayReplace() {
        return naming == TO_REPLACE;
    }

    void renamed() {
        naming = NAMED;
        writeSlot();
    }

    /** The newest commit that is known to be durable in the database file. */
    CommitRecord base() {
        return base;
    }

    /** The database file's stamp when all of {@link #base} and nothing else was in it, or {@link FileStamp#NONE}. */
    FileStamp stamp() {
        return stamp;
    }

    /** Moves the base, durably when this returns. */
    void moveBase(CommitRecord newBase, FileStamp newStamp) {
        base = newBase;
        stamp = newStamp;
        writeSlot();
    }

    /** Notes a commit that is about to be written; its WAL mark is its place in the replica's WAL. Not forced. */
    void add(CommitRecord commit) {
        encode(commit, COMMITS + next % RING * COMMIT);
        next = (next + 1) % RING;
        addedSinceForced = true;
    }

    /** Makes the commits noted durable, so that after a loss of power they tell where the replica is. */
    void force() {
        if (addedSinceForced) {
            bytes.force();
            addedSinceForced = false;
        }
    }

    /** The newest commit noted, which readers may have seen; the base if there is none newer. */
    CommitRecord newest() {
        int place = placeOfNewest();
        @Nullable CommitRecord newest = place < 0 ? null : decode(COMMITS + place * COMMIT);
        return newest != null && newest.frameNo() > base.frameNo() ? newest : base;
    }

    /** The newest of the base and the noted commits that {@code wanted} accepts. */
    @Nullable
    CommitRecord find(Predicate<CommitRecord> wanted) {
        CommitRecord found = wanted.test(base) ? base : null;
        for (int place = 0; place < RING; place++) {
            CommitRecord commit = decode(COMMITS + place * COMMIT);
            if (commit != null && (found == null || commit.frameNo() > found.frameNo()) && wanted.test(commit)) {
                found = commit;
            }
        }
        return found;
    }

    /** Forgets the commits noted after {@code frameNo}, because they did not come to be. */
    void forgetAfter(long frameNo) {
        for (int place = 0; place < RING; place++) {
            CommitRecord commit = decode(COMMITS + place * COMMIT);
            if (commit != null && commit.frameNo() > frameNo) {
                bytes.putLong(COMMITS + place * COMMIT + COMMIT_CRC, ~crc(COMMITS + place * COMMIT, COMMIT_CRC));
            }
        }
        next = (placeOfNewest() + 1) % RING;
    }

    private int placeOfNewest() {
        int newest = -1;
        long frameNo = Long.MIN_VALUE;
        for (int place = 0; place < RING; place++) {
            CommitRecord commit = decode(COMMITS + place * COMMIT);
            if (commit != null && commit.frameNo() > frameNo) {
                newest = place;
                frameNo = commit.frameNo();
            }
        }
        return newest;
    }

    private boolean readSlots() {
        boolean found = false;
        for (int slot = 0; slot < 2 * SLOT_DISTANCE; slot += SLOT_DISTANCE) {
            CommitRecord slotBase = decode(slot + BASE);
            if (bytes.getLong(slot) == MAGIC
                    && bytes.getLong(slot + SLOT_CRC) == crc(slot, SLOT_CRC)
                    && slotBase != null
                    && bytes.getLong(slot + 8) > sequence) {
                sequence = bytes.getLong(slot + 8);
                logId = new UUID(bytes.getLong(slot + 16), bytes.getLong(slot + 24));
                replicaId = new UUID(bytes.getLong(slot + 32), bytes.getLong(slot + 40));
                pageSize = bytes.getInt(slot + 48);
                naming = bytes.getInt(slot + 52);
                stamp = new FileStamp(bytes.getLong(slot + 56), bytes.getLong(slot + 64));
                base = slotBase;
                found = true;
            }
        }
        return found;
    }

    private void writeSlot() {
        sequence++;
        int slot = (int) (sequence & 1) * SLOT_DISTANCE;
        bytes.putLong(slot, MAGIC)
                .putLong(slot + 8, sequence)
                .putLong(slot + 16, logId.getMostSignificantBits())
                .putLong(slot + 24, logId.getLeastSignificantBits())
                .putLong(slot + 32, replicaId.getMostSignificantBits())
                .putLong(slot + 40, replicaId.getLeastSignificantBits())
                .putInt(slot + 48, pageSize)
                .putInt(slot + 52, naming)
                .putLong(slot + 56, stamp.size())
                .putLong(slot + 64, stamp.modifiedNanos());
        encode(base, slot + BASE);
        bytes.putLong(slot + SLOT_CRC, crc(slot, SLOT_CRC));
        bytes.force();
        addedSinceForced = false;
    }

    private void encode(CommitRecord commit, int at) {
        bytes.putLong(at, commit.frameNo())
                .putLong(at + 8, commit.checksum())
                .putLong(at + 16, commit.timeMillis())
                .putLong(at + 24, commit.stateChecksum())
                .putInt(at + 64, commit.sizeAfter())
                .putInt(at + 68, commit.wal().frame())
                .putLong(at + 72, commit.wal().salts())
                .putLong(at + 80, commit.wal().checksum());
        commit.seal().put(bytes, at + 32);
        bytes.putLong(at + COMMIT_CRC, crc(at, COMMIT_CRC));
    }

    /** The commit at an offset, or null if none is valid there. */
    private @Nullable CommitRecord decode(int at) {
        long frameNo = bytes.getLong(at);
        if (frameNo < -1 || bytes.getLong(at + COMMIT_CRC) != crc(at, COMMIT_CRC)) {
            return null;
        }
        return new CommitRecord(
                frameNo,
                bytes.getLong(at + 8),
                bytes.getInt(at + 64),
                bytes.getLong(at + 16),
                bytes.getLong(at + 24),
                new WalMark(bytes.getLong(at + 72), bytes.getInt(at + 68), bytes.getLong(at + 80)),
                Seal.get(bytes, at + 32));
    }

    private long crc(int offset, int length) {
        return Crc64.of(bytes, offset, length);
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
