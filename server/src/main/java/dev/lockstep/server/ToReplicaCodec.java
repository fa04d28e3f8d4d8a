package dev.lockstep.server;

import dev.lockstep.server.v1.Proto;
import dev.lockstep.stream.ToReplica;
import dev.lockstep.stream.ToReplica.Frames;
import dev.lockstep.stream.ToReplica.Heartbeat;
import dev.lockstep.stream.ToReplica.Refused;
import dev.lockstep.stream.ToReplica.SnapshotBegin;
import dev.lockstep.stream.ToReplica.SnapshotEnd;
import dev.lockstep.stream.ToReplica.SnapshotPages;
import dev.lockstep.stream.ToReplica.Welcome;
import java.util.List;

/** A primary's messages and their bytes. */
final class ToReplicaCodec {

    private ToReplicaCodec() {}

    static Proto.FollowReply encode(ToReplica message, boolean zstd) {
        Proto.FollowReply.Builder reply = Proto.FollowReply.newBuilder();
        if (message instanceof Frames frames) {
            reply.setFrames(encode(frames, zstd));
        } else if (message instanceof Heartbeat heartbeat) {
            reply.getHeartbeatBuilder().setHead(heartbeat.head()).setSent(heartbeat.sent());
        } else if (message instanceof SnapshotPages pages) {
            Payload payload = Payload.of(pages.pages(), zstd);
            reply.getSnapshotPagesBuilder().setPages(payload.bytes()).setRawLength(payload.rawLength());
        } else if (message instanceof SnapshotBegin begin) {
            reply.setSnapshotBegin(encode(begin));
        } else if (message instanceof SnapshotEnd end) {
            reply.getSnapshotEndBuilder().setConsistentAt(end.consistentAt());
        } else if (message instanceof Welcome welcome) {
            reply.setWelcome(encode(welcome));
        } else if (message instanceof Refused refused) {
            reply.setRefused(encode(refused));
        }
        return reply.build();
    }

    private static Proto.Frames encode(Frames frames, boolean zstd) {
        Payload payload = Payload.of(frames.frames(), zstd);
        Proto.Frames.Builder builder = Proto.Frames.newBuilder()
                .setFrames(payload.bytes())
                .setRawLength(payload.rawLength())
                .setHead(frames.head());
        frames.commits().forEach(commit -> builder.addCommits(Fields.commit(commit)));
        return builder.build();
    }

    private static Proto.SnapshotBegin encode(SnapshotBegin begin) {
        return Proto.SnapshotBegin.newBuilder()
                .setLogId(Fields.bytes(begin.logId()))
                .setPageSize(begin.pageSize())
                .setStart(Fields.commit(begin.start()))
                .setPages(begin.pages())
                .setHead(begin.head())
                .build();
    }

    private static Proto.Welcome encode(Welcome welcome) {
        return Proto.Welcome.newBuilder()
                .setLogId(Fields.bytes(welcome.logId()))
                .setPageSize(welcome.pageSize())
                .setAt(Fields.commit(welcome.at()))
                .setHead(welcome.head())
                .build();
    }

    private static Proto.Refused encode(Refused refused) {
        return Proto.Refused.newBuilder()
                .setReason(Proto.Refused.Reason.valueOf(refused.reason().name()))
                .setExpected(refused.expected())
                .setFound(refused.found())
                .setMessage(refused.message())
                .build();
    }

    /** @throws IllegalArgumentException if the message breaks a rule of validity */
    static ToReplica decode(Proto.FollowReply reply) {
        return switch (reply.getMessageCase()) {
            case FRAMES -> decode(reply.getFrames());
            case HEARTBEAT ->
                new Heartbeat(
                        Fields.frameNo(reply.getHeartbeat().getHead()),
                        Fields.frameNo(reply.getHeartbeat().getSent()));
            case SNAPSHOT_PAGES -> {
                Proto.SnapshotPages pages = reply.getSnapshotPages();
                yield new SnapshotPages(new Payload(pages.getPages(), pages.getRawLength()).open());
            }
            case SNAPSHOT_BEGIN -> decode(reply.getSnapshotBegin());
            case SNAPSHOT_END ->
                new SnapshotEnd(Fields.frameNo(reply.getSnapshotEnd().getConsistentAt()));
            case WELCOME -> decode(reply.getWelcome());
            case REFUSED -> decode(reply.getRefused());
            case MESSAGE_NOT_SET -> throw new IllegalArgumentException("a message of an unknown kind");
        };
    }

    private static Frames decode(Proto.Frames frames) {
        return new Frames(
                new Payload(frames.getFrames(), frames.getRawLength()).open(),
                frames.getCommitsList().stream().map(Fields::commit).toList(),
                Fields.frameNo(frames.getHead()));
    }

    private static SnapshotBegin decode(Proto.SnapshotBegin begin) {
        return new SnapshotBegin(
                Fields.uuid(begin.getLogId(), "log_id"),
                Fields.pageSize(begin.getPageSize()),
                Fields.commit(begin.getStart()),
                begin.getPages(),
                Fields.frameNo(begin.getHead()));
    }

    private static Welcome decode(Proto.Welcome welcome) {
        return new Welcome(
                Fields.uuid(welcome.getLogId(), "log_id"),
                Fields.pageSize(welcome.getPageSize()),
                Fields.commit(welcome.getAt()),
                Fields.frameNo(welcome.getHead()));
    }

    private static Refused decode(Proto.Refused refused) {
        List<Refused.Reason> known = List.of(Refused.Reason.values());
        Refused.Reason reason = known.stream()
                .filter(value -> value.name().equals(refused.getReason().name()))
                .findFirst()
                .orElse(Refused.Reason.UNSUPPORTED); // a reason of a later version
        return new Refused(
                reason,
                Fields.text(refused.getExpected(), Fields.TEXT_LENGTH),
                Fields.text(refused.getFound(), Fields.TEXT_LENGTH),
                Fields.text(refused.getMessage(), Fields.TEXT_LENGTH));
    }
}
