package dev.lockstep.log;

import dev.lockstep.CorruptException;
import dev.lockstep.io.Storage;
import dev.lockstep.io.StoredFile;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.List;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Which segments a directory holds, and what must hold of them as a whole. Changes nothing. */
final class SegmentFiles {

    /** The sizes of the files of a segment that has not got its first transaction. */
    private static final int EMPTY_FRAMES = SegmentHeader.LENGTH;

    private static final int EMPTY_COMMITS = 2 * CommitCodec.LENGTH;

    private SegmentFiles() {}

    /** The first frames of the segments, ascending, without a newest one that crashed before it was finished. */
    static List<Long> finished(Storage storage) throws IOException {
        List<String> names = storage.list();
        TreeSet<Long> starts = new TreeSet<>();
        long newest = -1;
        for (String name : names) {
            if (Segment.isFramesName(name)) {
                starts.add(Segment.startFrameNo(name));
            }
            // Commit indexes alone are left of deletions, which are not the newest; or else the frames were lost.
            if (Segment.isFramesName(name) || Segment.isCommitsName(name)) {
                newest = Math.max(newest, Segment.startFrameNo(name));
            }
        }
        if (newest >= 0 && isUnfinished(storage, names, newest)) {
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
    private static boolean isUnfinished(Storage storage, List<String> names, long start) throws IOException {
        boolean hasFrames = names.contains(Segment.framesName(start));
        boolean hasCommits = names.contains(Segment.commitsName(start));
        if ((hasFrames && size(storage, Segment.framesName(start)) > EMPTY_FRAMES)
                || (hasCommits && size(storage, Segment.commitsName(start)) > EMPTY_COMMITS)) {
            return false;
        }
        return !hasFrames || !hasCommits || !isReadable(storage, start);
    }

    private static boolean isReadable(Storage storage, long start) throws IOException {
        try (SegmentReader reader = SegmentReader.open(storage, start)) {
            return reader.base().frameNo() == start - 1;
        } catch (CorruptException e) {
            return false;
        }
    }

    static long size(Storage storage, String name) throws IOException {
        try (StoredFile file = storage.openForReading(name)) {
            return file.size();
        } catch (NoSuchFileException e) {
            throw new CorruptException(storage.path(name) + " is missing");
        }
    }

    static SegmentReader open(Storage storage, long start) throws IOException {
        try {
            return SegmentReader.open(storage, start);
        } catch (NoSuchFileException e) {
            throw new CorruptException(e.getFile() + " is missing");
        }
    }

    /**
     * Refuses a segment that does not continue.
     *
     * @param first the header of the log's first segment
     * @param last the last commit of the segment before, null for the first
     */
    static void checkContinues(SegmentReader segment, SegmentHeader first, @Nullable CommitRecord last)
            throws CorruptException {
        SegmentHeader header = segment.header();
        CommitRecord base = segment.base();
        String path = segment.frames().file().path();
        if (!header.logId().equals(first.logId()) || header.pageSize() != first.pageSize()) {
            throw new CorruptException(String.format(
                    "%s is of log %s with page size %d, the segments before it of log %s with page size %d",
                    path, header.logId(), header.pageSize(), first.logId(), first.pageSize()));
        }
        if (last != null && !last.equals(base)) {
            throw new CorruptException(String.format(
                    "%s does not continue the segment before it, which ends at frame %d with checksum %016x and seal %s;"
                            + " it starts after frame %d with checksum %016x and seal %s",
                    path, last.frameNo(), last.checksum(), last.seal(), base.frameNo(), base.checksum(), base.seal()));
        }
    }

    /** Whether the segment is closed. Only the newest one may be open. */
    static boolean isClosed(SegmentReader segment, boolean newest) throws CorruptException {
        boolean closed = segment.header().frameCount() > 0;
        if (!closed && !newest) {
            throw new CorruptException(segment.frames().file().path()
                    + " has no frame count in its header, as if it were open, but there is a newer segment");
        }
        return closed;
    }

    /** A closed segment: everything in it is durable, and the sizes must be exact. */
    static Segment closed(SegmentReader reader) throws IOException {
        SegmentHeader header = reader.header();
        long end = header.startFrameNo() + header.frameCount();
        checkSize(reader.frames().file(), header.offsetOf(end));
        long slots = reader.commitsFile().size() / CommitCodec.LENGTH;
        int commits = Math.toIntExact(Math.max(0, slots - CommitCodec.BASE - 1));
        checkSize(reader.commitsFile(), (long) (CommitCodec.BASE + 1 + commits) * CommitCodec.LENGTH);
        CommitRecord last = reader.commit(commits);
        if (last.frameNo() != end - 1) {
            throw new CorruptException(String.format(
                    "The last record of %s is for frame %d, but %s ends with frame %d",
                    reader.commitsFile().path(),
                    last.frameNo(),
                    reader.frames().file().path(),
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
}
