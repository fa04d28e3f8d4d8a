package dev.lockstep.server.hrana;

import dev.lockstep.server.sql.Column;
import dev.lockstep.server.sql.RowSink;
import dev.lockstep.server.sql.SqlFailure;
import dev.lockstep.server.sql.Value;
import java.util.ArrayList;
import java.util.List;

/** The rows of one statement, for a response that holds all. Not thread-safe. */
final class CollectedRows implements RowSink {

    private final Memory.Lease lease;
    private final long limit;
    private List<Column> columns = List.of();
    private final List<List<Value>> rows = new ArrayList<>();

    /** @param lease what the response holds so far, of all its statements */
    CollectedRows(Memory.Lease lease, long limit) {
        this.lease = lease;
        this.limit = limit;
    }

    @Override
    public void columns(List<Column> found) {
        columns = found;
    }

    @Override
    public void row(List<Value> row) throws SqlFailure {
        long length = JsonWriter.estimate(row);
        if (lease.bytes() + length > limit) {
            throw SqlFailure.of(
                    "RESPONSE_TOO_LARGE",
                    "the rows of one response may have " + limit
                            + " bytes together; ask for fewer with LIMIT, or use a cursor");
        }
        lease.add(length);
        rows.add(row);
    }

    List<Column> columns() {
        return columns;
    }

    List<List<Value>> rows() {
        return rows;
    }
}
