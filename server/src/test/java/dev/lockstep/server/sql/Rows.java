package dev.lockstep.server.sql;

import java.util.ArrayList;
import java.util.List;

/** Keeps a result. */
final class Rows implements RowSink {

    final List<Column> columns = new ArrayList<>();
    final List<List<Value>> rows = new ArrayList<>();

    @Override
    public void columns(List<Column> all) {
        columns.addAll(all);
    }

    @Override
    public void row(List<Value> row) {
        rows.add(List.copyOf(row));
    }
}
