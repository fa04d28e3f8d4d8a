package dev.lockstep.server.libsql;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import dev.lockstep.Primary;
import dev.lockstep.server.LockstepServer;
import dev.lockstep.server.libsql.v1.ProxyProto.DescribeRequest;
import dev.lockstep.server.libsql.v1.ProxyProto.DisconnectMessage;
import dev.lockstep.server.libsql.v1.ProxyProto.ExecReq;
import dev.lockstep.server.libsql.v1.ProxyProto.ExecuteResults;
import dev.lockstep.server.libsql.v1.ProxyProto.Program;
import dev.lockstep.server.libsql.v1.ProxyProto.ProgramReq;
import dev.lockstep.server.libsql.v1.ProxyProto.Query;
import dev.lockstep.server.libsql.v1.ProxyProto.Step;
import dev.lockstep.server.sql.SqlLimits;
import dev.lockstep.server.sql.Value;
import dev.lockstep.testing.Fuzzer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damaged messages of libSQL's Proxy get an answer in the protocol's form, and the next client is served. */
class ProxyFuzzTest {

    private static final int ROUNDS = 20_000;
    private static final int CALLS = 600;

    @TempDir
    Path directory;

    private final HttpClient client = HttpClient.newHttpClient();
    private Primary primary;
    private LockstepServer server;

    @BeforeEach
    void start() throws Exception {
        primary = Primary.of(directory.resolve("app.db")).open();
        server = LockstepServer.builder()
                .listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .database(primary)
                .sql(SqlLimits.defaults().withTransactions(Duration.ofMillis(100), Duration.ofSeconds(1)))
                .start();
    }

    @AfterEach
    void stop() throws Exception {
        server.close();
        primary.close();
    }

    private static Program program() {
        Query.Builder positional = Query.newBuilder().setStmt("INSERT INTO t VALUES (?, ?, ?)");
        for (Value value : List.of(Value.NULL, new Value.Text("text"), new Value.Blob(new byte[] {0, 1, 2}))) {
            positional.getPositionalBuilder().addValues(ValueCodec.encode(value));
        }
        Query.Builder named = Query.newBuilder().setStmt("SELECT :a").setSkipRows(true);
        named.getNamedBuilder().addNames(":a").addValues(ValueCodec.encode(new Value.Int(5)));
        Step.Builder conditional = Step.newBuilder().setQuery(named);
        conditional
                .getCondBuilder()
                .getAndBuilder()
                .addCondsBuilder()
                .getOkBuilder()
                .setStep(0);
        conditional
                .getCondBuilder()
                .getAndBuilder()
                .addCondsBuilder()
                .getNotBuilder()
                .getCondBuilder()
                .getErrBuilder()
                .setStep(1);
        return Program.newBuilder()
                .addSteps(step("BEGIN IMMEDIATE"))
                .addSteps(step("CREATE TABLE IF NOT EXISTS t (a, b, c)"))
                .addSteps(Step.newBuilder().setQuery(positional))
                .addSteps(conditional)
                .addSteps(step("COMMIT"))
                .build();
    }

    private static Step.Builder step(String sql) {
        Step.Builder step = Step.newBuilder();
        step.getQueryBuilder().setStmt(sql);
        return step;
    }

    @Test
    void programsAreTakenOrRefused() throws Exception {
        Fuzzer.once(ProxyFuzzTest::decode);
    }

    private static void decode(Fuzzer fuzzer) {
        byte[] good = program().toByteArray();
        fuzzer.decode(ROUNDS, List.of(good), IllegalArgumentException.class, bytes -> {
            try {
                var unused = new SqlProgram(Program.parseFrom(bytes));
            } catch (InvalidProtocolBufferException e) {
                throw new IllegalArgumentException(e);
            }
        });
    }

    @Test
    void aServerThatGetsDamagedCallsIsUnharmed() throws Exception {
        Fuzzer.once(this::ask);
    }

    @Test
    @Tag("soak")
    void aServerThatGetsDamagedCallsForLongIsUnharmed() throws Exception {
        Fuzzer.forLong(fuzzer -> {
            decode(fuzzer);
            ask(fuzzer);
        });
    }

    /** A method and messages that are good for it. */
    private record Call(String method, List<byte[]> messages) {

        static Call of(String method, MessageLite... messages) {
            return new Call(
                    method,
                    Arrays.stream(messages).map(MessageLite::toByteArray).toList());
        }
    }

    private static List<Call> calls() {
        ExecReq.Builder executing = ExecReq.newBuilder().setRequestId(1);
        executing.getExecuteBuilder().setPgm(program());
        ExecReq.Builder describing = ExecReq.newBuilder().setRequestId(2);
        describing.getDescribeBuilder().setStmt("SELECT :a");
        return List.of(
                Call.of(
                        "Execute",
                        ProgramReq.newBuilder()
                                .setClientId("client")
                                .setPgm(program())
                                .build()),
                Call.of(
                        "Describe",
                        DescribeRequest.newBuilder()
                                .setClientId("client")
                                .setStmt("SELECT ?, :a FROM t")
                                .build()),
                Call.of(
                        "Disconnect",
                        DisconnectMessage.newBuilder().setClientId("client").build()),
                Call.of("StreamExec", executing.build(), describing.build()));
    }

    private void ask(Fuzzer fuzzer) throws Exception {
        List<Call> calls = calls();
        for (int i = 0; i < CALLS; i++) {
            Call call = fuzzer.pick(calls);
            byte[] message = fuzzer.damage(call.messages());
            String answer = call(call.method(), message);
            assertThat(answer)
                    .as("%s of %s, %s", call.method(), ByteString.copyFrom(message), fuzzer)
                    .containsPattern("grpc-status: ?[0-9]+");
            if (answer.matches("(?s).*grpc-status: ?(2|13)\\b.*")) { // gRPC's own word for what is no message
                assertThat(answer).as("%s", fuzzer).contains("Invalid protobuf byte sequence");
            }
        }
        byte[] last = ProgramReq.newBuilder()
                .setClientId("another")
                .setPgm(Program.newBuilder().addSteps(step("CREATE TABLE IF NOT EXISTS unharmed (v)")))
                .build()
                .toByteArray();
        HttpResponse<byte[]> answer = send("Execute", last);
        ByteBuffer body = ByteBuffer.wrap(answer.body(), 5, answer.body().length - 5);
        body.limit(5 + ByteBuffer.wrap(answer.body()).getInt(1));
        assertThat(ExecuteResults.parseFrom(body).getResults(0).hasRow())
                .as("%s", fuzzer)
                .isTrue();
    }

    private HttpResponse<byte[]> send(String method, byte[] message) throws Exception {
        byte[] framed = ByteBuffer.allocate(5 + message.length)
                .put((byte) 0)
                .putInt(message.length)
                .put(message)
                .array();
        HttpRequest.Builder request = HttpRequest.newBuilder(
                        URI.create("http://127.0.0.1:" + server.port() + "/proxy.Proxy/" + method))
                .timeout(Duration.ofSeconds(20))
                .header("content-type", "application/grpc-web")
                .POST(BodyPublishers.ofByteArray(framed));
        return client.send(request.build(), BodyHandlers.ofByteArray());
    }

    /** Headers and body of the answer, with the trailers that stand in it. */
    private String call(String method, byte[] message) throws Exception {
        HttpResponse<byte[]> answer = send(method, message);
        StringBuilder text = new StringBuilder(new String(answer.body(), StandardCharsets.ISO_8859_1));
        answer.headers().map().forEach((name, values) -> text.append(name + ":" + values.get(0) + "\n"));
        return text.toString();
    }
}
