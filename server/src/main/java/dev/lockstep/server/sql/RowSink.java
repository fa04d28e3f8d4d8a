package dev.lockstep.server.sql;

import java.util.List;

/** Takes a result as it comes. What it throws ends the statement, and undoes it if it was a write. */
public interface RowSink {

    /** Called once, before all rows, also when there is no column or row. */
    void columns(List<Column> columns) throws SqlFailure;

    /** @param row as many values as there are columns */
    void row(List<Value> row) throws SqlFailure;

    /** Takes nothing. */
    RowSink NONE = new RowSink() {
        @Override
        public void columns(List<Column> columns) {}

        @Override
        public void row(List<Value> row) {}
    };
}
