package dev.lockstep.server.libsql;

import com.linecorp.armeria.server.ServiceRequestContext;
import dev.lockstep.UnavailableException;
import dev.lockstep.server.auth.Rights;
import dev.lockstep.server.libsql.v1.ProxyGrpc;
import dev.lockstep.server.libsql.v1.ProxyProto.Ack;
import dev.lockstep.server.libsql.v1.ProxyProto.DescribeRequest;
import dev.lockstep.server.libsql.v1.ProxyProto.DescribeResp;
import dev.lockstep.server.libsql.v1.ProxyProto.DescribeResult;
import dev.lockstep.server.libsql.v1.ProxyProto.DisconnectMessage;
import dev.lockstep.server.libsql.v1.ProxyProto.ExecReq;
import dev.lockstep.server.libsql.v1.ProxyProto.ExecResp;
import dev.lockstep.server.libsql.v1.ProxyProto.ExecuteResults;
import dev.lockstep.server.libsql.v1.ProxyProto.ProgramReq;
import dev.lockstep.server.libsql.v1.ProxyProto.State;
import dev.lockstep.server.sql.Description;
import dev.lockstep.server.sql.SqlDatabase;
import dev.lockstep.server.sql.SqlFailure;
import dev.lockstep.server.sql.SqlGrant;
import dev.lockstep.server.sql.SqlSession;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs the SQL that libSQL's embedded replicas pass on to their primary: writes, and reads inside of transactions that write.
 *
 * <pre>
 * Execute     runs a program in the session of client_id. What a statement fails with stands in its result, as SQLite's extended code
 *             and message. current_frame_no: frame of the last write, which is durable by then, so that the Hello that follows
 *             advertises it and the client reads its own writes. state: TXN while a transaction is open.
 * Describe    param_names begin with an empty one where parameters have names: clients look for the name of parameter 1 at index 1, and
 *             crash if there is none. An error's code is SQLite's extended one: there, and only there, clients take it for that.
 * Disconnect  ends the session of client_id. A client that says nothing for 30 s loses it as well.
 * StreamExec  a session for each stream; requests are answered in their order.
 * </pre>
 *
 * <pre>
 * status 3    a message that makes no sense
 * status 8    too many clients or calls at once
 * status 9    NAMESPACE_DOESNT_EXIST
 * status 14   the frame of a committed write is not known, or could not be made durable in time, or the server stops
 * </pre>
 *
 * <p>Calls come in on event loops and run on other threads, one for each call or stream, with a bound on their number. A call whose client
 * is gone is interrupted. Thread-safe.
 */
public final class ProxyService extends ProxyGrpc.ProxyImplBase implements AutoCloseable {

    private static final Logger logger = LoggerFactory.getLogger(ProxyService.class);

    /** Of one request: a statement with its values. */
    public static final int MAX_REQUEST = 64 << 20;

    private static final int MAX_CALLS = 512;
    private static final long FORGET_SECONDS = 5;

    private final Lookup<SqlGrant> databases;
    private final ExecutorService threads;
    private final ProxyClients clients = new ProxyClients();
    private final Semaphore calls = new Semaphore(MAX_CALLS);
    private final ScheduledExecutorService forgetting = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "lockstep-proxy-idle");
        thread.setDaemon(true);
        return thread;
    });

    /** @param threads has one for each call */
    public ProxyService(Lookup<SqlGrant> databases, ExecutorService threads) {
        this.databases = databases;
        this.threads = threads;
        var unused = forgetting.scheduleWithFixedDelay(
                clients::forgetIdle, FORGET_SECONDS, FORGET_SECONDS, TimeUnit.SECONDS);
    }

    /** What a call does on its own thread; what it throws becomes the call's status. */
    private interface Task<T> {
        T run(SqlGrant granted, Interrupter interrupter) throws StatusException, UnavailableException;
    }

    /** Interrupts the statement of a call whose client is gone, and none of another call. */
    private static final class Interrupter {

        private @Nullable SqlSession running;
        private boolean stopped;

        synchronized void stop() {
            stopped = true;
            if (running != null) {
                running.cancel();
            }
        }

        synchronized void runs(@Nullable SqlSession session) {
            running = session;
        }

        synchronized boolean isStopped() {
            return stopped;
        }
    }

    @Override
    public void execute(ProgramReq request, StreamObserver<ExecuteResults> replies) {
        answer(replies, (granted, interrupter) -> {
            SqlProgram program = new SqlProgram(request.getPgm());
            ProxyClients.Client client = clients.enter(granted, request.getClientId());
            interrupter.runs(client.session());
            try {
                CollectedResults results = new CollectedResults();
                Long frameNo = program.run(client.session(), results, interrupter::isStopped);
                if (frameNo != null) {
                    granted.database().awaitDurable(frameNo);
                    results.message().setCurrentFrameNo(frameNo);
                }
                boolean open = !client.session().isAutocommit();
                return results.message().setState(open ? State.TXN : State.INIT).build();
            } finally {
                interrupter.runs(null);
                client.leave();
            }
        });
    }

    @Override
    public void describe(DescribeRequest request, StreamObserver<DescribeResult> replies) {
        answer(replies, (granted, interrupter) -> {
            ProxyClients.Client client = clients.enter(granted, request.getClientId());
            interrupter.runs(client.session());
            DescribeResult.Builder result = DescribeResult.newBuilder();
            try {
                describe(client.session().describe(request.getStmt()), result);
            } catch (SqlFailure failure) {
                result.setError(CollectedResults.error(failure).toBuilder().setCodeValue(failure.extended()));
            } finally {
                interrupter.runs(null);
                client.leave();
            }
            return result.build();
        });
    }

    private static void describe(Description found, DescribeResult.Builder result) {
        var description = result.getDescriptionBuilder();
        found.columns().forEach(column -> description.addColumnDescriptions(CollectedResults.column(column)));
        List<@Nullable String> names = found.parameters();
        description.setParamCount(names.size());
        if (names.stream().anyMatch(Objects::nonNull)) {
            description.addParamNames("");
            names.forEach(name -> description.addParamNames(name == null ? "" : name));
        }
    }

    @Override
    public void disconnect(DisconnectMessage request, StreamObserver<Ack> replies) {
        answer(replies, (granted, interrupter) -> {
            clients.disconnect(granted, request.getClientId());
            return Ack.getDefaultInstance();
        });
    }

    private <T> void answer(StreamObserver<T> replies, Task<T> task) {
        ServerCallStreamObserver<T> observer = (ServerCallStreamObserver<T>) replies;
        Interrupter interrupter = new Interrupter();
        observer.setOnCancelHandler(interrupter::stop);
        start(observer, granted -> {
            T reply = task.run(granted, interrupter);
            if (!observer.isCancelled()) {
                observer.onNext(reply);
                observer.onCompleted();
            }
        });
    }

    /** A task on a thread of its own. */
    private interface Work {
        void run(SqlGrant granted) throws StatusException, UnavailableException;
    }

    private void start(ServerCallStreamObserver<?> observer, Work work) {
        ServiceRequestContext context = ServiceRequestContext.current();
        if (!calls.tryAcquire()) {
            fail(observer, Status.RESOURCE_EXHAUSTED, MAX_CALLS + " calls are being served, which is the limit");
            return;
        }
        try {
            threads.execute(() -> {
                try {
                    work.run(find(context));
                } catch (StatusException e) {
                    fail(observer, e.getStatus(), e.getStatus().getDescription());
                } catch (IllegalArgumentException e) {
                    fail(observer, Status.INVALID_ARGUMENT, e.getMessage());
                } catch (UnavailableException e) {
                    fail(observer, Status.UNAVAILABLE, e.getMessage());
                } catch (RuntimeException e) {
                    logger.error("a call of a libSQL client failed", e);
                    fail(observer, Status.INTERNAL, String.valueOf(e));
                } finally {
                    calls.release();
                }
            });
        } catch (RejectedExecutionException e) {
            calls.release();
            fail(observer, Status.UNAVAILABLE, "the server stops");
        }
    }

    private SqlGrant find(ServiceRequestContext context) throws StatusException {
        try {
            return databases.find(RequestedDatabase.of(context), Rights.of(context));
        } catch (UnknownDatabaseException e) {
            throw Status.FAILED_PRECONDITION
                    .withDescription("NAMESPACE_DOESNT_EXIST")
                    .asException();
        }
    }

    private static void fail(ServerCallStreamObserver<?> observer, Status status, @Nullable String description) {
        if (!observer.isCancelled()) {
            observer.onError(status.withDescription(description).asException());
        }
    }

    @Override
    public StreamObserver<ExecReq> streamExec(StreamObserver<ExecResp> replies) {
        ServerCallStreamObserver<ExecResp> observer = (ServerCallStreamObserver<ExecResp>) replies;
        SessionStream session = new SessionStream(observer);
        start(observer, session::serve);
        return session;
    }

    /** Programs of the streams, and their answers. */
    static void answer(SqlSession session, ExecReq request, ClientStream<ExecResp> stream, SqlDatabase database)
            throws StatusException, UnavailableException {
        switch (request.getRequestCase()) {
            case EXECUTE -> {
                SqlProgram program = new SqlProgram(request.getExecute().getPgm());
                StreamedResults results = new StreamedResults(stream, request.getRequestId());
                Long frameNo = program.run(session, results, stream::isCancelled);
                if (frameNo != null) {
                    database.awaitDurable(frameNo);
                }
                results.end(frameNo, session.isAutocommit());
            }
            case DESCRIBE -> {
                ExecResp.Builder reply = ExecResp.newBuilder().setRequestId(request.getRequestId());
                try {
                    describe(session.describe(request.getDescribe().getStmt()), reply.getDescribeRespBuilder());
                } catch (SqlFailure failure) {
                    reply.setError(CollectedResults.error(failure));
                }
                stream.send(reply.build());
            }
            case REQUEST_NOT_SET -> throw new IllegalArgumentException("a request of no kind");
        }
    }

    private static void describe(Description found, DescribeResp.Builder reply) {
        found.parameters().forEach(name -> {
            var parameter = reply.addParamsBuilder();
            if (name != null) {
                parameter.setName(name);
            }
        });
        found.columns().forEach(column -> {
            var described = reply.addColsBuilder().setName(column.name());
            String decltype = column.decltype();
            if (decltype != null) {
                described.setDecltype(decltype);
            }
        });
        reply.setIsExplain(found.explain()).setIsReadonly(found.readOnly());
    }

    /** Ends all sessions. */
    @Override
    public void close() {
        forgetting.shutdownNow();
        clients.close();
    }
}
