package dev.lockstep.server.hrana;

import static dev.lockstep.server.hrana.Served.execute;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.http.HttpResponse;
import java.nio.file.Path;
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
}
