package dev.lockstep.server;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.lockstep.server.v1.Proto;
import dev.lockstep.stream.SenderOptions;
import dev.lockstep.stream.ToReplica;
import dev.lockstep.testing.Fuzzer;
import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Damaged messages of Lockstep's own protocol are taken or refused, and never anything else. */
class CodecFuzzTest {

    private static final int ROUNDS = 20_000;

    @Test
    void messagesOfEitherSideAreTakenOrRefused() throws Exception {
        Fuzzer.once(CodecFuzzTest::decode);
    }

    @Test
    @Tag("soak")
    void messagesOfEitherSideAreTakenOrRefusedForLong() throws Exception {
        Fuzzer.forLong(CodecFuzzTest::decode);
    }

    private static void decode(Fuzzer fuzzer) {
        fuzzer.decode(
                ROUNDS,
                requests(),
                IllegalArgumentException.class,
                readable(bytes -> ToPrimaryCodec.decode(Proto.FollowRequest.parseFrom(bytes))));
        fuzzer.decode(ROUNDS, replies(), IllegalArgumentException.class, readable(CodecFuzzTest::decodeReply));
        fuzzer.decode(
                ROUNDS,
                List.of(status()),
                IllegalArgumentException.class,
                readable(bytes -> StatusCodec.decode(Proto.StatusReply.parseFrom(bytes))));
    }

    /** What gRPC itself refuses never gets to the codecs. */
    private static Fuzzer.Decoder readable(Fuzzer.Decoder decoder) {
        return bytes -> {
            try {
                decoder.decode(bytes);
            } catch (InvalidProtocolBufferException e) {
                throw new IllegalArgumentException(e);
            }
        };
    }

    private static void decodeReply(byte[] bytes) throws InvalidProtocolBufferException {
        ToReplica message = ToReplicaCodec.decode(Proto.FollowReply.parseFrom(bytes));
        if (message instanceof ToReplica.Frames frames
                && frames.frames().remaining() > Math.max(bytes.length, SenderOptions.MAX_MESSAGE_BYTES)) {
            throw new AssertionError(frames.frames().remaining() + " bytes out of " + bytes.length);
        }
    }

    private static List<byte[]> requests() {
        Proto.Hello.Builder hello = Proto.Hello.newBuilder()
                .setProtocol(1)
                .setDatabase("app")
                .setReplicaId(ByteString.copyFrom(new byte[16]))
                .setReplicaName("name")
                .setReached(7)
                .setWindow(8 << 20);
        hello.getPositionBuilder()
                .setLogId(ByteString.copyFrom(new byte[16]))
                .setPageSize(4096)
                .setFrameNo(7)
                .setSeal(ByteString.copyFrom(new byte[32]));
        Proto.FollowRequest.Builder ack = Proto.FollowRequest.newBuilder();
        ack.getAckBuilder().setReceived(100).setDurable(7).setApplied(9);
        Proto.FollowRequest.Builder refusal = Proto.FollowRequest.newBuilder();
        refusal.getRefusalBuilder()
                .setKind("CHECKSUM")
                .setFrameNo(8)
                .setExpected("1")
                .setFound("2");
        return List.of(
                Proto.FollowRequest.newBuilder().setHello(hello).build().toByteArray(),
                ack.build().toByteArray(),
                refusal.build().toByteArray());
    }

    private static Proto.Commit commit() {
        return Proto.Commit.newBuilder()
                .setFrameNo(3)
                .setChecksum(0x1234567890abcdefL)
                .setSizeAfter(2)
                .setTimeMillis(1_700_000_000_000L)
                .setSeal(ByteString.copyFrom(new byte[32]))
                .build();
    }

    private static List<byte[]> replies() {
        ByteBuffer frames = ByteBuffer.allocate(2 * 4120);
        frames.putLong(0, 3).putInt(16, 1);
        Proto.FollowReply plain = ToReplicaCodec.encode(new ToReplica.Frames(frames, List.of(), 3), false);
        Proto.FollowReply compressed = ToReplicaCodec.encode(new ToReplica.Frames(frames, List.of(), 3), true);
        Proto.FollowReply.Builder committed = compressed.toBuilder();
        committed.getFramesBuilder().addCommits(commit());
        Proto.FollowReply.Builder welcome = Proto.FollowReply.newBuilder();
        welcome.getWelcomeBuilder()
                .setLogId(ByteString.copyFrom(new byte[16]))
                .setPageSize(4096)
                .setAt(commit())
                .setHead(9);
        Proto.FollowReply.Builder begin = Proto.FollowReply.newBuilder();
        begin.getSnapshotBeginBuilder()
                .setLogId(ByteString.copyFrom(new byte[16]))
                .setPageSize(512)
                .setStart(commit())
                .setPages(4)
                .setHead(9);
        Proto.FollowReply refused = ToReplicaCodec.encode(
                new ToReplica.Refused(ToReplica.Refused.Reason.DIVERGED, "1", "2", "a message"), false);
        return List.of(
                plain.toByteArray(),
                compressed.toByteArray(),
                committed.build().toByteArray(),
                welcome.build().toByteArray(),
                begin.build().toByteArray(),
                refused.toByteArray(),
                ToReplicaCodec.encode(new ToReplica.SnapshotPages(frames), true).toByteArray(),
                ToReplicaCodec.encode(new ToReplica.SnapshotEnd(5), false).toByteArray(),
                ToReplicaCodec.encode(new ToReplica.Heartbeat(5, 6), false).toByteArray());
    }

    private static byte[] status() {
        Proto.StatusReply.Builder status =
                Proto.StatusReply.newBuilder().setVersion("1").setTimeMillis(5);
        Proto.Database.Builder database = status.addDatabasesBuilder()
                .setName("app")
                .setLogId(ByteString.copyFrom(new byte[16]))
                .setPageSize(4096)
                .setHead(commit())
                .setDurable(commit());
        database.getLogBuilder().setFirstFrameNo(0).setSegments(1).setBytes(4184);
        database.addReplicasBuilder().setName("r").setAddress("127.0.0.1:5").setState("FOLLOWING");
        database.addRefusalsBuilder().setReplicaName("r").setKind("CHECKSUM").setMessage("m");
        return status.build().toByteArray();
    }
}
