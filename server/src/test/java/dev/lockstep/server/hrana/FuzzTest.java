package dev.lockstep.server.hrana;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.lockstep.server.hrana.v3.HranaProto;
import dev.lockstep.server.sql.SqlLimits;
import dev.lockstep.testing.Fuzzer;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Requests that were good once, damaged at random: they are taken or refused, and never anything else. */
class FuzzTest {

    private static final int ROUNDS = 20_000;
    private static final int REQUESTS = 400;

    @TempDir
    Path directory;

    private static final List<String> JSON = List.of(
            "{\"baton\":null,\"requests\":[{\"type\":\"execute\",\"stmt\":{\"sql\":\"SELECT ?, :a\",\"args\":[{\"type\":\"integer\","
                    + "\"value\":\"12\"},{\"type\":\"float\",\"value\":1.5e3},{\"type\":\"blob\",\"base64\":\"AAEC\"},{\"type\":\"null\"}],"
                    + "\"named_args\":[{\"name\":\"a\",\"value\":{\"type\":\"text\",\"value\":\"x\\u00e9\"}}],\"want_rows\":true}},"
                    + "{\"type\":\"store_sql\",\"sql_id\":1,\"sql\":\"SELECT 1\"},{\"type\":\"describe\",\"sql_id\":1},{\"type\":\"close\"}]}",
            "{\"requests\":[{\"type\":\"batch\",\"batch\":{\"steps\":[{\"stmt\":{\"sql\":\"SELECT 1\"}},{\"condition\":{\"type\":\"and\","
                    + "\"conds\":[{\"type\":\"ok\",\"step\":0},{\"type\":\"not\",\"cond\":{\"type\":\"is_autocommit\"}}]},"
                    + "\"stmt\":{\"sql\":\"ROLLBACK\"}}]}},{\"type\":\"get_autocommit\"}]}",
            "{\"baton\":null,\"batch\":{\"steps\":[{\"stmt\":{\"sql\":\"SELECT 1 UNION SELECT 2\"}}]}}",
            "{\"type\":\"hello\",\"jwt\":null}",
            "{\"type\":\"request\",\"request_id\":1,\"request\":{\"type\":\"open_stream\",\"stream_id\":1}}",
            "{\"type\":\"request\",\"request_id\":2,\"request\":{\"type\":\"execute\",\"stream_id\":1,\"stmt\":{\"sql\":\"SELECT 1\"}}}",
            "{\"type\":\"request\",\"request_id\":3,\"request\":{\"type\":\"open_cursor\",\"stream_id\":1,\"cursor_id\":2,\"batch\":"
                    + "{\"steps\":[{\"stmt\":{\"sql\":\"SELECT 1\"}}]}}}",
            "{\"type\":\"request\",\"request_id\":4,\"request\":{\"type\":\"fetch_cursor\",\"cursor_id\":2,\"max_count\":10}}");

    private static List<byte[]> protobuf() {
        HranaProto.PipelineReqBody.Builder pipeline = HranaProto.PipelineReqBody.newBuilder();
        pipeline.addRequestsBuilder()
                .getExecuteBuilder()
                .getStmtBuilder()
                .setSql("SELECT ?")
                .addArgs(HranaProto.Value.newBuilder().setInteger(-5))
                .addArgs(HranaProto.Value.newBuilder().setText("abc"))
                .addArgs(HranaProto.Value.newBuilder().setFloat(2.5));
        HranaProto.BatchStep.Builder step = pipeline.addRequestsBuilder()
                .getBatchBuilder()
                .getBatchBuilder()
                .addStepsBuilder();
        step.getStmtBuilder().setSql("SELECT 1");
        step.getConditionBuilder().getNotBuilder().setIsAutocommit(HranaProto.Empty.getDefaultInstance());
        pipeline.addRequestsBuilder().getStoreSqlBuilder().setSqlId(3).setSql("SELECT 3");
        HranaProto.CursorReqBody.Builder cursor = HranaProto.CursorReqBody.newBuilder();
        cursor.getBatchBuilder().addStepsBuilder().getStmtBuilder().setSql("SELECT 1");
        HranaProto.ClientMsg.Builder message = HranaProto.ClientMsg.newBuilder();
        message.getRequestBuilder()
                .setRequestId(7)
                .getExecuteBuilder()
                .setStreamId(1)
                .getStmtBuilder()
                .setSql("SELECT 1");
        return List.of(
                pipeline.build().toByteArray(),
                cursor.build().toByteArray(),
                message.build().toByteArray());
    }

    private static List<byte[]> json() {
        return JSON.stream().map(text -> text.getBytes(UTF_8)).toList();
    }

    @Test
    void decodersTakeOrRefuse() throws Exception {
        Fuzzer.once(FuzzTest::decode);
    }

    @Test
    @Tag("soak")
    void decodersTakeOrRefuseForLong() throws Exception {
        Fuzzer.forLong(FuzzTest::decode);
    }

    private static void decode(Fuzzer fuzzer) {
        JsonCodec json = new JsonCodec();
        ProtobufCodec protobuf = new ProtobufCodec();
        fuzzer.decode(
                ROUNDS,
                json(),
                ProtocolException.class,
                json::pipelineRequest,
                json::cursorRequest,
                json::clientMessage);
        fuzzer.decode(
                ROUNDS,
                protobuf(),
                ProtocolException.class,
                protobuf::pipelineRequest,
                protobuf::cursorRequest,
                protobuf::clientMessage);
        Baton.Key key = new Baton.Key();
        byte[] baton = key.encode(new Baton(1, 1)).getBytes(UTF_8);
        fuzzer.decode(
                ROUNDS,
                List.of(baton),
                ProtocolException.class,
                bytes -> assertThat(key.decode(new String(bytes, ISO_8859_1)))
                        .as("a forged baton")
                        .isEqualTo(new Baton(1, 1)));
    }

    @Test
    void aServerThatGetsDamagedRequestsIsUnharmed() throws Exception {
        Fuzzer.once(this::ask);
    }

    @Test
    @Tag("soak")
    void aServerThatGetsDamagedRequestsForLongIsUnharmed() throws Exception {
        Fuzzer.forLong(this::ask);
    }

    private void ask(Fuzzer fuzzer) throws Exception {
        Limits limits = Limits.defaults().withIdle(Duration.ofMillis(200));
        try (Served served = Served.start(directory, limits, SqlLimits.defaults())) {
            List<String> paths = List.of("/v1/execute", "/v1/batch", "/v2/pipeline", "/v3/pipeline", "/v3/cursor");
            List<String> binary = List.of("/v3-protobuf/pipeline", "/v3-protobuf/cursor");
            for (int i = 0; i < REQUESTS; i++) {
                boolean isJson = fuzzer.random().nextInt(3) > 0;
                String path = fuzzer.pick(isJson ? paths : binary);
                byte[] body = fuzzer.damage(isJson ? json() : protobuf());
                assertThat(served.post(path, body).statusCode())
                        .as("%s %s, %s", path, new String(body, ISO_8859_1), fuzzer)
                        .isIn(200, 400);
            }
            talk(fuzzer, served, "hrana3", json());
            talk(fuzzer, served, "hrana3-protobuf", protobuf());
            assertThat(served.query("SELECT 'unharmed'")).as("%s", fuzzer).isEqualTo("unharmed");
            Awaitility.await().until(() -> served.hrana().openStreams() == 0);
        }
    }

    /** Sends damaged messages, each connection until the server hangs up. */
    private static void talk(Fuzzer fuzzer, Served served, String subprotocol, List<byte[]> seeds) {
        boolean binary = subprotocol.endsWith("protobuf");
        List<Talk> talks = new ArrayList<>();
        for (int connection = 0; connection < 20; connection++) {
            Talk talk = Talk.open(served.http(), URI.create(served.url().replace("http:", "ws:")), subprotocol);
            talks.add(talk);
            for (int i = 0; i < 10; i++) {
                byte[] message = i == 0 ? hello(binary) : fuzzer.damage(seeds);
                talk.sendUnlessClosed(message, binary);
            }
        }
        talks.forEach(Talk::close);
    }

    private static byte[] hello(boolean binary) {
        HranaProto.HelloMsg hello = HranaProto.HelloMsg.getDefaultInstance();
        return binary
                ? HranaProto.ClientMsg.newBuilder().setHello(hello).build().toByteArray()
                : JSON.get(3).getBytes(UTF_8);
    }
}
