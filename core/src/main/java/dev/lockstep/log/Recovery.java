package dev.lockstep.log;

import dev.lockstep.io.Storage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
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
 *       remains is made durable, by writing it once more.
 * </ul>
 *
 * What cannot be told apart: damage to bytes that were synced, when a crash of the machine (not only of the process) also took
 * the mark and nothing was written after that sync. It counts as a torn tail. The transactions were possibly sent to replicas
 * then; those notice, because the seals of what takes their place differ.
 */
final class Recovery {

    private static final Logger log = LoggerFactory.getLogger(Recovery.class);

    private Recovery() {}

    /** All segments in order; the last one may be closed or open. Nothing is changed when something is found damaged. */
    static List<Segment> recover(Storage storage) throws IOException {
        List<Long> starts = SegmentFiles.finished(storage);
        List<Segment> segments = new ArrayList<>();
        CommitRecord last = null;
        for (long start : starts) {
            try (SegmentReader reader = SegmentFiles.open(storage, start)) {
                SegmentHeader first = segments.isEmpty() ? reader.header() : segments.get(0).header;
                SegmentFiles.checkContinues(reader, first, last);
                boolean newest = segments.size() == starts.size() - 1;
                Segment segment =
                        SegmentFiles.isClosed(reader, newest) ? SegmentFiles.closed(reader) : beforeTornTail(reader);
                if (newest) {
                    makeDurable(storage, segment, reader.syncedTo());
                }
                segments.add(segment);
                last = segment.last();
            }
        }
        deleteLeftovers(storage, starts);
        return segments;
    }

    /** Deletes, durably, the files of creations and deletions that were cut off: those of no segment that was found. */
    static void deleteLeftovers(Storage storage, List<Long> starts) throws IOException {
        boolean deleted = false;
        for (String name : storage.list()) {
            boolean ours = Segment.isFramesName(name) || Segment.isCommitsName(name);
            if (ours && !starts.contains(Segment.startFrameNo(name))) {
                log.info("Deleting {}, left by a crash while its segment was created or deleted", storage.path(name));
                storage.delete(name);
                deleted = true;
            }
        }
        if (deleted) {
            storage.syncDirectory();
        }
    }

    /** The place where torn tail and corruption are told apart (see the class comment). */
    private static Segment beforeTornTail(SegmentReader reader) throws IOException {
        CommitSlots slots = CommitSlots.scan(reader);
        slots.checkSynced(reader);
        int sound = reader.firstBeyond(slots.syncedTo(), slots.commits()) - 1;
        CommitRecord head = reader.commit(sound);
        TransactionCheck check = new TransactionCheck(reader.header().pageSize(), true, bytes -> {});
        for (; sound < slots.commits(); sound++) {
            CommitRecord next = reader.commit(sound + 1);
            if (!isWhole(reader, check, head, next)) {
                break;
            }
            head = next;
        }
        if (sound < slots.commits()) {
            log.info(
                    "{}: torn after frame {}; {} later transactions are cut off, the last for frame {}",
                    reader.frames().file().path(),
                    head.frameNo(),
                    slots.commits() - sound,
                    slots.last().frameNo());
        }
        return new Segment(reader.header(), reader.base(), sound, head);
    }

    private static boolean isWhole(SegmentReader reader, TransactionCheck check, CommitRecord head, CommitRecord next)
            throws IOException {
        if (reader.frames().file().size() < reader.header().offsetOf(next.frameNo() + 1)) {
            return false;
        }
        FrameWalk.Located fault = check.check(reader.frames(), head, List.of(next));
        if (fault != null) {
            log.info("{}: frame {} is torn: {}", reader.frames().file().path(), fault.frameNo(), fault.fault());
        }
        return fault == null;
    }

    /**
     * The newest segment, cut to what was found in it; those before were durable before it was created. A process that was killed may
     * have left all of it to the system's memory: names, frames, and the frame count on which the next segment relies. One that ended
     * because a sync failed has left there what the system takes for written.
     *
     * @param synced the last frame that is known to be durable
     */
    private static void makeDurable(Storage storage, Segment segment, long synced) throws IOException {
        storage.syncDirectory();
        try (SegmentWriter writer = SegmentWriter.open(storage, segment, 0)) {
            writer.trim();
            writer.rewriteBeyond(synced);
            writer.sync();
            writer.mark(segment.last().frameNo());
        }
    }
}
