package dev.lockstep.server.hrana;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.lockstep.server.hrana.v3.HranaProto;
import dev.lockstep.server.sql.Column;
import dev.lockstep.server.sql.NamedValue;
import dev.lockstep.server.sql.Outcome;
import dev.lockstep.server.sql.Value;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The two encodings: what they read, what they refuse, what they write. */
class CodecTest {

    private final JsonCodec json = new JsonCodec();
    private final ProtobufCodec protobuf = new ProtobufCodec();

    @Test
    void bothEncodingsReadTheSameRequests() throws ProtocolException {
        Pipeline.Request fromJson = json.pipelineRequest("""
                {"baton":"b","requests":[
                 {"type":"execute","stmt":{"sql":"q","args":[{"type":"null"},{"type":"integer","value":"-9223372036854775808"},
                  {"type":"float","value":1},{"type":"text","value":"ž"},{"type":"blob","base64":"AP8"}],
                  "named_args":[{"name":":n","value":{"type":"blob","base64":"AP8="}}],"want_rows":false,"unknown":[{}]}},
                 {"type":"batch","batch":{"steps":[{"stmt":{"sql_id":3}},{"condition":{"type":"and","conds":[{"type":"ok","step":0},
                  {"type":"not","cond":{"type":"error","step":0}},{"type":"or","conds":[]},{"type":"is_autocommit"}]},
                  "stmt":{"sql":"r"}}]}},
                 {"type":"sequence","sql":"s"},{"type":"describe","sql_id":-1},{"type":"store_sql","sql_id":7,"sql":"t"},
                 {"type":"close_sql","sql_id":7},{"type":"get_autocommit"},{"type":"close"}]}
                """.getBytes(UTF_8));
        assertThat(fromJson)
                .usingRecursiveComparison()
                .isEqualTo(protobuf.pipelineRequest(everyRequest().toByteArray()));
        Statement statement = ((StreamRequest.Execute) fromJson.requests().get(0)).statement();
        assertThat(statement.args())
                .containsExactly(
                        Value.NULL,
                        new Value.Int(Long.MIN_VALUE),
                        new Value.Real(1),
                        new Value.Text("ž"),
                        new Value.Blob(new byte[] {0, -1}));
        assertThat(statement.named()).containsExactly(new NamedValue(":n", new Value.Blob(new byte[] {0, -1})));
        assertThat(statement.wantRows()).isFalse();
    }

    private static HranaProto.PipelineReqBody everyRequest() {
        ByteString blob = ByteString.copyFrom(new byte[] {0, -1});
        HranaProto.Empty empty = HranaProto.Empty.getDefaultInstance();
        HranaProto.PipelineReqBody.Builder body =
                HranaProto.PipelineReqBody.newBuilder().setBaton("b");
        body.addRequestsBuilder()
                .getExecuteBuilder()
                .getStmtBuilder()
                .setSql("q")
                .setWantRows(false)
                .addArgs(HranaProto.Value.newBuilder().setNull(empty))
                .addArgs(HranaProto.Value.newBuilder().setInteger(Long.MIN_VALUE))
                .addArgs(HranaProto.Value.newBuilder().setFloat(1))
                .addArgs(HranaProto.Value.newBuilder().setText("ž"))
                .addArgs(HranaProto.Value.newBuilder().setBlob(blob))
                .addNamedArgsBuilder()
                .setName(":n")
                .getValueBuilder()
                .setBlob(blob);
        HranaProto.Batch.Builder batch =
                body.addRequestsBuilder().getBatchBuilder().getBatchBuilder();
        batch.addStepsBuilder().getStmtBuilder().setSqlId(3);
        HranaProto.BatchStep.Builder step = batch.addStepsBuilder();
        step.getStmtBuilder().setSql("r");
        HranaProto.BatchCondList.Builder all = step.getConditionBuilder().getAndBuilder();
        all.addCondsBuilder().setOk(0);
        all.addCondsBuilder().getNotBuilder().setError(0);
        all.addCondsBuilder().setOr(HranaProto.BatchCondList.getDefaultInstance());
        all.addCondsBuilder().setIsAutocommit(empty);
        body.addRequestsBuilder().getSequenceBuilder().setSql("s");
        body.addRequestsBuilder().getDescribeBuilder().setSqlId(-1);
        body.addRequestsBuilder().getStoreSqlBuilder().setSqlId(7).setSql("t");
        body.addRequestsBuilder().getCloseSqlBuilder().setSqlId(7);
        body.addRequestsBuilder().setGetAutocommit(empty);
        body.addRequestsBuilder().setClose(empty);
        return body.build();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "[]",
                "null",
                "{} {}",
                "{\"requests\":{}}",
                "{\"requests\":[1]}",
                "{\"requests\":[{\"type\":\"fly\"}]}",
                "{\"requests\":[{\"stmt\":{}}]}",
                "{\"baton\":1,\"requests\":[]}",
                "{\"requests\":[],\"requests\":[]}",
                "{\"requests\":[{\"type\":\"sequence\"}]}",
                "{\"requests\":[{\"type\":\"sequence\",\"sql\":\"a\",\"sql_id\":1}]}",
                "{\"requests\":[{\"type\":\"store_sql\",\"sql_id\":2147483648,\"sql\":\"\"}]}",
                "{\"requests\":[{\"type\":\"store_sql\",\"sql_id\":1.5,\"sql\":\"\"}]}",
                "{\"requests\":[{\"type\":\"execute\",\"stmt\":{\"sql\":\"\\ud800\"}}]}",
                "{\"requests\":[{\"type\":\"execute\",\"stmt\":{\"sql\":\"q\",\"want_rows\":0}}]}",
                "{\"requests\":[{\"type\":\"batch\",\"batch\":{}}]}",
                "{\"requests\":[{\"type\":\"batch\",\"batch\":{\"steps\":[{\"condition\":{\"type\":\"ok\",\"step\":-1},\"stmt\":{\"sql\":\"\"}}]}}]}"
            })
    void malformedJsonIsRefused(String body) {
        assertThatThrownBy(() -> json.pipelineRequest(body.getBytes(UTF_8))).isInstanceOf(ProtocolException.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"type\":\"integer\",\"value\":1}",
                "{\"type\":\"integer\",\"value\":\"9223372036854775808\"}",
                "{\"type\":\"integer\",\"value\":\"1.0\"}",
                "{\"type\":\"integer\",\"value\":\"\"}",
                "{\"type\":\"float\",\"value\":\"1\"}",
                "{\"type\":\"float\",\"value\":null}",
                "{\"type\":\"text\",\"value\":5}",
                "{\"type\":\"blob\",\"base64\":\"A\"}",
                "{\"type\":\"blob\",\"base64\":\"****\"}",
                "{\"type\":\"blob\",\"value\":\"AA\"}",
                "{\"type\":\"boolean\",\"value\":true}",
                "{}",
                "7"
            })
    void valuesOfTheWrongFormAreRefused(String value) {
        String body = "{\"requests\":[{\"type\":\"execute\",\"stmt\":{\"sql\":\"q\",\"args\":[" + value + "]}}]}";
        assertThatThrownBy(() -> json.pipelineRequest(body.getBytes(UTF_8))).isInstanceOf(ProtocolException.class);
    }

    @Test
    void deepNestingIsRefusedInBothEncodings() throws ProtocolException {
        assertThat(json.cursorRequest(nestedJson(50))).isNotNull();
        assertThatThrownBy(() -> json.cursorRequest(nestedJson(100_000))).isInstanceOf(ProtocolException.class);
        assertThat(protobuf.cursorRequest(nestedProtobuf(50))).isNotNull();
        assertThatThrownBy(() -> protobuf.cursorRequest(nestedProtobuf(2000))).isInstanceOf(ProtocolException.class);
    }

    private static byte[] nestedJson(int depth) {
        return ("{\"batch\":{\"steps\":[{\"condition\":" + "{\"type\":\"not\",\"cond\":".repeat(depth)
                        + "{\"type\":\"is_autocommit\"}" + "}".repeat(depth) + ",\"stmt\":{\"sql\":\"q\"}}]}}")
                .getBytes(UTF_8);
    }

    private static byte[] nestedProtobuf(int depth) {
        HranaProto.BatchCond condition = HranaProto.BatchCond.newBuilder()
                .setIsAutocommit(HranaProto.Empty.getDefaultInstance())
                .build();
        for (int i = 0; i < depth; i++) {
            condition = HranaProto.BatchCond.newBuilder().setNot(condition).build();
        }
        HranaProto.CursorReqBody.Builder body = HranaProto.CursorReqBody.newBuilder();
        body.getBatchBuilder()
                .addStepsBuilder()
                .setCondition(condition)
                .getStmtBuilder()
                .setSql("q");
        return body.build().toByteArray();
    }

    @Test
    void protobufWithoutWhatItNeedsIsRefused() {
        HranaProto.PipelineReqBody.Builder noRequest = HranaProto.PipelineReqBody.newBuilder();
        noRequest.addRequestsBuilder();
        HranaProto.PipelineReqBody.Builder noStatement = HranaProto.PipelineReqBody.newBuilder();
        noStatement.addRequestsBuilder().getExecuteBuilder();
        HranaProto.PipelineReqBody.Builder noValue = HranaProto.PipelineReqBody.newBuilder();
        noValue.addRequestsBuilder()
                .getExecuteBuilder()
                .getStmtBuilder()
                .setSql("q")
                .addArgsBuilder();
        for (HranaProto.PipelineReqBody.Builder body : List.of(noRequest, noStatement, noValue)) {
            assertThatThrownBy(() -> protobuf.pipelineRequest(body.build().toByteArray()))
                    .isInstanceOf(ProtocolException.class)
                    .hasMessageContaining("missing");
        }
        assertThatThrownBy(() -> protobuf.cursorRequest(new byte[0])).isInstanceOf(ProtocolException.class);
        assertThatThrownBy(() -> protobuf.clientMessage(new byte[] {0x0a, 0x05, 1}))
                .isInstanceOf(ProtocolException.class);
    }

    @Test
    void bothEncodingsWriteTheSameEntries() throws Exception {
        Outcome outcome = new Outcome(2, -3, 4, 5, Duration.ofMillis(6), true, 77L);
        List<CursorEntry> entries = List.of(
                new CursorEntry.StepBegin(1, List.of(new Column("a", "INT"), new Column("b", null))),
                new CursorEntry.Row(
                        List.of(new Value.Int(Long.MAX_VALUE), new Value.Real(Double.NEGATIVE_INFINITY), Value.NULL)),
                new CursorEntry.StepEnd(outcome),
                new CursorEntry.StepError(2, new HranaError("m", "C")),
                new CursorEntry.Failed(new HranaError("m", "C")));
        assertThat(entries.stream().map(entry -> new String(json.encode(entry), UTF_8)))
                .containsExactly(
                        "{\"type\":\"step_begin\",\"step\":1,\"cols\":[{\"name\":\"a\",\"decltype\":\"INT\"},{\"name\":\"b\",\"decltype\":null}]}\n",
                        "{\"type\":\"row\",\"row\":[{\"type\":\"integer\",\"value\":\"9223372036854775807\"},"
                                + "{\"type\":\"float\",\"value\":-1e999},{\"type\":\"null\"}]}\n",
                        "{\"type\":\"step_end\",\"affected_row_count\":2,\"last_insert_rowid\":\"-3\",\"replication_index\":\"77\"}\n",
                        "{\"type\":\"step_error\",\"step\":2,\"error\":{\"message\":\"m\",\"code\":\"C\"}}\n",
                        "{\"type\":\"error\",\"error\":{\"message\":\"m\",\"code\":\"C\"}}\n");
        HranaProto.CursorEntry row = delimited(protobuf.encode(entries.get(1)));
        assertThat(row.getRow().getValues(0).getInteger()).isEqualTo(Long.MAX_VALUE);
        assertThat(row.getRow().getValues(1).getFloat()).isEqualTo(Double.NEGATIVE_INFINITY);
        assertThat(row.getRow().getValues(2).hasNull()).isTrue();
        HranaProto.StepEndEntry end = delimited(protobuf.encode(entries.get(2))).getStepEnd();
        assertThat(end.getLastInsertRowid()).isEqualTo(-3);
        assertThat(end.getReplicationIndex()).isEqualTo(77);
        assertThat(delimited(protobuf.encode(entries.get(3))).getStepError().getStep())
                .isEqualTo(2);
    }

    private static HranaProto.CursorEntry delimited(byte[] bytes) throws Exception {
        return HranaProto.CursorEntry.parseDelimitedFrom(new java.io.ByteArrayInputStream(bytes));
    }

    /** Bytes as the appendix of HRANA_3_SPEC.md has them, worked out by hand. */
    @Test
    void protobufBytesAreThoseOfTheSpecification() throws ProtocolException {
        byte[] body = {
            0x12, 0x0f, 0x12, 0x0d, 0x0a, 0x0b, 0x0a, 0x01, 'q', 0x1a, 0x02, 0x10, 0x03, 0x1a, 0x02, 0x0a, 0x00
        };
        Pipeline.Request request = protobuf.pipelineRequest(body);
        Statement statement = ((StreamRequest.Execute) request.requests().get(0)).statement();
        assertThat(statement.text()).isEqualTo(new SqlText.Inline("q"));
        assertThat(statement.args()).containsExactly(new Value.Int(-2), Value.NULL);
        ServerMessage message = new ServerMessage.Response(5, new StreamResponse.Autocommit(true));
        assertThat(protobuf.encode(message)).containsExactly(0x1a, 0x06, 0x08, 0x05, 0x6a, 0x02, 0x08, 0x01);
    }
}
