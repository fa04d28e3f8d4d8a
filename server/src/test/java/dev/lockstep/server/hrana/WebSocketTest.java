package dev.lockstep.server.hrana;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lockstep.server.hrana.v3.HranaProto;
import java.net.URI;
import java.net.http.WebSocketHandshakeException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class WebSocketTest {

    @TempDir
    private Path directory;

    private Served served;

    @BeforeEach
    void start() throws Exception {
        served = Served.start(directory);
        served.pipeline(Served.execute("CREATE TABLE t (v)") + ",{\"type\":\"close\"}");
    }

    @AfterEach
    void stop() throws Exception {
        served.close();
    }

    private Talk talk(String... subprotocols) {
        return Talk.open(served.http(), URI.create(served.url().replace("http:", "ws:")), subprotocols);
    }

    @ParameterizedTest
    @CsvSource({"hrana1,hrana1", "hrana2|hrana1,hrana2", "hrana3,hrana3", "new|hrana3-protobuf,hrana3-protobuf", "'',''"
    })
    void theFirstSubprotocolThatIsKnownIsChosen(String offered, String chosen) {
        try (Talk talk = talk(offered.isEmpty() ? new String[0] : offered.split("\\|"))) {
            assertThat(talk.subprotocol()).isEqualTo(chosen);
        }
    }

    @Test
    void unknownSubprotocolsAreRefused() {
        assertThatThrownBy(() -> talk("hrana9"))
                .cause()
                .isInstanceOfSatisfying(
                        WebSocketHandshakeException.class,
                        e -> assertThat(e.getResponse().statusCode()).isEqualTo(400));
    }

    @Test
    void streamsRunBesideEachOtherAndEachInOrder() {
        try (Talk talk = talk("hrana3")) {
            talk.hello();
            talk.send("{\"type\":\"open_stream\",\"stream_id\":1}");
            talk.send("{\"type\":\"open_stream\",\"stream_id\":2}");
            talk.send("{\"type\":\"execute\",\"stream_id\":1,\"stmt\":{\"sql\":\"BEGIN IMMEDIATE\"}}");
            talk.send("{\"type\":\"execute\",\"stream_id\":1,\"stmt\":{\"sql\":\"INSERT INTO t VALUES (1)\"}}");
            assertThat(talk.answer(4).at("/response/result/affected_row_count").asInt())
                    .isEqualTo(1);
            // Stream 2 waits for the lock that stream 1 gives back with a later message.
            talk.send(
                    "{\"type\":\"execute\",\"stream_id\":2,\"stmt\":{\"sql\":\"INSERT INTO t SELECT count(*) + 10 FROM t\"}}");
            talk.send("{\"type\":\"execute\",\"stream_id\":1,\"stmt\":{\"sql\":\"COMMIT\"}}");
            talk.send("{\"type\":\"get_autocommit\",\"stream_id\":1}");
            assertThat(talk.answer(7).at("/response/is_autocommit").asBoolean()).isTrue();
            assertThat(talk.answer(5).at("/response/result/replication_index").asLong())
                    .isEqualTo(served.primary().position().frameNo());
            talk.send("{\"type\":\"hello\",\"jwt\":null}", true);
            talk.send("{\"type\":\"execute\",\"stream_id\":2,\"stmt\":{\"sql\":\"SELECT group_concat(v) FROM t\"}}");
            assertThat(talk.answer(8).at("/response/result/rows/0/0/value").asText())
                    .isEqualTo("1,11");
            talk.send("{\"type\":\"close_stream\",\"stream_id\":1}");
            talk.send("{\"type\":\"execute\",\"stream_id\":1,\"stmt\":{\"sql\":\"SELECT 1\"}}");
            assertThat(talk.answer(10).at("/error/code").asText()).isEqualTo("STREAM_NOT_OPEN");
            talk.send("{\"type\":\"open_stream\",\"stream_id\":2}");
            assertThat(talk.answer(11).at("/error/code").asText()).isEqualTo("STREAM_ID_IN_USE");
        }
        await().until(() -> served.hrana().openStreams() == 0);
    }

    @Test
    void storedTextsBelongToTheConnection() {
        try (Talk talk = talk("hrana2")) {
            talk.hello();
            talk.send("{\"type\":\"store_sql\",\"sql_id\":5,\"sql\":\"SELECT 'stored'\"}");
            talk.send("{\"type\":\"open_stream\",\"stream_id\":1}");
            talk.send("{\"type\":\"execute\",\"stream_id\":1,\"stmt\":{\"sql_id\":5}}");
            assertThat(talk.answer(3).at("/response/result/rows/0/0/value").asText())
                    .isEqualTo("stored");
            talk.send("{\"type\":\"close_sql\",\"sql_id\":5}");
            talk.send("{\"type\":\"describe\",\"stream_id\":1,\"sql_id\":5}");
            assertThat(talk.answer(5).at("/error/code").asText()).isEqualTo("SQL_STORE_ID_UNKNOWN");
        }
    }

    @Test
    void aCursorIsFetchedPieceByPieceAndClosedEarly() {
        try (Talk talk = talk("hrana3")) {
            talk.hello();
            talk.send("{\"type\":\"open_stream\",\"stream_id\":1}");
            talk.send(
                    "{\"type\":\"open_cursor\",\"stream_id\":1,\"cursor_id\":9,\"batch\":{\"steps\":[{\"stmt\":{\"sql\":"
                            + "\"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n\"}}]}}");
            int rows = 0;
            for (int request = 3; request < 30; request++) {
                talk.send("{\"type\":\"fetch_cursor\",\"cursor_id\":9,\"max_count\":1000}");
                JsonNode fetched = talk.answer(request).get("response");
                assertThat(fetched.get("done").asBoolean()).isFalse();
                for (JsonNode entry : fetched.get("entries")) {
                    if (entry.get("type").asText().equals("row")) {
                        assertThat(entry.at("/row/0/value").asInt()).isEqualTo(++rows);
                    }
                }
            }
            assertThat(rows).isPositive();
            talk.send("{\"type\":\"close_cursor\",\"cursor_id\":9}");
            talk.send("{\"type\":\"execute\",\"stream_id\":1,\"stmt\":{\"sql\":\"SELECT 'after'\"}}");
            assertThat(talk.answer(31).at("/response/result/rows/0/0/value").asText())
                    .isEqualTo("after");
            talk.send("{\"type\":\"fetch_cursor\",\"cursor_id\":9,\"max_count\":1}");
            assertThat(talk.answer(32).at("/error/code").asText()).isEqualTo("CURSOR_NOT_OPEN");
        }
        await().until(() -> served.hrana().openStreams() == 0);
    }

    @Test
    void protobufIsSpokenInBinaryMessages() throws Exception {
        try (Talk talk = talk("hrana3-protobuf")) {
            HranaProto.ClientMsg.Builder hello = HranaProto.ClientMsg.newBuilder();
            talk.send(hello.setHello(HranaProto.HelloMsg.getDefaultInstance())
                    .build()
                    .toByteArray());
            assertThat(HranaProto.ServerMsg.parseFrom(talk.binary()).hasHelloOk())
                    .isTrue();
            HranaProto.ClientMsg.Builder open = HranaProto.ClientMsg.newBuilder();
            open.getRequestBuilder().setRequestId(-7).getOpenStreamBuilder().setStreamId(3);
            talk.send(open.build().toByteArray());
            assertThat(HranaProto.ServerMsg.parseFrom(talk.binary())
                            .getResponseOk()
                            .getRequestId())
                    .isEqualTo(-7);
            HranaProto.ClientMsg.Builder execute = HranaProto.ClientMsg.newBuilder();
            execute.getRequestBuilder()
                    .getExecuteBuilder()
                    .setStreamId(3)
                    .getStmtBuilder()
                    .setSql("SELECT 1.5");
            talk.send(execute.build().toByteArray());
            assertThat(HranaProto.ServerMsg.parseFrom(talk.binary())
                            .getResponseOk()
                            .getExecute()
                            .getResult()
                            .getRows(0)
                            .getValues(0)
                            .getFloat())
                    .isEqualTo(1.5);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"type\":\"request\",\"request_id\":1,\"request\":{\"type\":\"open_stream\",\"stream_id\":1}}",
                "{",
                "{\"type\":\"bye\"}",
                "{\"type\":\"hello\",\"jwt\":5}"
            })
    void whatBreaksTheProtocolClosesTheConnection(String message) {
        try (Talk talk = talk("hrana2")) {
            talk.send(message, false);
            assertThat(talk.closeCode()).isEqualTo(1002);
        }
    }

    @Test
    void aMessageOfTheWrongKindOrTooLongClosesTheConnection() {
        try (Talk talk = talk("hrana2")) {
            talk.send(new byte[] {1});
            assertThat(talk.closeCode()).isEqualTo(1003);
        }
        try (Talk talk = talk("hrana2")) {
            talk.hello();
            talk.sendParts("x".repeat(1 << 20), Limits.defaults().requestBytes() / (1 << 20) + 1);
            assertThat(talk.closeCode()).isEqualTo(1009);
        }
    }

    @Test
    void pingsAreAnswered() {
        try (Talk talk = talk()) {
            talk.ping();
            assertThat(talk.pong()).isEqualTo("ping");
        }
    }

    @Test
    void aClientThatDropsTheConnectionLosesItsTransactionAtOnce() throws Exception {
        Talk talk = talk("hrana2");
        talk.hello();
        talk.send("{\"type\":\"open_stream\",\"stream_id\":1}");
        talk.send("{\"type\":\"execute\",\"stream_id\":1,\"stmt\":{\"sql\":\"BEGIN IMMEDIATE\"}}");
        talk.send("{\"type\":\"execute\",\"stream_id\":1,\"stmt\":{\"sql\":\"INSERT INTO t VALUES (1)\"}}");
        talk.answer(3);
        talk.abort();
        served.pipeline(Served.execute("INSERT INTO t VALUES (2)") + ",{\"type\":\"close\"}");
        assertThat(served.query("SELECT group_concat(v) FROM t")).isEqualTo("2");
        await().until(() -> served.hrana().openStreams() == 0);
    }

    /** More requests than may be outstanding: the connection is read no further, and all are answered in the end. */
    @Test
    void moreRequestsThanMayBeOutstandingAreAllAnswered() {
        try (Talk talk = talk("hrana2")) {
            talk.hello();
            talk.send("{\"type\":\"open_stream\",\"stream_id\":1}");
            int count = Limits.defaults().outstanding() * 3;
            for (int i = 0; i < count; i++) {
                talk.send("{\"type\":\"execute\",\"stream_id\":1,\"stmt\":{\"sql\":\"SELECT " + i + "\"}}");
            }
            for (int i = 0; i < count; i++) {
                assertThat(talk.answer(i + 2)
                                .at("/response/result/rows/0/0/value")
                                .asInt())
                        .isEqualTo(i);
            }
        }
    }
}
