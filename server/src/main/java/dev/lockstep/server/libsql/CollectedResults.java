package dev.lockstep.server.libsql;

import dev.lockstep.server.libsql.v1.ProxyProto;
import dev.lockstep.server.libsql.v1.ProxyProto.ExecuteResults;
import dev.lockstep.server.libsql.v1.ProxyProto.ResultRows;
import dev.lockstep.server.libsql.v1.ProxyProto.Row;
import dev.lockstep.server.sql.Column;
import dev.lockstep.server.sql.Outcome;
import dev.lockstep.server.sql.SqlFailure;
import dev.lockstep.server.sql.Value;
import java.util.List;

/** The results of a program in one message. Not thread-safe. */
final class CollectedResults implements SqlProgram.Results {

    /** Below what gRPC could send in one message by far, and what a client should ever ask for at once. */
    static final long MAX_BYTES = 128 << 20;

    private final ExecuteResults.Builder all = ExecuteResults.newBuilder();
    private ResultRows.Builder rows = ResultRows.newBuilder();
    private long bytes;

    @Override
    public void begin() {
        rows = ResultRows.newBuilder();
    }

    @Override
    public void columns(List<Column> columns) {
        columns.forEach(column -> rows.addColumnDescriptions(column(column)));
    }

    static ProxyProto.Column column(Column column) {
        ProxyProto.Column.Builder message = ProxyProto.Column.newBuilder().setName(column.name());
        String decltype = column.decltype();
        if (decltype != null) {
            message.setDecltype(decltype);
        }
        return message.build();
    }

    @Override
    public void row(List<Value> values) throws SqlFailure {
        Row.Builder row = Row.newBuilder();
        for (Value value : values) {
            ProxyProto.Value encoded = ValueCodec.encode(value);
            bytes += encoded.getData().size();
            row.addValues(encoded);
        }
        if (bytes > MAX_BYTES) {
            throw SqlFailure.of(
                    SqlFailure.RESPONSE_TOO_LARGE,
                    "the results together are larger than " + MAX_BYTES + " bytes; ask for less at a time with LIMIT");
        }
        rows.addRows(row);
    }

    @Override
    public void finish(Outcome outcome) {
        rows.setAffectedRowCount(outcome.affectedRows()).setLastInsertRowid(outcome.lastInsertRowid());
        all.addResultsBuilder().setRow(rows);
    }

    @Override
    public void skip() {
        all.addResultsBuilder().setRow(ResultRows.getDefaultInstance());
    }

    @Override
    public void fail(SqlFailure failure) {
        all.addResultsBuilder().setError(error(failure));
    }

    static ProxyProto.Error error(SqlFailure failure) {
        ProxyProto.Error.ErrorCode code = switch (failure.code()) {
            case SqlFailure.TRANSACTION_TIMEOUT -> ProxyProto.Error.ErrorCode.TX_TIMEOUT;
            case "SQLITE_BUSY" -> ProxyProto.Error.ErrorCode.TX_BUSY;
            default -> ProxyProto.Error.ErrorCode.SQL_ERROR;
        };
        return ProxyProto.Error.newBuilder()
                .setCode(code)
                .setMessage(String.valueOf(failure.getMessage()))
                .setExtendedCode(failure.extended())
                .build();
    }

    /** The message, to which state and frame number are to be added. */
    ExecuteResults.Builder message() {
        return all;
    }
}
