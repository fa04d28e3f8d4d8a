package dev.lockstep.server.libsql;

import dev.lockstep.server.libsql.v1.WalLog.Frame;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.stub.ServerCallStreamObserver;
import java.util.concurrent.TimeUnit;

/** Frames on their way to one client, no faster than it takes them. One thread sends. */
final class FrameStream {

    /** A client that takes nothing for so long is taken for dead. */
    private static final long STALL_NANOS = TimeUnit.SECONDS.toNanos(60);

    private final ServerCallStreamObserver<Frame> replies;

    /** To be made before the call's method returns. */
    FrameStream(ServerCallStreamObserver<Frame> replies) {
        this.replies = replies;
        replies.setOnReadyHandler(this::wake);
        replies.setOnCancelHandler(this::wake);
    }

    private synchronized void wake() {
        notifyAll();
    }

    boolean isCancelled() {
        return replies.isCancelled();
    }

    /** Waits until the client takes more. */
    synchronized void awaitReady() throws StatusException, InterruptedException {
        long deadline = System.nanoTime() + STALL_NANOS;
        while (!replies.isReady() && !replies.isCancelled()) {
            long left = deadline - System.nanoTime();
            if (left <= 0) {
                throw Status.DEADLINE_EXCEEDED
                        .withDescription("the client took nothing for 60 s")
                        .asException();
            }
            TimeUnit.NANOSECONDS.timedWait(this, left);
        }
    }

    /** Does nothing when the client is gone. */
    void send(Frame frame) {
        if (!replies.isCancelled()) {
            replies.onNext(frame);
        }
    }

    void complete() {
        if (!replies.isCancelled()) {
            replies.onCompleted();
        }
    }

    void fail(Throwable cause) {
        if (!replies.isCancelled()) {
            replies.onError(cause);
        }
    }
}
