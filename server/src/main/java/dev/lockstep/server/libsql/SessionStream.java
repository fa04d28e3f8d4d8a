package dev.lockstep.server.libsql;

import dev.lockstep.UnavailableException;
import dev.lockstep.server.libsql.v1.ProxyProto.ExecReq;
import dev.lockstep.server.libsql.v1.ProxyProto.ExecResp;
import dev.lockstep.server.sql.SqlGrant;
import dev.lockstep.server.sql.SqlSession;
import io.grpc.StatusException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One StreamExec: requests come in on an event loop and are answered, one after the other, on the thread that {@link #serve serves} it. The
 * next request is asked for when the one before was answered, so at most one waits.
 */
final class SessionStream implements StreamObserver<ExecReq> {

    /** A stream without requests ends after so long. */
    private static final long IDLE_SECONDS = 60;

    private static final Optional<ExecReq> END = Optional.empty();

    private final ServerCallStreamObserver<ExecResp> observer;
    private final ClientStream<ExecResp> stream;
    private final BlockingQueue<Optional<ExecReq>> requests = new LinkedBlockingQueue<>();
    private volatile @Nullable SqlSession session;

    /** To be made before the call's method returns. */
    SessionStream(ServerCallStreamObserver<ExecResp> observer) {
        this.observer = observer;
        this.stream = new ClientStream<>(observer);
        observer.disableAutoRequest();
        observer.setOnCancelHandler(this::gone);
        observer.request(1);
    }

    @Override
    public void onNext(ExecReq request) {
        requests.add(Optional.of(request));
    }

    @Override
    public void onError(Throwable cause) {
        gone();
    }

    @Override
    public void onCompleted() {
        requests.add(END);
    }

    /** The client is gone: whatever runs for it ends. */
    private void gone() {
        requests.add(END);
        stream.wake();
        SqlSession running = session;
        if (running != null) {
            running.close();
        }
    }

    void serve(SqlGrant granted) throws StatusException, UnavailableException {
        try (SqlSession own = granted.session()) {
            session = own;
            Optional<ExecReq> request = next();
            while (request.isPresent() && !stream.isCancelled()) {
                ProxyService.answer(own, request.get(), stream, granted.database());
                observer.request(1);
                request = next();
            }
            stream.complete();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private Optional<ExecReq> next() throws InterruptedException {
        Optional<ExecReq> next = requests.poll(IDLE_SECONDS, TimeUnit.SECONDS);
        return next == null ? END : next;
    }
}
