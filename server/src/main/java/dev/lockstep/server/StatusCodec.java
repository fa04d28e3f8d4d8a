package dev.lockstep.server;

import com.google.protobuf.ByteString;
import dev.lockstep.log.FrameLog;
import dev.lockstep.server.v1.Proto;
import dev.lockstep.stream.RefusalReport;
import dev.lockstep.stream.ReplicaStatus;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A server's status and its bytes. */
final class StatusCodec {

    private StatusCodec() {}

    static Proto.StatusReply encode(ServerStatus status) {
        Proto.StatusReply.Builder reply =
                Proto.StatusReply.newBuilder().setVersion(status.version()).setTimeMillis(status.timeMillis());
        status.databases().forEach(database -> reply.addDatabases(encode(database)));
        return reply.build();
    }

    private static Proto.Database encode(ServerStatus.Database database) {
        Proto.Database.Builder builder = Proto.Database.newBuilder()
                .setName(database.name())
                .setLogId(Fields.bytes(database.logId()))
                .setPageSize(database.pageSize())
                .setHead(Fields.commit(database.head()))
                .setDurable(Fields.commit(database.durable()));
        builder.getLogBuilder()
                .setFirstFrameNo(database.log().firstFrameNo())
                .setSegments(database.log().segments())
                .setBytes(database.log().bytes());
        builder.getCaptureBuilder()
                .setState(database.capture().state())
                .setFailure(database.capture().failure());
        database.replicas().forEach(replica -> builder.addReplicas(encode(replica)));
        database.refusals().forEach(refusal -> builder.addRefusals(encode(refusal)));
        return builder.build();
    }

    private static Proto.Replica encode(ReplicaStatus replica) {
        return Proto.Replica.newBuilder()
                .setId(optional(replica.id()))
                .setName(replica.name())
                .setAddress(replica.address())
                .setState(replica.state())
                .setSent(replica.sent())
                .setDurable(replica.durable())
                .setApplied(replica.applied())
                .setLagFrames(replica.lagFrames())
                .setLagMillis(replica.lagMillis())
                .setSentBytes(replica.sentBytes())
                .setUnacknowledgedBytes(replica.unacknowledgedBytes())
                .setBytesPerSecond(replica.bytesPerSecond())
                .setConnectedSinceMillis(replica.connectedSinceMillis())
                .build();
    }

    private static Proto.RefusalReport encode(RefusalReport refusal) {
        return Proto.RefusalReport.newBuilder()
                .setTimeMillis(refusal.timeMillis())
                .setReplicaId(optional(refusal.replicaId()))
                .setReplicaName(refusal.replicaName())
                .setAddress(refusal.address())
                .setByPrimary(refusal.byPrimary())
                .setKind(refusal.kind())
                .setExpected(refusal.expected())
                .setFound(refusal.found())
                .setMessage(refusal.message())
                .build();
    }

    /** @throws IllegalArgumentException if the reply breaks a rule of validity */
    static ServerStatus decode(Proto.StatusReply reply) {
        return new ServerStatus(
                reply.getVersion(),
                reply.getTimeMillis(),
                reply.getDatabasesList().stream().map(StatusCodec::decode).toList());
    }

    private static ServerStatus.Database decode(Proto.Database database) {
        Proto.LogExtent log = database.getLog();
        Proto.Capture capture = database.getCapture();
        return new ServerStatus.Database(
                database.getName(),
                Fields.uuid(database.getLogId(), "log_id"),
                Fields.pageSize(database.getPageSize()),
                Fields.commit(database.getHead()),
                Fields.commit(database.getDurable()),
                new FrameLog.Extent(log.getFirstFrameNo(), log.getSegments(), log.getBytes()),
                new ServerStatus.Capture(capture.getState(), capture.getFailure()),
                database.getReplicasList().stream().map(StatusCodec::decode).toList(),
                database.getRefusalsList().stream().map(StatusCodec::decode).toList());
    }

    private static ReplicaStatus decode(Proto.Replica replica) {
        return new ReplicaStatus(
                optional(replica.getId()),
                replica.getName(),
                replica.getAddress(),
                replica.getState(),
                replica.getSent(),
                replica.getDurable(),
                replica.getApplied(),
                replica.getLagFrames(),
                replica.getLagMillis(),
                replica.getSentBytes(),
                replica.getUnacknowledgedBytes(),
                replica.getBytesPerSecond(),
                replica.getConnectedSinceMillis());
    }

    private static RefusalReport decode(Proto.RefusalReport refusal) {
        return new RefusalReport(
                refusal.getTimeMillis(),
                optional(refusal.getReplicaId()),
                refusal.getReplicaName(),
                refusal.getAddress(),
                refusal.getByPrimary(),
                refusal.getKind(),
                refusal.getExpected(),
                refusal.getFound(),
                refusal.getMessage());
    }

    private static ByteString optional(@Nullable UUID id) {
        return id == null ? ByteString.EMPTY : Fields.bytes(id);
    }

    private static @Nullable UUID optional(ByteString id) {
        return id.isEmpty() ? null : Fields.uuid(id, "id");
    }
}
