package dev.lockstep.server.hrana;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.lockstep.server.hrana.v3.HranaProto;
import dev.lockstep.server.sql.SqlLimits;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Requests that were good once, damaged at random: they are taken or refused, and never anything else. */
class FuzzTest {

    private static final int CODEC_ROUNDS = 20_000;
    private static final int REQUESTS = 400;

    private final long seed = System.nanoTime();
    private final Random random = new Random(seed);

    private interface Decoder {
        void decode(byte[] bytes) throws ProtocolException;
    }

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

    /** Some of: bits flipped, bytes replaced, a part dropped, repeated, or taken from another; digits made large. */
    private byte[] damage(List<byte[]> seeds) {
        byte[] bytes = pick(seeds).clone();
        for (int i = random.nextInt(4); i >= 0 && bytes.length > 0; i--) {
            int at = random.nextInt(bytes.length);
            int length = random.nextInt(Math.min(30, bytes.length - at) + 1);
            switch (random.nextInt(6)) {
                case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                case 1 -> bytes[at] = (byte) random.nextInt(256);
                case 2 -> bytes = join(bytes, 0, at, bytes, at + length, bytes.length);
                case 3 -> bytes = join(bytes, 0, at + length, bytes, at, bytes.length);
                case 4 -> {
                    byte[] other = pick(seeds);
                    bytes = join(bytes, 0, at, other, random.nextInt(other.length), other.length);
                }
                default ->
                    bytes = new String(bytes, ISO_8859_1)
                            .replaceFirst("[0-9]", "9".repeat(random.nextInt(40)))
                            .getBytes(ISO_8859_1);
            }
        }
        return bytes;
    }

    private byte[] pick(List<byte[]> seeds) {
        return seeds.get(random.nextInt(seeds.size()));
    }

    private static byte[] join(byte[] left, int from, int to, byte[] right, int begin, int end) {
        byte[] joined = new byte[to - from + end - begin];
        System.arraycopy(left, from, joined, 0, to - from);
        System.arraycopy(right, begin, joined, to - from, end - begin);
        return joined;
    }

    @Test
    void decodersTakeOrRefuse() {
        JsonCodec json = new JsonCodec();
        ProtobufCodec protobuf = new ProtobufCodec();
        fuzz(json(), json::pipelineRequest, json::cursorRequest, json::clientMessage);
        fuzz(protobuf(), protobuf::pipelineRequest, protobuf::cursorRequest, protobuf::clientMessage);
        Baton.Key key = new Baton.Key();
        byte[] baton = key.encode(new Baton(1, 1)).getBytes(UTF_8);
        fuzz(List.of(baton), bytes -> {
            if (!key.decode(new String(bytes, ISO_8859_1)).equals(new Baton(1, 1))) {
                throw new AssertionError("a forged baton was taken, seed " + seed);
            }
        });
    }

    private void fuzz(List<byte[]> seeds, Decoder... decoders) {
        int taken = 0;
        for (int i = 0; i < CODEC_ROUNDS; i++) {
            byte[] bytes = damage(seeds);
            for (Decoder decoder : decoders) {
                try {
                    decoder.decode(bytes);
                    taken++;
                } catch (ProtocolException refused) {
                    assertThat(refused.getMessage()).isNotNull();
                } catch (RuntimeException | StackOverflowError e) {
                    throw new AssertionError("seed " + seed + ", input " + new String(bytes, ISO_8859_1), e);
                }
            }
        }
        assertThat(taken)
                .as("inputs that were still good, seed %d", seed)
                .isBetween(1, CODEC_ROUNDS * decoders.length - 1);
    }

    @Test
    void aServerThatGetsDamagedRequestsIsUnharmed(@TempDir Path directory) throws Exception {
        Limits limits = Limits.defaults().withIdle(Duration.ofMillis(200));
        try (Served served = Served.start(directory, limits, SqlLimits.defaults())) {
            List<String> paths = List.of("/v1/execute", "/v1/batch", "/v2/pipeline", "/v3/pipeline", "/v3/cursor");
            List<String> binary = List.of("/v3-protobuf/pipeline", "/v3-protobuf/cursor");
            for (int i = 0; i < REQUESTS; i++) {
                boolean isJson = random.nextInt(3) > 0;
                List<String> choice = isJson ? paths : binary;
                String path = choice.get(random.nextInt(choice.size()));
                byte[] body = damage(isJson ? json() : protobuf());
                assertThat(served.post(path, body).statusCode())
                        .as("%s %s, seed %d", path, new String(body, ISO_8859_1), seed)
                        .isIn(200, 400);
            }
            talk(served, "hrana3", json());
            talk(served, "hrana3-protobuf", protobuf());
            assertThat(served.query("SELECT 'unharmed'")).as("seed %d", seed).isEqualTo("unharmed");
            Awaitility.await().until(() -> served.hrana().openStreams() == 0);
        }
    }

    /** Sends damaged messages, each connection until the server hangs up. */
    private void talk(Served served, String subprotocol, List<byte[]> seeds) {
        boolean binary = subprotocol.endsWith("protobuf");
        List<Talk> talks = new ArrayList<>();
        for (int connection = 0; connection < 20; connection++) {
            Talk talk = Talk.open(served.http(), URI.create(served.url().replace("http:", "ws:")), subprotocol);
            talks.add(talk);
            for (int i = 0; i < 10; i++) {
                byte[] message = i == 0 ? hello(binary) : damage(seeds);
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
