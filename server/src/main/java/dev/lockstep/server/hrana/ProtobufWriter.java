package dev.lockstep.server.hrana;

import com.google.protobuf.UnsafeByteOperations;
import dev.lockstep.server.hrana.v3.HranaProto;
import dev.lockstep.server.sql.Column;
import dev.lockstep.server.sql.Description;
import dev.lockstep.server.sql.Outcome;
import dev.lockstep.server.sql.Value;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Responses in Protobuf: the messages of hrana.proto. */
final class ProtobufWriter {

    private static final HranaProto.Empty EMPTY = HranaProto.Empty.getDefaultInstance();

    private ProtobufWriter() {}

    static HranaProto.PipelineRespBody pipelineResponse(Pipeline.Response response) {
        HranaProto.PipelineRespBody.Builder body = HranaProto.PipelineRespBody.newBuilder();
        if (response.baton() != null) {
            body.setBaton(response.baton());
        }
        response.responses().forEach(one -> body.addResults(streamResult(one)));
        return body.build();
    }

    static HranaProto.CursorRespBody cursorHead(@Nullable String baton) {
        HranaProto.CursorRespBody.Builder body = HranaProto.CursorRespBody.newBuilder();
        if (baton != null) {
            body.setBaton(baton);
        }
        return body.build();
    }

    private static HranaProto.StreamResult streamResult(StreamResponse response) {
        HranaProto.StreamResult.Builder result = HranaProto.StreamResult.newBuilder();
        if (response instanceof StreamResponse.Failed failed) {
            return result.setError(error(failed.error())).build();
        }
        HranaProto.StreamResponse.Builder ok = result.getOkBuilder();
        if (response instanceof StreamResponse.Executed executed) {
            ok.setExecute(executed(executed));
        } else if (response instanceof StreamResponse.BatchDone batch) {
            ok.setBatch(batchDone(batch));
        } else if (response instanceof StreamResponse.Described described) {
            ok.setDescribe(described(described));
        } else if (response instanceof StreamResponse.Autocommit autocommit) {
            ok.setGetAutocommit(autocommit(autocommit));
        } else if (response instanceof StreamResponse.SequenceDone sequence) {
            ok.setSequence(sequenceDone(sequence));
        } else if (response instanceof StreamResponse.Done done) {
            switch (done.kind()) {
                case STORE_SQL -> ok.setStoreSql(EMPTY);
                case CLOSE_SQL -> ok.setCloseSql(EMPTY);
                case CLOSE -> ok.setClose(EMPTY);
                case OPEN_STREAM, CLOSE_STREAM, OPEN_CURSOR, CLOSE_CURSOR ->
                    throw new IllegalArgumentException(done.kind() + " is not for HTTP");
            }
        }
        return result.build();
    }

    static HranaProto.ServerMsg serverMessage(ServerMessage message) {
        HranaProto.ServerMsg.Builder out = HranaProto.ServerMsg.newBuilder();
        if (message instanceof ServerMessage.Response response) {
            if (response.response() instanceof StreamResponse.Failed failed) {
                out.getResponseErrorBuilder().setRequestId(response.requestId()).setError(error(failed.error()));
            } else {
                out.setResponseOk(responseOk(response));
            }
        } else if (message instanceof ServerMessage.Fetched fetched) {
            HranaProto.FetchCursorResp.Builder body = HranaProto.FetchCursorResp.newBuilder();
            fetched.entries().forEach(entry -> body.addEntries(cursorEntry(entry)));
            out.getResponseOkBuilder().setRequestId(fetched.requestId()).setFetchCursor(body.setDone(fetched.done()));
        } else if (message instanceof ServerMessage.HelloError failed) {
            out.getHelloErrorBuilder().setError(error(failed.error()));
        } else {
            out.setHelloOk(EMPTY);
        }
        return out.build();
    }

    private static HranaProto.ResponseOkMsg responseOk(ServerMessage.Response message) {
        HranaProto.ResponseOkMsg.Builder ok =
                HranaProto.ResponseOkMsg.newBuilder().setRequestId(message.requestId());
        StreamResponse response = message.response();
        if (response instanceof StreamResponse.Executed executed) {
            ok.setExecute(executed(executed));
        } else if (response instanceof StreamResponse.BatchDone batch) {
            ok.setBatch(batchDone(batch));
        } else if (response instanceof StreamResponse.Described described) {
            ok.setDescribe(described(described));
        } else if (response instanceof StreamResponse.Autocommit autocommit) {
            ok.setGetAutocommit(autocommit(autocommit));
        } else if (response instanceof StreamResponse.SequenceDone sequence) {
            ok.setSequence(sequenceDone(sequence));
        } else if (response instanceof StreamResponse.Done done) {
            switch (done.kind()) {
                case STORE_SQL -> ok.setStoreSql(EMPTY);
                case CLOSE_SQL -> ok.setCloseSql(EMPTY);
                case OPEN_STREAM -> ok.setOpenStream(EMPTY);
                case CLOSE_STREAM -> ok.setCloseStream(EMPTY);
                case OPEN_CURSOR -> ok.setOpenCursor(EMPTY);
                case CLOSE_CURSOR -> ok.setCloseCursor(EMPTY);
                case CLOSE -> throw new IllegalArgumentException("close is not for WebSocket");
            }
        }
        return ok.build();
    }

    private static HranaProto.ExecuteResp executed(StreamResponse.Executed executed) {
        return HranaProto.ExecuteResp.newBuilder()
                .setResult(statementResult(executed.result()))
                .build();
    }

    private static HranaProto.BatchResp batchDone(StreamResponse.BatchDone batch) {
        return HranaProto.BatchResp.newBuilder()
                .setResult(batchResult(batch.result()))
                .build();
    }

    private static HranaProto.DescribeResp described(StreamResponse.Described described) {
        return HranaProto.DescribeResp.newBuilder()
                .setResult(description(described.description()))
                .build();
    }

    private static HranaProto.SequenceResp sequenceDone(StreamResponse.SequenceDone sequence) {
        HranaProto.SequenceResp.Builder out = HranaProto.SequenceResp.newBuilder();
        if (sequence.frameNo() != null) {
            out.setReplicationIndex(sequence.frameNo());
        }
        return out.build();
    }

    private static HranaProto.GetAutocommitResp autocommit(StreamResponse.Autocommit autocommit) {
        return HranaProto.GetAutocommitResp.newBuilder()
                .setIsAutocommit(autocommit.isAutocommit())
                .build();
    }

    private static HranaProto.Error error(HranaError error) {
        return HranaProto.Error.newBuilder()
                .setMessage(error.message())
                .setCode(error.code())
                .build();
    }

    private static HranaProto.StmtResult statementResult(StatementResult result) {
        Outcome outcome = result.outcome();
        HranaProto.StmtResult.Builder out = HranaProto.StmtResult.newBuilder()
                .setAffectedRowCount(outcome.affectedRows())
                .setLastInsertRowid(outcome.lastInsertRowid())
                .setRowsRead(outcome.rowsRead())
                .setRowsWritten(outcome.rowsWritten())
                .setQueryDurationMs(outcome.time().toNanos() / 1e6);
        if (outcome.frameNo() != null) {
            out.setReplicationIndex(outcome.frameNo());
        }
        result.columns().forEach(column -> out.addCols(column(column)));
        result.rows().forEach(row -> out.addRows(row(row)));
        return out.build();
    }

    private static HranaProto.Col column(Column column) {
        HranaProto.Col.Builder out = HranaProto.Col.newBuilder().setName(column.name());
        if (column.decltype() != null) {
            out.setDecltype(column.decltype());
        }
        return out.build();
    }

    private static HranaProto.BatchResult batchResult(BatchResult result) {
        HranaProto.BatchResult.Builder out = HranaProto.BatchResult.newBuilder();
        for (int i = 0; i < result.steps().size(); i++) {
            StatementResult found = result.steps().get(i).result();
            HranaError error = result.steps().get(i).error();
            if (found != null) {
                out.putStepResults(i, statementResult(found));
            } else if (error != null) {
                out.putStepErrors(i, error(error));
            }
        }
        if (result.frameNo() != null) {
            out.setReplicationIndex(result.frameNo());
        }
        return out.build();
    }

    private static HranaProto.DescribeResult description(Description description) {
        HranaProto.DescribeResult.Builder out = HranaProto.DescribeResult.newBuilder()
                .setIsExplain(description.explain())
                .setIsReadonly(description.readOnly());
        for (@Nullable String name : description.parameters()) {
            HranaProto.DescribeParam.Builder parameter = out.addParamsBuilder();
            if (name != null) {
                parameter.setName(name);
            }
        }
        for (Column column : description.columns()) {
            HranaProto.DescribeCol.Builder one = out.addColsBuilder().setName(column.name());
            if (column.decltype() != null) {
                one.setDecltype(column.decltype());
            }
        }
        return out.build();
    }

    static HranaProto.CursorEntry cursorEntry(CursorEntry entry) {
        HranaProto.CursorEntry.Builder out = HranaProto.CursorEntry.newBuilder();
        if (entry instanceof CursorEntry.Row row) {
            out.setRow(row(row.values()));
        } else if (entry instanceof CursorEntry.StepBegin begin) {
            HranaProto.StepBeginEntry.Builder body = out.getStepBeginBuilder().setStep(begin.step());
            begin.columns().forEach(column -> body.addCols(column(column)));
        } else if (entry instanceof CursorEntry.StepEnd end) {
            out.setStepEnd(stepEnd(end.outcome()));
        } else if (entry instanceof CursorEntry.StepError failed) {
            out.getStepErrorBuilder().setStep(failed.step()).setError(error(failed.error()));
        } else if (entry instanceof CursorEntry.Failed failed) {
            out.setError(error(failed.error()));
        }
        return out.build();
    }

    private static HranaProto.StepEndEntry stepEnd(Outcome outcome) {
        HranaProto.StepEndEntry.Builder out = HranaProto.StepEndEntry.newBuilder()
                .setAffectedRowCount(outcome.affectedRows())
                .setLastInsertRowid(outcome.lastInsertRowid());
        if (outcome.frameNo() != null) {
            out.setReplicationIndex(outcome.frameNo());
        }
        return out.build();
    }

    private static HranaProto.Row row(List<Value> values) {
        HranaProto.Row.Builder row = HranaProto.Row.newBuilder();
        values.forEach(value -> row.addValues(value(value)));
        return row.build();
    }

    private static HranaProto.Value value(Value value) {
        HranaProto.Value.Builder out = HranaProto.Value.newBuilder();
        if (value instanceof Value.Int integer) {
            out.setInteger(integer.value());
        } else if (value instanceof Value.Text text) {
            out.setText(text.value());
        } else if (value instanceof Value.Real real) {
            out.setFloat(real.value());
        } else if (value instanceof Value.Blob blob) {
            out.setBlob(UnsafeByteOperations.unsafeWrap(blob.value()));
        } else {
            out.setNull(EMPTY);
        }
        return out.build();
    }
}
