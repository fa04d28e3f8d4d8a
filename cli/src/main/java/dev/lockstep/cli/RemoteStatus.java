package dev.lockstep.cli;

import dev.lockstep.log.CommitRecord;
import dev.lockstep.server.RemotePrimary;
import dev.lockstep.server.ServerStatus;
import dev.lockstep.server.ServerStatus.Database;
import dev.lockstep.stream.RefusalReport;
import dev.lockstep.stream.ReplicaStatus;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;

/** The status of a primary somewhere, as it tells it itself. */
final class RemoteStatus {

    private static final String REPLICA = "    %-28s %-10s %14s %10s %9s  %s%n";

    private RemoteStatus() {}

    /** @throws IllegalArgumentException if it is no primary's URL */
    static ExitCode print(String url, ServerOptions server, boolean json, PrintWriter out) throws IOException {
        ServerStatus status;
        try (RemotePrimary primary = server.primary(url).build()) {
            status = primary.status();
        }
        if (json) {
            asJson(url, status).print(out);
        } else {
            out.println(url + ": lockstep " + status.version() + ", at " + Formats.time(status.timeMillis()));
            status.databases().forEach(database -> print(out, database));
        }
        boolean captured = status.databases().stream().allMatch(RemoteStatus::isCaptured);
        return captured ? ExitCode.OK : ExitCode.FAILURE;
    }

    private static boolean isCaptured(Database database) {
        return database.capture().failure().isEmpty();
    }

    private static void print(PrintWriter out, Database database) {
        CommitRecord head = database.head();
        out.println();
        out.println(database.name() + (isCaptured(database) ? "" : ": NOT CAPTURED"));
        if (!isCaptured(database)) {
            Table.line(out, "failure", database.capture().failure());
        }
        Table.line(out, "log", database.logId() + ", pages of " + database.pageSize() + " bytes");
        Table.line(
                out,
                "stands at",
                "frame " + Formats.count(head.frameNo()) + ", checksum " + Formats.hex(head.checksum())
                        + (head.timeMillis() == 0 ? "" : ", committed " + Formats.time(head.timeMillis())));
        Table.line(out, "durable", "frame " + Formats.count(database.durable().frameNo()));
        Table.line(
                out,
                "log holds",
                "frames from " + Formats.count(database.log().firstFrameNo()) + " on, "
                        + Formats.bytes(database.log().bytes()) + " in "
                        + Formats.count(database.log().segments(), "segment"));
        printReplicas(out, database.replicas());
        for (RefusalReport refusal : database.refusals()) {
            Table.line(
                    out,
                    refusal.byPrimary() ? "turned away" : "refused",
                    Formats.time(refusal.timeMillis()) + " " + refusal.replicaName() + " at " + refusal.address() + ": "
                            + refusal.message());
        }
    }

    private static void printReplicas(PrintWriter out, List<ReplicaStatus> replicas) {
        Table.line(out, "replicas", replicas.isEmpty() ? "none connected" : Long.toString(replicas.size()));
        if (!replicas.isEmpty()) {
            out.printf(REPLICA, "name", "state", "applied", "lag frames", "lag", "address");
        }
        for (ReplicaStatus replica : replicas) {
            out.printf(
                    REPLICA,
                    replica.name(),
                    replica.state(),
                    Formats.count(replica.applied()),
                    Formats.count(replica.lagFrames()),
                    Formats.duration(replica.lagMillis()),
                    replica.address());
        }
    }

    private static Json asJson(String url, ServerStatus status) {
        return new Json()
                .put("kind", "primary")
                .put("url", url)
                .put("version", status.version())
                .put("timeMillis", status.timeMillis())
                .put(
                        "databases",
                        status.databases().stream().map(RemoteStatus::asJson).toList());
    }

    private static Json asJson(Database database) {
        return new Json()
                .put("name", database.name())
                .put("captured", isCaptured(database))
                .put("failure", isCaptured(database) ? null : database.capture().failure())
                .put("logId", database.logId())
                .put("pageSize", database.pageSize())
                .put("frame", database.head().frameNo())
                .putHex("checksum", database.head().checksum())
                .put("timeMillis", database.head().timeMillis())
                .put("durableFrame", database.durable().frameNo())
                .put("firstFrame", database.log().firstFrameNo())
                .put("segments", database.log().segments())
                .put("bytes", database.log().bytes())
                .put(
                        "replicas",
                        database.replicas().stream().map(RemoteStatus::asJson).toList())
                .put(
                        "refusals",
                        database.refusals().stream().map(RemoteStatus::asJson).toList());
    }

    private static Json asJson(ReplicaStatus replica) {
        return new Json()
                .put("id", replica.id())
                .put("name", replica.name())
                .put("address", replica.address())
                .put("state", replica.state())
                .put("sentFrame", replica.sent())
                .put("durableFrame", replica.durable())
                .put("appliedFrame", replica.applied())
                .put("lagFrames", replica.lagFrames())
                .put("lagMillis", replica.lagMillis())
                .put("sentBytes", replica.sentBytes())
                .put("bytesPerSecond", replica.bytesPerSecond())
                .put("connectedSinceMillis", replica.connectedSinceMillis());
    }

    private static Json asJson(RefusalReport refusal) {
        return new Json()
                .put("timeMillis", refusal.timeMillis())
                .put("replicaId", refusal.replicaId())
                .put("replicaName", refusal.replicaName())
                .put("address", refusal.address())
                .put("byPrimary", refusal.byPrimary())
                .put("kind", refusal.kind())
                .put("expected", refusal.expected())
                .put("found", refusal.found())
                .put("message", refusal.message());
    }
}
