package dev.lockstep.server.libsql;

import dev.lockstep.server.libsql.v1.WalLog.Frame;
import dev.lockstep.server.libsql.v1.WalLog.LogOffset;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Frames of one streaming call on their way in. Holds a bounded number; the network layer holds the rest back. One thread takes. */
final class FrameQueue implements ClientResponseObserver<LogOffset, Frame>, AutoCloseable {

    private static final int AHEAD = 512;
    private static final int ASK_FOR = AHEAD / 4;

    /** The end has no frame, and nothing comes after it. */
    private record Arrival(@Nullable Frame frame) {}

    private static final Arrival END = new Arrival(null);

    private final BlockingQueue<Arrival> arrivals = new LinkedBlockingQueue<>();
    private int taken;

    /** Set before the call starts. */
    private volatile @Nullable ClientCallStreamObserver<LogOffset> call;

    /** Why the stream ended; null if it came to its end. Set before the end is queued. */
    private volatile @Nullable StatusException failure;

    private volatile boolean ended;

    @Override
    public void beforeStart(ClientCallStreamObserver<LogOffset> stream) {
        stream.disableAutoRequestWithInitial(AHEAD);
        call = stream;
    }

    @Override
    public void onNext(Frame frame) {
        arrivals.add(new Arrival(frame));
    }

    @Override
    public void onError(Throwable cause) {
        Status status = Status.fromThrowable(cause);
        failure = status.asException();
        arrivals.add(END);
    }

    @Override
    public void onCompleted() {
        arrivals.add(END);
    }

    /**
     * The next frame; null if none came in time, or the stream is at its {@link #isEnded end}.
     *
     * @throws StatusException if it was broken off
     */
    @Nullable
    Frame next(long timeoutNanos) throws StatusException, InterruptedException {
        Arrival arrival = ended ? END : arrivals.poll(timeoutNanos, TimeUnit.NANOSECONDS);
        if (arrival == null) {
            return null;
        }
        Frame frame = arrival.frame;
        if (frame == null) {
            ended = true;
            StatusException cause = failure;
            if (cause != null) {
                throw cause;
            }
            return null;
        }
        if (++taken % ASK_FOR == 0 && call != null) {
            call.request(ASK_FOR);
        }
        return frame;
    }

    boolean isEnded() {
        return ended;
    }

    @Override
    public void close() {
        ClientCallStreamObserver<LogOffset> stream = call;
        if (stream != null) {
            stream.cancel("closed by the replica", null);
        }
    }
}
