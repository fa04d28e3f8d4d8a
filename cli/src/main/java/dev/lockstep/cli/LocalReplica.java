package dev.lockstep.cli;

import dev.lockstep.apply.ReplicaSummary;
import dev.lockstep.log.CommitRecord;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** The status of a replica's files on this machine, whether a process follows with it or not. */
final class LocalReplica {

    private LocalReplica() {}

    static boolean isAt(Path database) throws IOException {
        return ReplicaSummary.exists(database);
    }

    static ExitCode print(Path database, boolean json, PrintWriter out) throws IOException {
        ReplicaSummary replica = ReplicaSummary.read(database);
        RefusalNote refusal = RefusalNote.read(replica.database());
        if (json) {
            asJson(replica, refusal).print(out);
        } else {
            print(replica, refusal, out);
        }
        return refusal == null ? ExitCode.OK : refusal.outcome();
    }

    private static void print(ReplicaSummary replica, @Nullable RefusalNote refusal, PrintWriter out) {
        out.println(replica.database() + ": a replica" + (refusal == null ? "" : ", STOPPED"));
        Table.line(out, "log", replica.logId() + ", pages of " + replica.pageSize() + " bytes");
        Table.line(out, "stands at", describe(replica.newest()));
        Table.line(out, "durable", describe(replica.durable()));
        Table.line(out, "WAL", Formats.bytes(replica.walBytes()));
        Table.line(out, "replica id", replica.replicaId().toString());
        if (refusal != null) {
            Table.line(out, "stopped", Formats.time(refusal.timeMillis()) + ": " + refusal.message());
            boolean needsCopy = refusal.outcome() == ExitCode.DIVERGED || refusal.outcome() == ExitCode.NEEDS_COPY;
            Table.line(
                    out,
                    "",
                    needsCopy
                            ? "Started again, it stops again: only a new copy, with --force, goes on."
                            : "It still serves what it stood at. Started again, it goes on from there.");
        }
    }

    private static String describe(CommitRecord commit) {
        String time = commit.timeMillis() == 0 ? "" : ", committed " + Formats.time(commit.timeMillis());
        return "frame " + Formats.count(commit.frameNo()) + ", checksum " + Formats.hex(commit.checksum()) + time;
    }

    private static Json asJson(ReplicaSummary replica, @Nullable RefusalNote refusal) {
        return new Json()
                .put("kind", "replica")
                .put("database", replica.database())
                .put("logId", replica.logId())
                .put("replicaId", replica.replicaId())
                .put("pageSize", replica.pageSize())
                .put("frame", replica.newest().frameNo())
                .putHex("checksum", replica.newest().checksum())
                .put("timeMillis", replica.newest().timeMillis())
                .put("durableFrame", replica.durable().frameNo())
                .put("walBytes", replica.walBytes())
                .put("stopped", refusal == null ? null : asJson(refusal));
    }

    private static Json asJson(RefusalNote refusal) {
        return new Json()
                .put("timeMillis", refusal.timeMillis())
                .put("kind", refusal.outcome().name())
                .put("exitCode", refusal.outcome().code())
                .put("message", refusal.message());
    }
}
