package dev.lockstep.stream;

import dev.lockstep.log.CommitRecord;
import dev.lockstep.log.FrameLog;
import dev.lockstep.log.LogStart;
import dev.lockstep.stream.ToPrimary.Hello;
import dev.lockstep.stream.ToReplica.Refused;
import dev.lockstep.stream.ToReplica.Refused.Reason;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Decides whether a replica can continue from where it says it is. The rules, in order:
 *
 * <pre>
 * 1 it speaks this protocol and a window of at least one byte              else UNSUPPORTED
 * 2 without a position it gets a copy: admitted
 * 3 its log_id is this log's                                               else FOREIGN_LOG
 * 4 its page size is this log's                                            else UNSUPPORTED
 * 5 nothing that its readers may have seen is beyond this log's head       else DIVERGED
 * 6 the log reaches back to its position                                   else NEEDS_SNAPSHOT
 * 7 at its position this log has a commit with equal checksum and seal     else DIVERGED
 * </pre>
 *
 * Equal seals prove equal histories up to there, so that is all that resuming costs.
 */
final class Admission {

    private Admission() {}

    /** Null if the replica is admitted. */
    static @Nullable Refused check(FrameLog log, Hello hello) throws IOException {
        if (hello.protocol() != ToPrimary.PROTOCOL || hello.window() < 1) {
            return refused(
                    Reason.UNSUPPORTED,
                    "protocol " + ToPrimary.PROTOCOL,
                    "protocol " + hello.protocol() + ", window " + hello.window(),
                    "the replica speaks another version of the protocol; run versions of Lockstep that fit together");
        }
        Place position = hello.position();
        return position == null ? null : checkPosition(log, position, hello.reached());
    }

    private static @Nullable Refused checkPosition(FrameLog log, Place position, long reached) throws IOException {
        LogStart start = log.start();
        if (!position.logId().equals(start.logId())) {
            return refused(
                    Reason.FOREIGN_LOG,
                    "log " + start.logId(),
                    "log " + position.logId(),
                    "the replica follows another log; point it at its own primary, or copy this database anew with --force");
        }
        if (position.pageSize() != start.pageSize()) {
            return refused(
                    Reason.UNSUPPORTED,
                    "pages of " + start.pageSize() + " bytes",
                    "pages of " + position.pageSize(),
                    "the replica's page size is not this log's; copy the database anew with --force");
        }
        CommitRecord head = log.head();
        if (Math.max(position.frameNo(), reached) > head.frameNo()) {
            return refused(
                    Reason.DIVERGED,
                    "at most " + describe(head),
                    position + ", readers at frame " + reached,
                    "the replica is ahead of the primary, which has lost transactions (was it restored from an older copy?)"
                            + "; promote the replica, or give up what it is ahead by copying the database anew with --force");
        }
        if (position.frameNo() < start.startFrameNo() - 1) {
            return refused(
                    Reason.NEEDS_SNAPSHOT,
                    "frame " + (start.startFrameNo() - 1) + " or later",
                    "frame " + position.frameNo(),
                    "the primary's log no longer reaches back to the replica's position; "
                            + "copy the database anew with --force, and have the primary retain more (--retain)");
        }
        return checkHistory(log.commitAt(position.frameNo()), position);
    }

    private static @Nullable Refused checkHistory(@Nullable CommitRecord ours, Place theirs) {
        if (ours != null && theirs.isAt(ours)) {
            return null;
        }
        String expected = ours == null ? "frame " + theirs.frameNo() + " inside of a transaction" : describe(ours);
        return refused(
                Reason.DIVERGED,
                expected,
                theirs.toString(),
                "the replica has the same log and another history; find out which side is right, "
                        + "then copy the primary's anew with --force");
    }

    private static String describe(CommitRecord commit) {
        return Place.describe(commit.frameNo(), commit.checksum(), commit.seal());
    }

    private static Refused refused(Reason reason, String expected, String found, String message) {
        return new Refused(reason, expected, found, message);
    }
}
