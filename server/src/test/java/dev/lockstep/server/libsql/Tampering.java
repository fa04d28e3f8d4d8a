package dev.lockstep.server.libsql;

import com.google.protobuf.ByteString;
import dev.lockstep.RefusedException.Kind;
import dev.lockstep.log.FrameLayout;
import dev.lockstep.server.libsql.v1.WalLog.Frame;
import dev.lockstep.server.libsql.v1.WalLog.HelloResponse;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** Changes one of the frames of a stream, or the Hello, that a server sends to one client. */
final class Tampering implements ServerInterceptor {

    enum Damage {
        NONE(null),
        PAGE_BIT(Kind.CHECKSUM),
        CHECKSUM_BIT(Kind.CHECKSUM),
        NUMBER_RAISED(Kind.GAP),
        NUMBER_LOWERED(Kind.REPEAT),
        PAGE_ZERO(Kind.PAGE_NUMBER),
        SHORT(Kind.MALFORMED),
        DROPPED(Kind.GAP),
        TWICE(Kind.REPEAT),
        OTHER_LOG(Kind.FOREIGN_LOG),
        HEAD_LOWERED(null);

        private final @Nullable Kind kind;

        Damage(@Nullable Kind kind) {
            this.kind = kind;
        }

        @Nullable
        Kind kind() {
            return kind;
        }
    }

    private static final int VICTIM = 5;

    private volatile Damage damage = Damage.NONE;
    private final AtomicInteger frames = new AtomicInteger();

    /** From the next stream on. */
    void inflict(Damage next) {
        damage = next;
    }

    @Override
    public <Q, A> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
        frames.set(0);
        return next.startCall(
                new SimpleForwardingServerCall<>(call) {
                    @Override
                    @SuppressWarnings("unchecked") // a message becomes one of its own class
                    public void sendMessage(A message) {
                        if (message instanceof HelloResponse hello) {
                            super.sendMessage((A) change(hello));
                        } else if (message instanceof Frame frame && frames.getAndIncrement() == VICTIM) {
                            if (damage == Damage.TWICE) {
                                super.sendMessage(message);
                            }
                            if (damage != Damage.DROPPED) {
                                super.sendMessage((A) change(frame));
                            }
                        } else {
                            super.sendMessage(message);
                        }
                    }
                },
                headers);
    }

    private HelloResponse change(HelloResponse hello) {
        return switch (damage) {
            case OTHER_LOG ->
                hello.toBuilder()
                        .setLogId("00000000-0000-0000-0000-000000000001")
                        .build();
            case HEAD_LOWERED -> hello.toBuilder().setCurrentReplicationIndex(0).build();
            default -> hello;
        };
    }

    private Frame change(Frame frame) {
        ByteBuffer bytes = ByteBuffer.wrap(frame.getData().toByteArray()).order(ByteOrder.LITTLE_ENDIAN);
        switch (damage) {
            case PAGE_BIT -> bytes.put(1000, (byte) (bytes.get(1000) ^ 1));
            case CHECKSUM_BIT -> FrameLayout.putChecksum(bytes, 0, FrameLayout.checksum(bytes, 0) ^ 1);
            case NUMBER_RAISED -> FrameLayout.putFrameNo(bytes, 0, FrameLayout.frameNo(bytes, 0) + 1);
            case NUMBER_LOWERED -> FrameLayout.putFrameNo(bytes, 0, FrameLayout.frameNo(bytes, 0) - 1);
            case PAGE_ZERO -> FrameLayout.putPageNo(bytes, 0, 0);
            case SHORT -> bytes.limit(bytes.limit() - 1);
            default -> {}
        }
        return frame.toBuilder().setData(ByteString.copyFrom(bytes)).build();
    }
}
