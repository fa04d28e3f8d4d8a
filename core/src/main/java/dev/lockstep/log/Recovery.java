package dev.lockstep.log;

import dev.lockstep.CorruptException;
import dev.lockstep.io.Storage;
import dev.lockstep.io.StoredFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds the segments of a log and brings the newest one back to its last whole transaction.
 *
 * <p><b>A torn tail is not corruption.</b> After a crash of the process or the machine, what was written since the last sync may be
 * there wholly, partly or not at all, in any order. After a sync it must be there. So all turns on one number, the
 * <em>synced</em> frame: the highest one that was known to be durable. Every commit record tells what was known when it was
 * written, and after each sync the mark in the commit index tells it ({@link CommitCodec}). The highest such number in the mark or
 * any intact record is taken, wherever the record stands: it was true when it was written, and remains true.
 *
 * <ul>
 *   <li>Up to the synced frame every commit record must be intact and the frame file must be long enough; else this is
 *       corruption, reported with file and offset, and nothing is changed. (The frames themselves are not read here, a log may
 *       be large: readers check each frame that they hand out, and {@link LogVerifier} checks them all.)
 *   <li>Beyond it, transactions are taken as long as their record is intact, their frames continue the chain and their seal is
 *       right. The first that fails that is where the tail was torn. From there on everything is cut off, and what
 *       remains is made durable.
 * </ul>
 *
 * What cannot be told apart: damage to bytes that were synced, when a crash of the machine (not only of the process) also took
 * the mark and nothing was written after that sync. It counts as a torn tail. The transactions were possibly sent to replicas
 * then; those notice, because the seals of what takes their place differ.
 */
final class Recovery {

    private static final Logger log = LoggerFactory.getLogger(Recovery.class);

    /** The sizes of the files of a segment that has not got its first transaction. */
    private static final int EMPTY_FRAMES = SegmentHeader.LENGTH;

    private static final int EMPTY_COMMITS = 2 * CommitCodec.LENGTH;

    private final Storage storage;

    private Recovery(Storage storage) {
        this.storage = storage;
    }

    /** Whether there is a log: at least one segment whose creation was finished. */
    static boolean exists(Storage storage) throws IOException {
        return !new Recovery(storage).finishedSegments(storage.list()).isEmpty();
    }

    /** All segments in order, contiguous and checked as far as said above; the last one may be closed or open. */
    static List<Segment> recover(Storage storage) throws IOException {
        Recovery recovery = new Recovery(storage);
        List<String> names = storage.list();
        List<Long> starts = recovery.finishedSegments(names);
        recovery.deleteLeftovers(names, starts);
        List<Segment> segments = new ArrayList<>();
        for (int i = 0; i < starts.size(); i++) {
            boolean newest = i == starts.size() - 1;
            Segment segment = recovery.segment(starts.get(i), newest);
            if (i > 0) {
                checkContinues(storage, segments.get(i - 1), segment);
            }
            segments.add(segment);
        }
        return segments;
    }

    /** The first frames of the segments, ascending, without a newest one that crashed before it was finished. */
    private List<Long> finishedSegments(List<String> names) throws IOException {
        TreeSet<Long> starts = new TreeSet<>();
        long newest = -1;
        for (String name : names) {
            if (Segment.isFramesName(name)) {
                starts.add(Segment.startFrameNo(name));
            }
            if (Segment.isFramesName(name) || Segment.isCommitsName(name)) {
                newest = Math.max(newest, Segment.startFrameNo(name));
            }
        }
        if (newest >= 0 && isUnfinished(names, newest)) {
            starts.remove(newest);
        } else if (newest >= 0) {
            starts.add(newest);
        }
        return List.copyOf(starts);
    }

    /**
     * Whether the creation of the newest segment was cut off: its files never held a transaction and are not even right for an
     * empty segment. Nothing is lost with it. Once there is more in its files, something wrong in it is corruption, because
     * an empty segment is synced before the first transaction is written.
     */
    private boolean isUnfinished(List<String> names, long start) throws IOException {
        boolean hasFrames = names.contains(Segment.framesName(start));
        boolean hasCommits = names.contains(Segment.commitsName(start));
        if ((hasFrames && size(Segment.framesName(start)) > EMPTY_FRAMES)
                || (hasCommits && size(Segment.commitsName(start)) > EMPTY_COMMITS)) {
            return false;
        }
        return !hasFrames || !hasCommits || !isReadable(start);
    }

    private boolean isReadable(long start) throws IOException {
        try (SegmentReader reader = SegmentReader.open(storage, start)) {
            return reader.base().frameNo() == start - 1;
        } catch (CorruptException e) {
            return false;
        }
    }

    private long size(String name) throws IOException {
        try (StoredFile file = storage.openForReading(name)) {
            return file.size();
        }
    }

    /** Files of a creation or a deletion that was cut off. A segment is deleted frames first. */
    private void deleteLeftovers(List<String> names, List<Long> starts) throws IOException {
        for (String name : names) {
            boolean ours = Segment.isFramesName(name) || Segment.isCommitsName(name);
            if (ours && !starts.contains(Segment.startFrameNo(name))) {
                log.info("Deleting {}, left by a crash while its segment was created or deleted", storage.path(name));
                storage.delete(name);
            }
        }
    }

    private static void checkContinues(Storage storage, Segment before, Segment segment) throws IOException {
        if (!before.last().equals(segment.base)) {
            throw new CorruptException(String.format(
                    "%s does not continue the segment before it, which ends at frame %d with checksum %016x and seal %s;"
                            + " it starts after frame %d with checksum %016x and seal %s",
                    storage.path(Segment.framesName(segment.startFrameNo())),
                    before.last().frameNo(),
                    before.last().checksum(),
                    before.last().seal(),
                    segment.base.frameNo(),
                    segment.base.checksum(),
                    segment.base.seal()));
        }
    }

    private Segment segment(long start, boolean newest) throws IOException {
        try (SegmentReader reader = openReader(start)) {
            if (reader.header().frameCount() > 0) {
                return closed(reader);
            }
            if (!newest) {
                throw new CorruptException(reader.framesFile().path()
                        + " has no frame count in its header, as if it were open, but there is a newer segment");
            }
            return open(reader);
        }
    }

    private SegmentReader openReader(long start) throws IOException {
        try {
            return SegmentReader.open(storage, start);
        } catch (NoSuchFileException e) {
            throw new CorruptException(e.getFile() + " is missing");
        }
    }

    /** A closed segment: everything in it is durable, and the sizes must be exact. */
    static Segment closed(SegmentReader reader) throws IOException {
        SegmentHeader header = reader.header();
        long end = header.startFrameNo() + header.frameCount();
        checkSize(reader.framesFile(), header.offsetOf(end));
        long slots = reader.commitsFile().size() / CommitCodec.LENGTH;
        int commits = Math.toIntExact(Math.max(0, slots - CommitCodec.BASE - 1));
        checkSize(reader.commitsFile(), (long) (CommitCodec.BASE + 1 + commits) * CommitCodec.LENGTH);
        CommitRecord last = reader.commit(commits);
        if (last.frameNo() != end - 1) {
            throw new CorruptException(String.format(
                    "The last record of %s is for frame %d, but %s ends with frame %d",
                    reader.commitsFile().path(),
                    last.frameNo(),
                    reader.framesFile().path(),
                    end - 1));
        }
        return new Segment(header, reader.base(), commits, last);
    }

    private static void checkSize(StoredFile file, long expected) throws IOException {
        if (file.size() != expected) {
            throw new CorruptException(String.format(
                    "%s belongs to a closed segment and should have %d bytes, but has %d",
                    file.path(), expected, file.size()));
        }
    }

    /** The newest segment: the place where torn tail and corruption are told apart (see the class comment). */
    private Segment open(SegmentReader reader) throws IOException {
        CommitSlots slots = CommitSlots.scan(reader);
        slots.checkSynced(reader);
        int commits = slots.commits;
        CommitRecord last = slots.last;
        int sound = reader.firstBeyond(slots.syncedTo, commits) - 1;
        CommitRecord head = reader.commit(sound);
        if (head.frameNo() != slots.syncedTo) {
            throw new CorruptException(String.format(
                    "%s: frame %d was durable, but no record ends there; the nearest is for frame %d",
                    reader.commitsFile().path(), slots.syncedTo, head.frameNo()));
        }
        TransactionCheck check = new TransactionCheck(reader.header().pageSize());
        for (; sound < commits; sound++) {
            CommitRecord next = reader.commit(sound + 1);
            if (!isWhole(reader, check, head, next)) {
                break;
            }
            head = next;
        }
        if (sound < commits) {
            log.info(
                    "{}: torn after frame {}; {} later transactions are cut off, the last for frame {}",
                    reader.framesFile().path(),
                    head.frameNo(),
                    commits - sound,
                    last.frameNo());
        }
        Segment segment = new Segment(reader.header(), reader.base(), sound, head);
        makeDurable(segment);
        return segment;
    }

    private boolean isWhole(SegmentReader reader, TransactionCheck check, CommitRecord head, CommitRecord next)
            throws IOException {
        if (reader.framesFile().size() < reader.header().offsetOf(next.frameNo() + 1)) {
            return false;
        }
        TransactionCheck.Located fault = check.check(reader, head, next);
        if (fault != null) {
            log.info("{}: frame {} is torn: {}", reader.framesFile().path(), fault.frameNo(), fault.fault());
        }
        return fault == null;
    }

    private void makeDurable(Segment segment) throws IOException {
        try (SegmentWriter writer = SegmentWriter.open(storage, segment)) {
            writer.trim();
            writer.syncFrames();
            writer.syncCommits();
            writer.mark(segment.last().frameNo());
        }
    }

    /**
     * What the slots of a commit index say.
     *
     * @param commits intact records in a row after the base
     * @param last the last of these, or the base
     * @param syncedTo the highest frame that the mark or any intact record knows to be durable
     */
    private record CommitSlots(int commits, CommitRecord last, long syncedTo) {

        static CommitSlots scan(SegmentReader reader) throws IOException {
            StoredFile file = reader.commitsFile();
            ByteBuffer buf =
                    ByteBuffer.allocateDirect(1024 * CommitCodec.LENGTH).order(ByteOrder.LITTLE_ENDIAN);
            int commits = 0;
            CommitRecord last = reader.base();
            long syncedTo = Math.max(last.frameNo(), reader.syncedTo());
            boolean inRow = true;
            long offset = (long) (CommitCodec.BASE + 1) * CommitCodec.LENGTH;
            for (int length;
                    (length = file.read(buf.clear(), offset)) >= CommitCodec.LENGTH;
                    offset += buf.capacity()) {
                for (int at = 0; at + CommitCodec.LENGTH <= length; at += CommitCodec.LENGTH) {
                    @Nullable CommitRecord commit = CommitCodec.get(buf, at);
                    inRow &= commit != null && commit.frameNo() > last.frameNo();
                    if (commit != null) {
                        syncedTo = Math.max(syncedTo, CommitCodec.syncedTo(buf, at));
                        if (inRow) {
                            commits++;
                            last = commit;
                        }
                    }
                }
            }
            return new CommitSlots(commits, last, syncedTo);
        }

        void checkSynced(SegmentReader reader) throws IOException {
            if (last.frameNo() < syncedTo) {
                throw new CorruptException(String.format(
                        "The commit record at offset %d of %s is damaged or missing: all up to frame %d was durable,"
                                + " but the last intact record before it is for frame %d",
                        (long) (CommitCodec.BASE + 1 + commits) * CommitCodec.LENGTH,
                        reader.commitsFile().path(),
                        syncedTo,
                        last.frameNo()));
            }
            long size = reader.framesFile().size();
            long expected = reader.header().offsetOf(syncedTo + 1);
            if (size < expected) {
                throw new CorruptException(String.format(
                        "%s ends at offset %d, within frame %d, but all up to frame %d (offset %d) was durable",
                        reader.framesFile().path(),
                        size,
                        reader.header().startFrameNo()
                                + Math.max(0, size - SegmentHeader.LENGTH)
                                        / FrameLayout.frameSize(reader.header().pageSize()),
                        syncedTo,
                        expected));
            }
        }
    }
}
