package dev.lockstep.server;

import dev.lockstep.server.v1.Proto;
import dev.lockstep.stream.Place;
import dev.lockstep.stream.ToPrimary;
import dev.lockstep.stream.ToPrimary.Ack;
import dev.lockstep.stream.ToPrimary.Hello;
import dev.lockstep.stream.ToPrimary.Refusal;

/** A replica's messages and their bytes. */
final class ToPrimaryCodec {

    private static final int NAME_LENGTH = 200;

    private ToPrimaryCodec() {}

    /**
     * @param database what the hello is to ask for
     * @param zstd what the hello is to offer
     */
    static Proto.FollowRequest encode(ToPrimary message, String database, boolean zstd) {
        Proto.FollowRequest.Builder request = Proto.FollowRequest.newBuilder();
        if (message instanceof Ack ack) {
            request.getAckBuilder()
                    .setReceived(ack.received())
                    .setDurable(ack.durable())
                    .setApplied(ack.applied());
        } else if (message instanceof Hello hello) {
            request.setHello(encode(hello, database, zstd));
        } else if (message instanceof Refusal refusal) {
            request.getRefusalBuilder()
                    .setKind(refusal.kind())
                    .setFrameNo(refusal.frameNo())
                    .setExpected(refusal.expected())
                    .setFound(refusal.found())
                    .setMessage(refusal.message());
        }
        return request.build();
    }

    private static Proto.Hello encode(Hello hello, String database, boolean zstd) {
        Proto.Hello.Builder builder = Proto.Hello.newBuilder()
                .setProtocol(hello.protocol())
                .setDatabase(database)
                .setReplicaId(Fields.bytes(hello.replicaId()))
                .setReplicaName(hello.replicaName())
                .setReached(hello.reached())
                .setWindow(hello.window())
                .setAcceptsZstd(zstd);
        Place position = hello.position();
        if (position != null) {
            builder.getPositionBuilder()
                    .setLogId(Fields.bytes(position.logId()))
                    .setPageSize(position.pageSize())
                    .setFrameNo(position.frameNo())
                    .setChecksum(position.checksum())
                    .setSeal(Fields.bytes(position.seal()));
        }
        return builder.build();
    }

    /** @throws IllegalArgumentException if the message breaks a rule of validity */
    static ToPrimary decode(Proto.FollowRequest request) {
        return switch (request.getMessageCase()) {
            case ACK ->
                new Ack(
                        request.getAck().getReceived(),
                        Fields.frameNo(request.getAck().getDurable()),
                        Fields.frameNo(request.getAck().getApplied()));
            case HELLO -> decode(request.getHello());
            case REFUSAL -> decode(request.getRefusal());
            case MESSAGE_NOT_SET -> throw new IllegalArgumentException("a message of an unknown kind");
        };
    }

    private static Hello decode(Proto.Hello hello) {
        return new Hello(
                hello.getProtocol(),
                Fields.uuid(hello.getReplicaId(), "replica_id"),
                Fields.text(hello.getReplicaName(), NAME_LENGTH),
                hello.hasPosition() ? decode(hello.getPosition()) : null,
                Fields.frameNo(hello.getReached()),
                hello.getWindow());
    }

    private static Place decode(Proto.Place place) {
        return new Place(
                Fields.uuid(place.getLogId(), "log_id"),
                Fields.pageSize(place.getPageSize()),
                Fields.frameNo(place.getFrameNo()),
                place.getChecksum(),
                Fields.seal(place.getSeal()));
    }

    private static Refusal decode(Proto.Refusal refusal) {
        return new Refusal(
                Fields.text(refusal.getKind(), NAME_LENGTH),
                refusal.getFrameNo(),
                Fields.text(refusal.getExpected(), Fields.TEXT_LENGTH),
                Fields.text(refusal.getFound(), Fields.TEXT_LENGTH),
                Fields.text(refusal.getMessage(), Fields.TEXT_LENGTH));
    }
}
