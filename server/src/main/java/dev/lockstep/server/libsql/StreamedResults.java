package dev.lockstep.server.libsql;

import dev.lockstep.server.libsql.v1.ProxyProto.AddRowValue;
import dev.lockstep.server.libsql.v1.ProxyProto.BeginRow;
import dev.lockstep.server.libsql.v1.ProxyProto.BeginRows;
import dev.lockstep.server.libsql.v1.ProxyProto.BeginStep;
import dev.lockstep.server.libsql.v1.ProxyProto.ColsDescription;
import dev.lockstep.server.libsql.v1.ProxyProto.ExecResp;
import dev.lockstep.server.libsql.v1.ProxyProto.FinishRow;
import dev.lockstep.server.libsql.v1.ProxyProto.FinishRows;
import dev.lockstep.server.libsql.v1.ProxyProto.FinishStep;
import dev.lockstep.server.libsql.v1.ProxyProto.Init;
import dev.lockstep.server.libsql.v1.ProxyProto.ProgramResp;
import dev.lockstep.server.libsql.v1.ProxyProto.RespStep;
import dev.lockstep.server.libsql.v1.ProxyProto.StepError;
import dev.lockstep.server.sql.Column;
import dev.lockstep.server.sql.Outcome;
import dev.lockstep.server.sql.SqlFailure;
import dev.lockstep.server.sql.Value;
import io.grpc.StatusException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The results of a program in pieces, no faster than the client takes them. Not thread-safe. */
final class StreamedResults implements SqlProgram.Results {

    private static final int PIECE_BYTES = 64 << 10;

    private final ClientStream<ExecResp> stream;
    private final int requestId;
    private ProgramResp.Builder piece = ProgramResp.newBuilder();
    private int bytes;
    private boolean inRows;

    StreamedResults(ClientStream<ExecResp> stream, int requestId) {
        this.stream = stream;
        this.requestId = requestId;
        add(RespStep.newBuilder().setInit(Init.getDefaultInstance()));
    }

    private void add(RespStep.Builder step) {
        RespStep built = step.build();
        bytes += built.getSerializedSize();
        piece.addSteps(built);
    }

    private void send() {
        stream.send(ExecResp.newBuilder()
                .setRequestId(requestId)
                .setProgramResp(piece)
                .build());
        piece = ProgramResp.newBuilder();
        bytes = 0;
    }

    @Override
    public void begin() {
        inRows = false;
        add(RespStep.newBuilder().setBeginStep(BeginStep.getDefaultInstance()));
    }

    @Override
    public void columns(List<Column> columns) {
        ColsDescription.Builder all = ColsDescription.newBuilder();
        columns.forEach(column -> all.addColumns(CollectedResults.column(column)));
        add(RespStep.newBuilder().setColsDescription(all));
        add(RespStep.newBuilder().setBeginRows(BeginRows.getDefaultInstance()));
        inRows = true;
    }

    @Override
    public void row(List<Value> row) throws SqlFailure {
        add(RespStep.newBuilder().setBeginRow(BeginRow.getDefaultInstance()));
        for (Value value : row) {
            add(RespStep.newBuilder().setAddRowValue(AddRowValue.newBuilder().setVal(ValueCodec.plain(value))));
        }
        add(RespStep.newBuilder().setFinishRow(FinishRow.getDefaultInstance()));
        if (bytes >= PIECE_BYTES) {
            awaitClient();
            send();
        }
    }

    private void awaitClient() throws SqlFailure {
        try {
            stream.awaitReady();
        } catch (StatusException e) {
            throw SqlFailure.of(SqlFailure.SESSION_CLOSED, String.valueOf(e.getMessage()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw SqlFailure.of(SqlFailure.SESSION_CLOSED, "the server stops");
        }
    }

    @Override
    public void finish(Outcome outcome) {
        if (inRows) {
            add(RespStep.newBuilder().setFinishRows(FinishRows.getDefaultInstance()));
        }
        add(RespStep.newBuilder()
                .setFinishStep(FinishStep.newBuilder()
                        .setAffectedRowCount(outcome.affectedRows())
                        .setLastInsertRowid(outcome.lastInsertRowid())));
    }

    @Override
    public void skip() {
        begin();
        add(RespStep.newBuilder().setFinishStep(FinishStep.getDefaultInstance()));
    }

    @Override
    public void fail(SqlFailure failure) {
        add(RespStep.newBuilder().setStepError(StepError.newBuilder().setError(CollectedResults.error(failure))));
    }

    /** The end of the program. */
    void end(@Nullable Long frameNo, boolean isAutocommit) {
        RespStep.Builder last = RespStep.newBuilder();
        last.getFinishBuilder().setIsAutocommit(isAutocommit);
        if (frameNo != null) {
            last.getFinishBuilder().setLastFrameNo(frameNo);
        }
        add(last);
        send();
    }
}
