package dev.lockstep.stream;

import dev.lockstep.log.CommitRecord;
import dev.lockstep.log.FrameLayout;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.UUID;

/**
 * What a primary says to a replica. Buffers belong to the receiver of the message, from position to limit.
 *
 * <pre>
 * resume      Welcome Frames* ...
 * first copy  SnapshotBegin SnapshotPages* SnapshotEnd Frames* ...
 * or          Refused, after which the session is over
 * </pre>
 *
 * Heartbeats may come anywhere after the first message.
 */
public sealed interface ToReplica {

    /** Bytes that the message counts for in the window of unacknowledged bytes. */
    default long windowBytes() {
        return 0;
    }

    /**
     * The primary has the replica's position in its history; frames follow from there.
     *
     * @param at what the primary's log says of that position, for the replica to compare
     * @param head the last frame that the primary could send now
     */
    record Welcome(UUID logId, int pageSize, CommitRecord at, long head) implements ToReplica {}

    /**
     * A copy of the database's pages follows. It is fuzzy: pages are read while they change, so some may be torn or newer than
     * {@code start}. Every such page stands in the frames after {@code start} as well, and applying those mends it.
     *
     * @param start the commit whose successors are to be applied over the pages
     * @param pages the pages to come have numbers 1 to {@code pages}, without the lock-byte page
     */
    record SnapshotBegin(UUID logId, int pageSize, CommitRecord start, int pages, long head) implements ToReplica {}

    /**
     * Pages in ascending order. Each entry has the layout of a frame, see {@link FrameLayout}; its checksum is the content CRC
     * of this page alone, its frame number that of the page's last change as far as known, its size_after 0.
     */
    record SnapshotPages(ByteBuffer pages) implements ToReplica {
        @Override
        public long windowBytes() {
            return pages.remaining();
        }
    }

    /** @param consistentAt once the frames up to this one are applied, no page of the copy is torn or too new */
    record SnapshotEnd(long consistentAt) implements ToReplica {}

    /**
     * Whole frames that continue those sent before.
     *
     * @param commits records of the commit frames among them
     */
    record Frames(ByteBuffer frames, List<CommitRecord> commits, long head) implements ToReplica {
        @Override
        public long windowBytes() {
            return frames.remaining();
        }
    }

    /**
     * A sign of life.
     *
     * @param sent the last frame sent in this session, or the one it started from
     */
    record Heartbeat(long head, long sent) implements ToReplica {}

    /** The primary cannot serve this replica. */
    record Refused(Reason reason, String expected, String found, String message) implements ToReplica {

        /** Why; each calls for a different action of the person. */
        public enum Reason {
            /** Another log. */
            FOREIGN_LOG,
            /** The same log and another history. */
            DIVERGED,
            /** The log no longer reaches back to the position. */
            NEEDS_SNAPSHOT,
            /** Another protocol version or page size, or messages that make no sense. */
            UNSUPPORTED,
            /** There is no database of that name. */
            UNKNOWN_DATABASE,
            /** The primary cannot now, or has too many replicas; trying again may help. */
            UNAVAILABLE
        }
    }
}
