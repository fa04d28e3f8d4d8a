package dev.lockstep.server.libsql;

import com.google.protobuf.ByteString;
import com.linecorp.armeria.server.ServiceRequestContext;
import dev.lockstep.NeedsSnapshotException;
import dev.lockstep.UnavailableException;
import dev.lockstep.log.CommitRecord;
import dev.lockstep.log.FrameLayout;
import dev.lockstep.log.FrameLog;
import dev.lockstep.log.LogReader;
import dev.lockstep.server.auth.Rights;
import dev.lockstep.server.libsql.v1.ReplicationLogGrpc;
import dev.lockstep.server.libsql.v1.WalLog.Frame;
import dev.lockstep.server.libsql.v1.WalLog.Frames;
import dev.lockstep.server.libsql.v1.WalLog.HelloRequest;
import dev.lockstep.server.libsql.v1.WalLog.HelloResponse;
import dev.lockstep.server.libsql.v1.WalLog.LogOffset;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves the log to libSQL's embedded replicas. What a client is told, and why:
 *
 * <pre>
 * Hello            log_id, a session token, and the last durable commit. A client asks for batches without pause until it has
 *                  that frame, so it is one that can be served at once, and never one inside of a transaction. What was captured
 *                  before Hello is waited for: a client that syncs after another's write has it.
 * BatchLogEntries  durable frames from the offset on, see {@link FrameBatch}; none only if there are none.
 * LogEntries       the same without end, as they come.
 * Snapshot         all pages at one durable commit. Frame numbers fall from that commit's; the last one sent has size_after.
 * </pre>
 *
 * <pre>
 * status 9 NO_HELLO                the session token is not that of this database since it is served: the client says hello again
 * status 9 NEED_SNAPSHOT           the log does not reach back to the offset: the client asks for a snapshot
 * status 9 NAMESPACE_DOESNT_EXIST  no such database
 * status 11                        the client is ahead of the log, so it has another history
 * status 12                        pages of another size than 4096: such clients know no other
 * status 14                        too much at once, or the database is being dropped: try again
 * </pre>
 *
 * <p>Calls come in on event loops and are served on other threads: batches on a few, with a bound on what waits to be written;
 * streams on one each, with a bound on their number. Thread-safe.
 */
public final class ReplicationLogService extends ReplicationLogGrpc.ReplicationLogImplBase implements AutoCloseable {

    private static final Logger logger = LoggerFactory.getLogger(ReplicationLogService.class);

    static final String SESSION_TOKEN = "x-session-token";
    private static final int THREADS = 4;
    private static final int WAITING_CALLS = 1024;

    /** Batches of 4 MiB that are read and not yet written out. */
    private static final int BATCHES = 16;

    private static final int STREAMS = 256;
    private static final long BATCH_MILLIS = 60_000;
    private static final long SYNC_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long TICK_NANOS = TimeUnit.MILLISECONDS.toNanos(250);
    private static final int STREAMED_FRAMES = 32;

    private final Lookup<LibsqlDatabase> databases;
    private final ExecutorService streams;
    private final ExecutorService calls;
    private final Semaphore batches = new Semaphore(BATCHES);
    private final AtomicInteger openStreams = new AtomicInteger();

    /** @param streams has a thread for each stream */
    public ReplicationLogService(Lookup<LibsqlDatabase> databases, ExecutorService streams) {
        this.databases = databases;
        this.streams = streams;
        AtomicInteger threads = new AtomicInteger();
        ThreadPoolExecutor pool = new ThreadPoolExecutor(
                THREADS, THREADS, 30, TimeUnit.SECONDS, new LinkedBlockingQueue<>(WAITING_CALLS), task -> {
                    Thread thread = new Thread(task, "lockstep-libsql-" + threads.incrementAndGet());
                    thread.setDaemon(true);
                    return thread;
                });
        pool.allowCoreThreadTimeOut(true);
        this.calls = pool;
    }

    /** A task of a call; what it throws becomes the call's status. */
    private interface Task {
        void run() throws IOException, StatusException, InterruptedException;
    }

    @Override
    public void hello(HelloRequest request, StreamObserver<HelloResponse> replies) {
        ServiceRequestContext context = ServiceRequestContext.current();
        answer(replies, calls, () -> {
            LibsqlDatabase database = find(context);
            FrameLog log = database.log();
            HelloResponse.Builder response = HelloResponse.newBuilder()
                    .setLogId(log.start().logId().toString())
                    .setSessionToken(ByteString.copyFromUtf8(database.sessionToken()));
            log.await(log.head().frameNo() - 1, true, SYNC_NANOS); // else it is not advertised
            long durable = log.durable().frameNo();
            if (durable >= 0) {
                response.setCurrentReplicationIndex(durable);
            }
            replies.onNext(response.build());
            replies.onCompleted();
        });
    }

    @Override
    public void batchLogEntries(LogOffset request, StreamObserver<Frames> replies) {
        ServiceRequestContext context = ServiceRequestContext.current();
        context.setRequestTimeoutMillis(BATCH_MILLIS);
        answer(replies, calls, () -> {
            LibsqlDatabase database = greeted(context);
            batches.acquire();
            afterwards(context, batches::release);
            replies.onNext(batch(database.log(), request.getNextOffset()));
            replies.onCompleted();
        });
    }

    private static Frames batch(FrameLog log, long next) throws IOException, StatusException {
        long durable = log.durable().frameNo();
        requireNotAhead(next, durable);
        Frames.Builder frames = Frames.newBuilder();
        if (next <= durable) {
            try (LogReader reader = log.reader(next - 1)) {
                FrameBatch.read(reader, FrameBatch.FRAMES, durable)
                        .endingWithCommit()
                        .forEach(frames::addFrames);
            }
        }
        return frames.build();
    }

    private static void requireNotAhead(long next, long durable) throws StatusException {
        if (next < 0 || next > durable + 1) {
            throw Status.OUT_OF_RANGE
                    .withDescription("frame " + Long.toUnsignedString(next)
                            + " was asked for, and the log ends with frame " + durable
                            + ": the replica is ahead, so it has another history; delete it and sync anew")
                    .asException();
        }
    }

    @Override
    public void logEntries(LogOffset request, StreamObserver<Frame> replies) {
        stream(replies, (database, stream) -> {
            FrameLog log = database.log();
            requireNotAhead(request.getNextOffset(), log.durable().frameNo());
            try (LogReader reader = log.reader(request.getNextOffset() - 1)) {
                while (!stream.isCancelled() && !database.isClosed()) {
                    stream.awaitReady();
                    if (log.await(reader.frameNo(), true, TICK_NANOS)) {
                        FrameBatch.read(reader, STREAMED_FRAMES, log.durable().frameNo())
                                .forEach(stream::send);
                    }
                }
            }
        });
    }

    @Override
    public void snapshot(LogOffset request, StreamObserver<Frame> replies) {
        stream(replies, (database, stream) -> {
            Snapshot snapshot = database.snapshot();
            try {
                send(snapshot, Math.max(0, request.getNextOffset()), database, stream);
            } finally {
                database.release(snapshot);
            }
        });
    }

    /** The chain's checksum is known for the commit itself; it stands in the first frame sent, which has the commit's number. */
    private static void send(Snapshot snapshot, long lowest, LibsqlDatabase database, ClientStream<Frame> stream)
            throws IOException, StatusException, InterruptedException {
        CommitRecord at = snapshot.at();
        int lockBytePage = FrameLayout.lockBytePage(LibsqlDatabase.PAGE_SIZE);
        int pages = snapshot.pages();
        int sent = 0;
        for (int pageNo = 1; sent < pages && !stream.isCancelled(); pageNo++) {
            if (pageNo == lockBytePage) {
                continue;
            }
            requireServed(database);
            stream.awaitReady();
            ByteBuffer frame = ByteBuffer.allocate(FrameLayout.frameSize(LibsqlDatabase.PAGE_SIZE))
                    .order(ByteOrder.LITTLE_ENDIAN);
            long checksum = sent == 0 ? at.checksum() : 0;
            int sizeAfter = sent == pages - 1 ? at.sizeAfter() : 0;
            FrameLayout.putHeader(frame, 0, Math.max(lowest, at.frameNo() - sent), checksum, pageNo, sizeAfter);
            snapshot.read(pageNo, frame.position(FrameLayout.HEADER));
            stream.send(FrameBatch.message(frame.flip(), 0));
            sent++;
        }
    }

    /** What a stream sends. */
    private interface Sending {
        void send(LibsqlDatabase database, ClientStream<Frame> stream)
                throws IOException, StatusException, InterruptedException;
    }

    private void stream(StreamObserver<Frame> replies, Sending sending) {
        ServiceRequestContext context = ServiceRequestContext.current();
        ClientStream<Frame> stream = new ClientStream<>((ServerCallStreamObserver<Frame>) replies);
        if (openStreams.incrementAndGet() > STREAMS) {
            openStreams.decrementAndGet();
            stream.fail(Status.UNAVAILABLE
                    .withDescription(STREAMS + " clients are being served, which is the limit; try later")
                    .asException());
            return;
        }
        afterwards(context, openStreams::decrementAndGet);
        answer(replies, streams, () -> {
            LibsqlDatabase database = greeted(context);
            sending.send(database, stream);
            requireServed(database);
            stream.complete();
        });
    }

    private static void requireServed(LibsqlDatabase database) throws UnavailableException {
        if (database.isClosed()) {
            throw new UnavailableException("database " + database.name() + " is no longer served here");
        }
    }

    private LibsqlDatabase find(ServiceRequestContext context) throws StatusException {
        RequestedDatabase requested = RequestedDatabase.of(context);
        LibsqlDatabase database;
        try {
            database = databases.find(requested, Rights.of(context));
        } catch (UnknownDatabaseException e) {
            logger.info("{} asked for a database: {}", context.remoteAddress(), e.getMessage());
            throw precondition("NAMESPACE_DOESNT_EXIST");
        }
        int pageSize = database.log().start().pageSize();
        if (pageSize != LibsqlDatabase.PAGE_SIZE) {
            String problem = "database " + database.name() + " has pages of " + pageSize
                    + " bytes, and embedded replicas of libSQL know pages of 4096 bytes only; use a Lockstep replica, or rebuild"
                    + " the database with PRAGMA page_size = 4096";
            logger.warn("{} was refused: {}", context.remoteAddress(), problem);
            throw Status.UNIMPLEMENTED.withDescription(problem).asException();
        }
        return database;
    }

    /** The database, if the client has said hello to it. */
    private LibsqlDatabase greeted(ServiceRequestContext context) throws StatusException {
        LibsqlDatabase database = find(context);
        if (!database.sessionToken().equals(context.request().headers().get(SESSION_TOKEN))) {
            throw precondition("NO_HELLO");
        }
        return database;
    }

    private static StatusException precondition(String name) {
        return Status.FAILED_PRECONDITION.withDescription(name).asException();
    }

    /** Once the response is written, or given up. */
    private static void afterwards(ServiceRequestContext context, Runnable task) {
        var unused = context.log().whenComplete().thenRun(task);
    }

    private void answer(StreamObserver<?> replies, ExecutorService executor, Task task) {
        try {
            executor.execute(() -> {
                try {
                    task.run();
                } catch (NeedsSnapshotException e) {
                    fail(replies, precondition("NEED_SNAPSHOT"));
                } catch (StatusException e) {
                    fail(replies, e);
                } catch (UnavailableException e) {
                    fail(
                            replies,
                            Status.UNAVAILABLE.withDescription(e.getMessage()).asException());
                } catch (IOException | RuntimeException e) {
                    logger.warn("a libSQL client could not be served: {}", e.getMessage(), e);
                    fail(
                            replies,
                            Status.INTERNAL.withDescription(e.getMessage()).asException());
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    fail(
                            replies,
                            Status.UNAVAILABLE
                                    .withDescription("the server stops")
                                    .asException());
                }
            });
        } catch (RejectedExecutionException e) {
            fail(
                    replies,
                    Status.UNAVAILABLE
                            .withDescription("too many calls wait; try later")
                            .asException());
        }
    }

    private static void fail(StreamObserver<?> replies, StatusException cause) {
        if (!((ServerCallStreamObserver<?>) replies).isCancelled()) {
            replies.onError(cause);
        }
    }

    @Override
    public void close() {
        calls.shutdownNow();
    }
}
