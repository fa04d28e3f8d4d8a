package dev.lockstep.jdbc;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one statement gave that ran on a server.
 *
 * @param columns none for a statement without result rows
 * @param rows values are null, Long, Double, String or byte[]
 */
record RemoteRows(List<Column> columns, List<@Nullable Object[]> rows, long affectedRows, long lastInsertRowid) {

    /** @param declaredType as in CREATE TABLE; null for an expression */
    record Column(String name, @Nullable String declaredType) {}
}
