package dev.lockstep.server.sql;

import java.util.List;

/** Passes a result on, up to the limits. Not thread-safe. */
final class LimitedRows implements RowSink {

    private static final int NUMBER = 8;

    private final RowSink sink;
    private final SqlLimits limits;
    private long rows;
    private long bytes;

    LimitedRows(RowSink sink, SqlLimits limits) {
        this.sink = sink;
        this.limits = limits;
    }

    @Override
    public void columns(List<Column> columns) throws SqlFailure {
        sink.columns(columns);
    }

    @Override
    public void row(List<Value> row) throws SqlFailure {
        rows++;
        for (Value value : row) {
            bytes += size(value);
        }
        if (rows > limits.resultRows() || bytes > limits.resultBytes()) {
            throw SqlFailure.of(
                    SqlFailure.RESPONSE_TOO_LARGE,
                    "the result is larger than " + limits.resultRows() + " rows or " + limits.resultBytes()
                            + " bytes; ask for less at a time with LIMIT");
        }
        sink.row(row);
    }

    private static long size(Value value) {
        if (value instanceof Value.Text text) {
            return text.value().length();
        }
        return value instanceof Value.Blob blob ? blob.value().length : NUMBER;
    }
}
