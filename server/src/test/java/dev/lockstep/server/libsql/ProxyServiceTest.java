package dev.lockstep.server.libsql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import com.linecorp.armeria.client.grpc.GrpcClients;
import dev.lockstep.Primary;
import dev.lockstep.server.LockstepServer;
import dev.lockstep.server.libsql.v1.ProxyGrpc;
import dev.lockstep.server.libsql.v1.ProxyGrpc.ProxyBlockingStub;
import dev.lockstep.server.libsql.v1.ProxyProto.Cond;
import dev.lockstep.server.libsql.v1.ProxyProto.DescribeRequest;
import dev.lockstep.server.libsql.v1.ProxyProto.Description;
import dev.lockstep.server.libsql.v1.ProxyProto.DisconnectMessage;
import dev.lockstep.server.libsql.v1.ProxyProto.Error.ErrorCode;
import dev.lockstep.server.libsql.v1.ProxyProto.ExecReq;
import dev.lockstep.server.libsql.v1.ProxyProto.ExecResp;
import dev.lockstep.server.libsql.v1.ProxyProto.ExecuteResults;
import dev.lockstep.server.libsql.v1.ProxyProto.OkCond;
import dev.lockstep.server.libsql.v1.ProxyProto.Program;
import dev.lockstep.server.libsql.v1.ProxyProto.ProgramReq;
import dev.lockstep.server.libsql.v1.ProxyProto.QueryResult;
import dev.lockstep.server.libsql.v1.ProxyProto.RespStep;
import dev.lockstep.server.libsql.v1.ProxyProto.State;
import dev.lockstep.server.libsql.v1.ProxyProto.Step;
import dev.lockstep.server.libsql.v1.ProxyProto.Value;
import dev.lockstep.server.sql.SqlLimits;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The Proxy service over real gRPC and gRPC-Web. */
class ProxyServiceTest {

    private static final Duration LONG = Duration.ofSeconds(30);

    @TempDir
    static Path directory;

    private static Primary primary;
    private static LockstepServer server;
    private static ProxyBlockingStub proxy;

    @BeforeAll
    static void start() throws Exception {
        primary = Primary.of(directory.resolve("app.db")).open();
        server = LockstepServer.builder()
                .listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .database(primary)
                .sql(SqlLimits.defaults())
                .start();
        proxy = stub("gproto+h2c", ProxyBlockingStub.class);
        run("a", step("CREATE TABLE t (id INTEGER PRIMARY KEY, v UNIQUE)"));
    }

    @AfterAll
    static void stop() throws Exception {
        server.close();
        primary.close();
    }

    private static <T> T stub(String protocol, Class<T> type) {
        return GrpcClients.builder(protocol + "://127.0.0.1:" + server.port())
                .responseTimeout(LONG)
                .build(type);
    }

    private static Step.Builder step(String sql) {
        Step.Builder step = Step.newBuilder();
        step.getQueryBuilder().setStmt(sql);
        return step;
    }

    private static Cond ok(int step) {
        return Cond.newBuilder().setOk(OkCond.newBuilder().setStep(step)).build();
    }

    private static Cond not(Cond cond) {
        Cond.Builder not = Cond.newBuilder();
        not.getNotBuilder().setCond(cond);
        return not.build();
    }

    private static ExecuteResults run(String client, Step.Builder... steps) {
        Program.Builder program = Program.newBuilder();
        for (Step.Builder step : steps) {
            program.addSteps(step);
        }
        return proxy.execute(
                ProgramReq.newBuilder().setClientId(client).setPgm(program).build());
    }

    private static Object value(ExecuteResults results, int step) {
        return ValueCodec.decode(results.getResults(step).getRow().getRows(0).getValues(0));
    }

    private static dev.lockstep.server.sql.Value number(long value) {
        return new dev.lockstep.server.sql.Value.Int(value);
    }

    @Test
    void aWriteAnswersWithADurableFrameAndAReadWithNone() {
        ExecuteResults write = run("w", step("INSERT INTO t(v) VALUES ('w')"));
        assertThat(write.getState()).isEqualTo(State.INIT);
        assertThat(write.getResults(0).getRow().getAffectedRowCount()).isEqualTo(1);
        assertThat(write.getCurrentFrameNo())
                .isLessThanOrEqualTo(primary.log().durable().frameNo());
        assertThat(run("w", step("SELECT v FROM t")).hasCurrentFrameNo()).isFalse();
    }

    @Test
    void aTransactionBelongsToItsClientUntilItDisconnects() {
        ExecuteResults begun = run("one", step("BEGIN IMMEDIATE"), step("INSERT INTO t(v) VALUES ('open')"));
        assertThat(begun.getState()).isEqualTo(State.TXN);
        assertThat(begun.hasCurrentFrameNo()).isFalse();
        String count = "SELECT count(*) FROM t WHERE v = 'open'";
        assertThat(value(run("one", step(count)), 0)).isEqualTo(number(1));
        assertThat(value(run("two", step(count)), 0)).isEqualTo(number(0));
        var unused = proxy.disconnect(
                DisconnectMessage.newBuilder().setClientId("one").build());
        assertThat(run("two", step("INSERT INTO t(v) VALUES ('open')")).getState())
                .isEqualTo(State.INIT);
        assertThat(run("one", step(count)).getState()).isEqualTo(State.INIT);
    }

    @Test
    void everyStepHasOneResultWhateverItsCondition() {
        ExecuteResults results = run(
                "c",
                step("SELECT 1"),
                step("SELECT nowhere"),
                step("SELECT 2").setCond(ok(0)),
                step("SELECT 3").setCond(ok(1)),
                step("SELECT 4").setCond(not(ok(3))),
                step("BEGIN")
                        .setCond(Cond.newBuilder()
                                .setIsAutocommit(Cond.getDefaultInstance().getIsAutocommit())),
                step("ROLLBACK")
                        .setCond(not(Cond.newBuilder()
                                .setIsAutocommit(Cond.getDefaultInstance().getIsAutocommit())
                                .build())));
        assertThat(results.getResultsCount()).isEqualTo(7);
        assertThat(value(results, 2)).isEqualTo(number(2));
        assertThat(results.getResults(1).getError().getMessage()).isEqualTo("no such column: nowhere");
        assertThat(results.getResults(3).getRow().getRowsCount()).isZero();
        assertThat(value(results, 4)).isEqualTo(number(4));
        assertThat(results.getResultsList()).filteredOn(QueryResult::hasError).hasSize(1);
        assertThat(results.getState()).isEqualTo(State.INIT);
    }

    @Test
    void errorsStandInTheResultWithSqlitesExtendedCode() {
        ExecuteResults results = run("e", step("INSERT INTO t(v) VALUES ('e')"), step("INSERT INTO t(v) VALUES ('e')"));
        assertThat(results.getResults(1).getError().getExtendedCode()).isEqualTo(2067);
        assertThat(results.getResults(1).getError().getCode()).isEqualTo(ErrorCode.SQL_ERROR);
        assertThat(results.getResults(1).getError().getMessage()).isEqualTo("UNIQUE constraint failed: t.v");
    }

    @Test
    void aWriteThatIsNotCapturedIsSaidToBeCommitted(@TempDir Path own) throws Exception {
        Primary closing = Primary.of(own.resolve("app.db")).open();
        try (LockstepServer serving = LockstepServer.builder()
                .listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .database(closing)
                .sql(SqlLimits.defaults())
                .start()) {
            closing.close();
            ProxyBlockingStub calls =
                    GrpcClients.newClient("gproto+h2c://127.0.0.1:" + serving.port(), ProxyBlockingStub.class);
            Program program =
                    Program.newBuilder().addSteps(step("CREATE TABLE t (v)")).build();
            ProgramReq request =
                    ProgramReq.newBuilder().setClientId("x").setPgm(program).build();
            StatusRuntimeException failure =
                    catchThrowableOfType(StatusRuntimeException.class, () -> calls.execute(request));
            assertThat(failure.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
            assertThat(failure.getStatus().getDescription()).contains("the write is committed, but it is not captured");
            assertThat(calls.execute(request).getResults(0).getError().getMessage())
                    .contains("already exists");
        }
    }

    @Test
    void describeNamesParametersWhereClientsLookForThem() {
        Description description = describe("INSERT INTO t(v) VALUES (:a) RETURNING id");
        assertThat(description.getParamNamesList()).containsExactly("", ":a");
        assertThat(description.getParamCount()).isEqualTo(1);
        assertThat(description.getColumnDescriptions(0).getName()).isEqualTo("id");
        assertThat(describe("SELECT ?, ?").getParamNamesList()).isEmpty();
        assertThat(describe("SELECT ?, ?").getParamCount()).isEqualTo(2);
        assertThat(proxy.describe(DescribeRequest.newBuilder()
                                .setClientId("d")
                                .setStmt("SELECT FROM")
                                .build())
                        .getError()
                        .getMessage())
                .contains("syntax error");
    }

    private static Description describe(String sql) {
        return proxy.describe(DescribeRequest.newBuilder()
                        .setClientId("d")
                        .setStmt(sql)
                        .build())
                .getDescription();
    }

    @Test
    void messagesThatMakeNoSenseAreRefusedAndTheServerGoesOn() {
        Step.Builder badValue = step("SELECT ?");
        badValue.getQueryBuilder().getPositionalBuilder().addValues(Value.getDefaultInstance());
        Step.Builder badNames = step("SELECT :a");
        badNames.getQueryBuilder().getNamedBuilder().addNames(":a");
        for (Step.Builder bad : List.of(
                badValue,
                badNames,
                step("SELECT 1").setCond(ok(0)),
                step("SELECT 1").setCond(Cond.newBuilder()))) {
            StatusRuntimeException failure = catchThrowableOfType(StatusRuntimeException.class, () -> run("m", bad));
            assertThat(failure.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
            assertThat(failure.getStatus().getDescription()).isNotEmpty();
        }
        assertThat(catchThrowableOfType(StatusRuntimeException.class, () -> run("", step("SELECT 1")))
                        .getStatus()
                        .getCode())
                .isEqualTo(Status.Code.INVALID_ARGUMENT);
        assertThat(value(run("m", step("SELECT 5")), 0)).isEqualTo(number(5));
    }

    @Test
    void grpcWebOverHttp1Works() {
        ProxyBlockingStub web = stub("gproto-web+h1c", ProxyBlockingStub.class);
        ExecuteResults results = web.execute(ProgramReq.newBuilder()
                .setClientId("web")
                .setPgm(Program.newBuilder().addSteps(step("SELECT zeroblob(3000000)")))
                .build());
        assertThat(results.getResults(0).getRow().getRowsCount()).isEqualTo(1);
    }

    @Test
    void aCallWhoseClientIsGoneIsInterrupted() {
        ProxyGrpc.ProxyStub calls = GrpcClients.builder("gproto+h2c://127.0.0.1:" + server.port())
                .responseTimeout(Duration.ofMillis(300))
                .build(ProxyGrpc.ProxyStub.class);
        List<String> ends = new CopyOnWriteArrayList<>();
        calls.execute(
                ProgramReq.newBuilder()
                        .setClientId("gone")
                        .setPgm(Program.newBuilder()
                                .addSteps(step("BEGIN IMMEDIATE"))
                                .addSteps(
                                        step(
                                                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"))
                                .addSteps(step("INSERT INTO t(v) VALUES ('gone')"))
                                .addSteps(step("COMMIT")))
                        .build(),
                new Collecting<>(new CopyOnWriteArrayList<>(), ends));
        await().atMost(LONG).until(() -> !ends.isEmpty());
        // Waits for the same client's turn, then for the transaction that idles out.
        assertThat(run("gone", step("SELECT 1"), step("ROLLBACK")).getResultsCount())
                .isEqualTo(2);
        assertThat(value(run("other", step("SELECT count(*) FROM t WHERE v = 'gone'")), 0))
                .isEqualTo(number(0));
    }

    private record Collecting<T>(List<T> messages, List<String> ends) implements StreamObserver<T> {

        @Override
        public void onNext(T message) {
            messages.add(message);
        }

        @Override
        public void onError(Throwable error) {
            ends.add(error.toString());
        }

        @Override
        public void onCompleted() {
            ends.add("completed");
        }
    }

    @Test
    void aStreamIsOneSessionAndAnswersInPieces() {
        ProxyGrpc.ProxyStub calls = stub("gproto+h2c", ProxyGrpc.ProxyStub.class);
        List<ExecResp> answers = new CopyOnWriteArrayList<>();
        List<String> ends = new CopyOnWriteArrayList<>();
        StreamObserver<ExecReq> requests = calls.streamExec(new Collecting<>(answers, ends));
        send(
                requests,
                1,
                step("CREATE TEMP TABLE x AS SELECT value AS a, zeroblob(1000) AS b FROM json_each('[1,2]')"));
        send(requests, 2, step("SELECT a.a, b.b FROM x AS a, x AS b, x AS c, x, x, x, x, x"), step("SELECT nowhere"));
        ExecReq.Builder describe = ExecReq.newBuilder().setRequestId(3);
        describe.getDescribeBuilder().setStmt("SELECT a FROM x WHERE a = :a");
        requests.onNext(describe.build());
        requests.onCompleted();
        await().atMost(LONG).until(() -> !ends.isEmpty());

        assertThat(ends).containsExactly("completed");
        List<RespStep> second = answers.stream()
                .filter(answer -> answer.getRequestId() == 2)
                .flatMap(answer -> answer.getProgramResp().getStepsList().stream())
                .toList();
        assertThat(answers.stream().filter(answer -> answer.getRequestId() == 2))
                .hasSizeGreaterThan(2);
        assertThat(second).filteredOn(RespStep::hasFinishRow).hasSize(256);
        assertThat(second.get(0).hasInit()).isTrue();
        assertThat(second.get(second.size() - 2).getStepError().getError().getMessage())
                .isEqualTo("no such column: nowhere");
        assertThat(second.get(second.size() - 1).getFinish().getIsAutocommit()).isTrue();
        ExecResp last = answers.get(answers.size() - 1);
        assertThat(last.getDescribeResp().getParams(0).getName()).isEqualTo(":a");
        assertThat(last.getDescribeResp().getIsReadonly()).isTrue();
    }

    private static void send(StreamObserver<ExecReq> requests, int id, Step.Builder... steps) {
        ExecReq.Builder request = ExecReq.newBuilder().setRequestId(id);
        for (Step.Builder step : steps) {
            request.getExecuteBuilder().getPgmBuilder().addSteps(step);
        }
        requests.onNext(request.build());
    }
}
