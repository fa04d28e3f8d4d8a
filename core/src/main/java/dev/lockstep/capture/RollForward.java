package dev.lockstep.capture;

import dev.lockstep.log.CommitRecord;
import dev.lockstep.log.FrameLayout;
import dev.lockstep.log.FrameLog;
import dev.lockstep.log.LogReader;
import dev.lockstep.log.WalMark;
import dev.lockstep.sqlite.WalAppender;
import dev.lockstep.sqlite.WalPlace;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import org.jspecify.annotations.Nullable;

/**
 * Puts back the tail of a WAL that SQLite lost in a power failure and the log kept.
 *
 * <p>With {@code synchronous=NORMAL} SQLite does not sync every commit, but Lockstep syncs the log before it ships it, so the log, and
 * the replicas, can be ahead of the database. Within one generation of the WAL, WAL frames and log frames run side by side; so if the WAL
 * ends at a transaction that the log has, with the same salts and running checksum, it is the log's own past, and the log's later
 * transactions continue it.
 */
final class RollForward {

    private static final int CHUNK = 1 << 20;

    private RollForward() {}

    /**
     * Appends the log's transactions that the WAL lost.
     *
     * @return where the log's head now ends in the WAL; null if the WAL is not the log's past, and nothing was done
     */
    static @Nullable WalMark apply(Path database, FrameLog log) throws IOException {
        try (WalAppender appender = WalAppender.open(database)) {
            CommitRecord kept = lastKept(appender.begin(), log);
            if (kept == null || !(appender.place().frame() > 0 || appender.resumeGeneration())) {
                appender.abort();
                return null;
            }
            append(appender, log, kept.frameNo());
            WalPlace end = appender.publish(true);
            return new WalMark(end.salts(), end.frame(), end.checksum());
        }
    }

    /** The log's transaction at which the WAL ends, if that is before the head. */
    private static @Nullable CommitRecord lastKept(WalPlace end, FrameLog log) throws IOException {
        CommitRecord head = log.head();
        int lost = head.wal().frame() - end.frame();
        if (lost <= 0 || end.salts() != head.wal().salts()) {
            return null;
        }
        CommitRecord candidate = log.commitAt(head.frameNo() - lost);
        if (candidate == null) {
            return null;
        }
        boolean samePlace = end.frame() == 0
                ? candidate.wal().salts() != end.salts()
                : candidate.wal().equals(new WalMark(end.salts(), end.frame(), end.checksum()));
        return samePlace ? candidate : null;
    }

    private static void append(WalAppender appender, FrameLog log, long afterFrameNo) throws IOException {
        int frameSize = FrameLayout.frameSize(log.start().pageSize());
        ByteBuffer frames = ByteBuffer.allocateDirect(Math.max(1, CHUNK / frameSize) * frameSize)
                .order(ByteOrder.LITTLE_ENDIAN);
        try (LogReader reader = log.reader(afterFrameNo)) {
            while (reader.read(frames.clear(), new ArrayList<>(), log.head().frameNo()) > 0) {
                appender.append(frames.flip(), place -> {});
            }
        }
    }
}
