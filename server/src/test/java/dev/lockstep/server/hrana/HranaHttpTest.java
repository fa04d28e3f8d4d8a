package dev.lockstep.server.hrana;

import static dev.lockstep.server.hrana.Served.execute;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lockstep.server.hrana.v3.HranaProto;
import dev.lockstep.server.sql.SqlLimits;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HranaHttpTest {

    @TempDir
    private Path directory;

    private Served served;

    @BeforeEach
    void start() throws Exception {
        served = Served.start(directory);
        served.pipeline(execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v ANY)") + ",{\"type\":\"close\"}");
    }

    @AfterEach
    void stop() throws Exception {
        served.close();
    }

    @Test
    void versionsAndHealthAnswer() throws Exception {
        for (String path : new String[] {"/v1", "/v2", "/v3", "/v3-protobuf", "/app/v3", "/version", "/health", "/"}) {
            assertThat(served.get(path).statusCode()).as(path).isEqualTo(200);
        }
    }

    @Test
    void aPipelineRunsItsRequestsInOrderAndEndsWithClose() throws Exception {
        JsonNode body = served.pipeline(execute("INSERT INTO t (v) VALUES ('a')") + ","
                + execute("SELECT v, id FROM t") + ",{\"type\":\"get_autocommit\"},{\"type\":\"close\"},"
                + execute("SELECT 1"));
        assertThat(body.get("baton").isNull()).isTrue();
        assertThat(body.at("/results/0/response/result/affected_row_count").asInt())
                .isEqualTo(1);
        assertThat(body.at("/results/0/response/result/last_insert_rowid").asText())
                .isEqualTo("1");
        assertThat(body.at("/results/1/response/result/rows").toString())
                .isEqualTo("[[{\"type\":\"text\",\"value\":\"a\"},{\"type\":\"integer\",\"value\":\"1\"}]]");
        assertThat(body.at("/results/1/response/result/cols/1").toString())
                .isEqualTo("{\"name\":\"id\",\"decltype\":\"INTEGER\"}");
        assertThat(body.at("/results/2/response/is_autocommit").asBoolean()).isTrue();
        assertThat(body.at("/results/3/response/type").asText()).isEqualTo("close");
        assertThat(body.at("/results/4/error/code").asText()).isEqualTo("STREAM_CLOSED");
    }

    @Test
    void aWriteTellsTheFrameThatContainsIt() throws Exception {
        JsonNode body = served.pipeline(execute("INSERT INTO t (v) VALUES (1)") + "," + execute("SELECT 1"));
        long frame = body.at("/results/0/response/result/replication_index").asLong(-1);
        assertThat(frame).isEqualTo(served.primary().position().frameNo()).isPositive();
        assertThat(body.at("/results/1/response/result/replication_index").isNull())
                .isTrue();
    }

    @Test
    void aStreamGoesOnWithItsBatonWhichIsGoodOnce() throws Exception {
        String first = served.pipeline(execute("BEGIN IMMEDIATE") + "," + execute("INSERT INTO t (v) VALUES (7)"))
                .get("baton")
                .asText();
        assertThat(served.query("SELECT count(*) FROM t")).isEqualTo("0");
        JsonNode second = served.pipeline(first, execute("COMMIT"));
        assertThat(served.query("SELECT count(*) FROM t")).isEqualTo("1");

        HttpResponse<String> again = served.post("/v2/pipeline", "{\"baton\":\"" + first + "\",\"requests\":[]}");
        assertThat(again.statusCode()).isEqualTo(400);
        assertThat(again.headers().firstValue("content-type")).contains("application/json");
        assertThat(again.body()).contains("BATON_REUSED");
        assertThat(served.pipeline(second.get("baton").asText(), "{\"type\":\"close\"}")
                        .get("baton")
                        .isNull())
                .isTrue();
    }

    @Test
    void aBatonThatIsNotOursIsRefused() throws Exception {
        HttpResponse<String> response = served.post("/v2/pipeline", "{\"baton\":\"AAAA\",\"requests\":[]}");
        assertThat(response.statusCode()).isEqualTo(400);
        assertThat(response.body()).contains("BATON_INVALID");
    }

    @Test
    void aStreamThatIdlesExpiresAndIsRolledBack() throws Exception {
        served.close();
        served = Served.start(directory, Limits.defaults().withIdle(Duration.ofMillis(100)), SqlLimits.defaults());
        String baton = served.pipeline(execute("BEGIN IMMEDIATE") + "," + execute("INSERT INTO t (v) VALUES (7)"))
                .get("baton")
                .asText();
        await().until(() -> served.hrana().openStreams() == 0);
        HttpResponse<String> late = served.post("/v2/pipeline", "{\"baton\":\"" + baton + "\",\"requests\":[]}");
        assertThat(late.statusCode()).isEqualTo(400);
        assertThat(late.body()).contains("STREAM_EXPIRED");
        assertThat(served.query("SELECT count(*) FROM t")).isEqualTo("0");
    }

    @Test
    void streamsAreBounded() throws Exception {
        served.close();
        Limits two = Limits.defaults().withStreams(2);
        served = Served.start(directory, two, SqlLimits.defaults());
        String first = served.pipeline("").get("baton").asText();
        served.pipeline("");
        HttpResponse<String> third = served.post("/v2/pipeline", "{\"requests\":[]}");
        assertThat(third.statusCode()).isEqualTo(503);
        assertThat(third.body()).contains("TOO_MANY_STREAMS");
        served.pipeline(first, "{\"type\":\"close\"}");
        assertThat(served.query("SELECT 1")).isEqualTo("1");
    }

    @Test
    void aClientThatGoesAwayInMidStatementIsRolledBack() throws Exception {
        String baton = served.pipeline(execute("BEGIN IMMEDIATE") + "," + execute("INSERT INTO t (v) VALUES (7)"))
                .get("baton")
                .asText();
        String endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";
        byte[] body = ("{\"baton\":\"" + baton + "\",\"requests\":[" + execute(endless) + "]}").getBytes(UTF_8);
        URI address = URI.create(served.url());
        try (Socket socket = new Socket(address.getHost(), address.getPort())) {
            socket.getOutputStream()
                    .write(("POST /v2/pipeline HTTP/1.1\r\nHost: x\r\nContent-Length: " + body.length + "\r\n\r\n")
                            .getBytes(UTF_8));
            socket.getOutputStream().write(body);
            // The next write waits for the lock that the statement's transaction holds.
            CompletableFuture<String> next = CompletableFuture.supplyAsync(() -> insertAndCount());
            await().until(() -> served.hrana().openStreams() == 2);
            socket.close();
            assertThat(next.get(10, TimeUnit.SECONDS)).isEqualTo("1");
        }
        await().until(() -> served.hrana().openStreams() == 0);
    }

    private String insertAndCount() {
        try {
            served.pipeline(execute("INSERT INTO t (v) VALUES (8)") + ",{\"type\":\"close\"}");
            return served.query("SELECT count(*) FROM t");
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void conditionsDecideWhatABatchRuns() throws Exception {
        String batch = """
                {"type":"batch","batch":{"steps":[
                  {"stmt":{"sql":"SELECT 'a'"}},
                  {"stmt":{"sql":"SELECT * FROM missing"}},
                  {"stmt":{"sql":"SELECT 'ok'"},"condition":{"type":"ok","step":0}},
                  {"stmt":{"sql":"SELECT 'no'"},"condition":{"type":"ok","step":1}},
                  {"stmt":{"sql":"SELECT 'error'"},"condition":{"type":"error","step":1}},
                  {"stmt":{"sql":"SELECT 'no'"},"condition":{"type":"error","step":3}},
                  {"stmt":{"sql":"SELECT 'not'"},"condition":{"type":"not","cond":{"type":"ok","step":3}}},
                  {"stmt":{"sql":"SELECT 'no'"},"condition":{"type":"and","conds":[{"type":"ok","step":0},{"type":"ok","step":1}]}},
                  {"stmt":{"sql":"SELECT 'or'"},"condition":{"type":"or","conds":[{"type":"ok","step":0},{"type":"ok","step":1}]}},
                  {"stmt":{"sql":"SELECT 'and'"},"condition":{"type":"and","conds":[]}},
                  {"stmt":{"sql":"SELECT 'no'"},"condition":{"type":"or","conds":[]}},
                  {"stmt":{"sql":"BEGIN"},"condition":{"type":"is_autocommit"}},
                  {"stmt":{"sql":"SELECT 'no'"},"condition":{"type":"is_autocommit"}},
                  {"stmt":{"sql":"ROLLBACK"}}]}}
                """;
        JsonNode result = served.pipeline(batch + ",{\"type\":\"close\"}").at("/results/0/response/result");
        List<String> ran = new ArrayList<>();
        for (JsonNode step : result.get("step_results")) {
            ran.add(step.at("/rows/0/0/value").asText());
        }
        assertThat(ran).containsExactly("a", "", "ok", "", "error", "", "not", "", "or", "and", "", "", "", "");
        assertThat(result.at("/step_errors/1/code").asText()).isEqualTo("SQLITE_ERROR");
        assertThat(result.at("/step_errors/3").isNull()).isTrue();

        String bad = "{\"type\":\"batch\",\"batch\":{\"steps\":[{\"stmt\":{\"sql\":\"SELECT 1\"},"
                + "\"condition\":{\"type\":\"ok\",\"step\":0}}]}}";
        assertThat(served.pipeline(bad).at("/results/0/error/code").asText()).isEqualTo("BATCH_COND_BAD_STEP");
    }

    @Test
    void storedTextsAreBoundedAndBelongToTheStream() throws Exception {
        String store = "{\"type\":\"store_sql\",\"sql_id\":%d,\"sql\":\"SELECT 4%d\"}";
        JsonNode body = served.pipeline(store.formatted(1, 2) + "," + store.formatted(1, 3)
                + ",{\"type\":\"execute\",\"stmt\":{\"sql_id\":1}},{\"type\":\"close_sql\",\"sql_id\":1},"
                + "{\"type\":\"execute\",\"stmt\":{\"sql_id\":1}},{\"type\":\"store_sql\",\"sql_id\":2,\"sql\":\""
                + "x".repeat(5001)
                + "\"}");
        assertThat(body.at("/results/1/error/code").asText()).isEqualTo("SQL_STORE_ID_IN_USE");
        assertThat(body.at("/results/2/response/result/rows/0/0/value").asText())
                .isEqualTo("42");
        assertThat(body.at("/results/4/error/code").asText()).isEqualTo("SQL_STORE_ID_UNKNOWN");
        assertThat(body.at("/results/5/error/code").asText()).isEqualTo("SQL_STORE_TOO_LARGE");
        StringBuilder many = new StringBuilder(store.formatted(0, 0));
        for (int i = 1; i <= Limits.defaults().storedTexts(); i++) {
            many.append(',').append(store.formatted(i, 0));
        }
        JsonNode full = served.pipeline(many.toString());
        assertThat(full.at("/results/" + Limits.defaults().storedTexts() + "/error/code")
                        .asText())
                .isEqualTo("SQL_STORE_FULL");
    }

    @Test
    void describeAndSequenceAnswer() throws Exception {
        JsonNode body = served.pipeline("{\"type\":\"describe\",\"sql\":\"SELECT id, :a, ? FROM t\"},"
                + "{\"type\":\"sequence\",\"sql\":\"INSERT INTO t (v) VALUES (1); INSERT INTO t (v) VALUES (2)\"}");
        JsonNode described = body.at("/results/0/response/result");
        assertThat(described.get("params").toString()).isEqualTo("[{\"name\":\":a\"},{\"name\":null}]");
        assertThat(described.at("/cols/0/decltype").asText()).isEqualTo("INTEGER");
        assertThat(described.get("is_readonly").asBoolean()).isTrue();
        assertThat(body.at("/results/1/response/replication_index").asLong())
                .isEqualTo(served.primary().position().frameNo());
    }

    @Test
    void versionOneRunsOneRequestOnAStreamOfItsOwn() throws Exception {
        HttpResponse<String> good = served.post("/v1/execute", "{\"stmt\":{\"sql\":\"SELECT 5\"}}");
        assertThat(Served.JSON
                        .readTree(good.body())
                        .at("/result/rows/0/0/value")
                        .asText())
                .isEqualTo("5");
        HttpResponse<String> batch = served.post(
                "/v1/batch",
                "{\"batch\":{\"steps\":[{\"stmt\":{\"sql\":\"BEGIN\"}},{\"stmt\":{\"sql\":\"SELECT 6\"}}]}}");
        assertThat(Served.JSON
                        .readTree(batch.body())
                        .at("/result/step_results/1/rows/0/0/value")
                        .asText())
                .isEqualTo("6");
        HttpResponse<String> bad = served.post("/v1/execute", "{\"stmt\":{\"sql\":\"SELECT * FROM missing\"}}");
        assertThat(bad.statusCode()).isEqualTo(400);
        assertThat(bad.headers().firstValue("content-type")).contains("application/json");
        assertThat(bad.body()).contains("SQLITE_ERROR", "no such table");
        assertThat(served.hrana().openStreams()).isZero();
    }

    @Test
    void aCursorHandsOutEntriesInBothEncodings() throws Exception {
        String json =
                served.post("/v3/cursor", "{\"batch\":" + CURSOR_BATCH + "}").body();
        List<String> types = json.lines().skip(1).map(HranaHttpTest::type).toList();
        assertThat(types)
                .containsExactly("step_begin", "row", "row", "step_end", "step_error", "step_begin", "row", "step_end");
        String baton = Served.JSON
                .readTree(json.lines().findFirst().orElseThrow())
                .get("baton")
                .asText();
        assertThat(served.pipeline(baton, "{\"type\":\"close\"}").get("baton").isNull())
                .isTrue();

        HranaProto.CursorReqBody.Builder request = HranaProto.CursorReqBody.newBuilder();
        request.getBatchBuilder().addStepsBuilder().getStmtBuilder().setSql("SELECT 1");
        ByteArrayInputStream in = new ByteArrayInputStream(
                served.post("/v3-protobuf/cursor", request.build().toByteArray())
                        .body());
        assertThat(HranaProto.CursorRespBody.parseDelimitedFrom(in).hasBaton()).isTrue();
        assertThat(HranaProto.CursorEntry.parseDelimitedFrom(in).hasStepBegin()).isTrue();
        assertThat(HranaProto.CursorEntry.parseDelimitedFrom(in)
                        .getRow()
                        .getValues(0)
                        .getInteger())
                .isEqualTo(1);
        assertThat(HranaProto.CursorEntry.parseDelimitedFrom(in).hasStepEnd()).isTrue();
        assertThat(in.available()).isZero();
    }

    private static final String CURSOR_BATCH = "{\"steps\":[{\"stmt\":{\"sql\":\"SELECT 1 UNION ALL SELECT 2\"}},"
            + "{\"stmt\":{\"sql\":\"SELECT * FROM missing\"}},{\"stmt\":{\"sql\":\"SELECT 3\"},\"condition\":"
            + "{\"type\":\"error\",\"step\":1}}]}";

    private static String type(String line) {
        try {
            return Served.JSON.readTree(line).get("type").asText();
        } catch (IOException e) {
            throw new AssertionError(line, e);
        }
    }

    /** The statement makes rows for ever, the reader takes some: what is ready stays little, and ends when the reader goes. */
    @Test
    void aCursorOfASlowReaderWaitsForIt() throws Exception {
        String endless =
                "{\"batch\":{\"steps\":[{\"stmt\":{\"sql\":\"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
                        + " SELECT i, zeroblob(1000) FROM n\"}}]}}";
        HttpResponse<InputStream> response =
                served.http().send(served.request("/v3/cursor", endless), BodyHandlers.ofInputStream());
        try (InputStream in = response.body()) {
            assertThat(in.readNBytes(4 << 20)).hasSize(4 << 20);
            assertThat(served.hrana().openStreams()).isEqualTo(1);
        }
        await().until(() -> served.hrana().openStreams() == 0);
    }

    @Test
    void whatIsTooLargeOrMalformedIsRefusedInTheProtocolsForm() throws Exception {
        HttpResponse<String> malformed = served.post("/v3/pipeline", "{\"requests\":");
        assertThat(malformed.statusCode()).isEqualTo(400);
        assertThat(malformed.headers().firstValue("content-type")).contains("application/json");
        assertThat(Served.JSON.readTree(malformed.body()).get("code").asText()).isEqualTo("HRANA_PROTO_ERROR");
        assertThat(afterTooMuch()).startsWith("HTTP/1.1 413").contains("application/json\r\n", "REQUEST_TOO_LARGE");
        HttpResponse<String> unknown = served.post("/other/v2/pipeline", "{\"requests\":[]}");
        assertThat(unknown.statusCode()).isEqualTo(404);
        assertThat(unknown.body()).contains("NAMESPACE_DOESNT_EXIST");
        assertThat(served.query("SELECT 1")).isEqualTo("1");
    }

    /** Over a plain socket: other clients do not read an answer that comes before they have sent all. */
    private String afterTooMuch() throws IOException {
        URI address = URI.create(served.url());
        int length = Limits.defaults().requestBytes() + 1;
        try (Socket socket = new Socket(address.getHost(), address.getPort())) {
            socket.getOutputStream()
                    .write(("POST /v2/pipeline HTTP/1.1\r\nHost: x\r\nContent-Length: " + length + "\r\n\r\n")
                            .getBytes(UTF_8));
            return new String(socket.getInputStream().readAllBytes(), UTF_8);
        }
    }

    @Test
    void pagesOfOtherSitesAreRefused() throws Exception {
        assertThat(statusFor("127.0.0.1:1", "http://example.com")).contains("403", "FOREIGN_ORIGIN");
        assertThat(statusFor("127.0.0.1:1", "null")).contains("403");
        // A name of another site that points to this machine.
        assertThat(statusFor("example.com:1", "http://example.com:1")).contains("403");
        assertThat(statusFor("127.0.0.1:1", "http://127.0.0.1:1")).contains("200");
        assertThat(statusFor("localhost:1", "http://localhost:1")).contains("200");
    }

    private String statusFor(String host, String origin) throws IOException {
        URI address = URI.create(served.url());
        String body = "{\"requests\":[{\"type\":\"close\"}]}";
        try (Socket socket = new Socket(address.getHost(), address.getPort())) {
            socket.getOutputStream()
                    .write(("POST /v2/pipeline HTTP/1.1\r\nHost: " + host + "\r\nOrigin: " + origin
                                    + "\r\nConnection: close\r\nContent-Length: " + body.length() + "\r\n\r\n" + body)
                            .getBytes(UTF_8));
            return new String(socket.getInputStream().readAllBytes(), UTF_8);
        }
    }
}
