package dev.lockstep.server.libsql;

import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.stub.ServerCallStreamObserver;
import java.util.concurrent.TimeUnit;

/** Messages on their way to one client, no faster than it takes them. One thread sends. */
final class ClientStream<T> {

    /** A client that takes nothing for so long is taken for dead. */
    private static final long STALL_NANOS = TimeUnit.SECONDS.toNanos(60);

    private final ServerCallStreamObserver<T> replies;

    /** To be made before the call's method returns. */
    ClientStream(ServerCallStreamObserver<T> replies) {
        this.replies = replies;
        replies.setOnReadyHandler(this::wake);
        replies.setOnCancelHandler(this::wake);
    }

    /** Makes {@link #awaitReady} look again. */
    synchronized void wake() {
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
    void send(T message) {
        if (!replies.isCancelled()) {
            replies.onNext(message);
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
