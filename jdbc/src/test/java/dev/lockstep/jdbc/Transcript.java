package dev.lockstep.jdbc;

import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** What a program sees of a connection, line by line, so that two kinds of connection can be compared. */
final class Transcript {

    interface Call {
        Object run() throws Exception;
    }

    interface Effect {
        void run() throws Exception;
    }

    private final List<String> lines = new ArrayList<>();

    List<String> lines() {
        return lines;
    }

    void note(String what, Object value) {
        lines.add(what + " = " + text(value));
    }

    /** Notes what a call gives, or how it fails. */
    void call(String what, Call call) {
        try {
            note(what, call.run());
        } catch (SQLException e) {
            note(
                    what,
                    "throws " + e.getClass().getSimpleName() + " " + e.getErrorCode() + " " + e.getSQLState() + " "
                            + e.getMessage());
        } catch (Exception e) {
            note(what, "throws " + e.getClass().getSimpleName() + " " + e.getMessage());
        }
    }

    void effect(String what, Effect effect) {
        call(what, () -> {
            effect.run();
            return "done";
        });
    }

    /** Notes all rows, each value by every getter. */
    void rows(String what, ResultSet rows) throws SQLException {
        metadata(what, rows.getMetaData());
        for (int row = 1; rows.next(); row++) {
            for (int column = 1; column <= rows.getMetaData().getColumnCount(); column++) {
                value(what + "[" + row + "," + column + "]", rows, column);
            }
        }
        note(what + " after the last", rows.isAfterLast());
        rows.close();
    }

    /** Notes all rows as strings. */
    void strings(String what, ResultSet rows) throws SQLException {
        metadata(what, rows.getMetaData());
        while (rows.next()) {
            List<String> row = new ArrayList<>();
            for (int column = 1; column <= rows.getMetaData().getColumnCount(); column++) {
                row.add(rows.getString(column));
            }
            note(what, row);
        }
        rows.close();
    }

    private void metadata(String what, ResultSetMetaData metadata) {
        call(what + " columns", metadata::getColumnCount);
        try {
            for (int i = 1; i <= metadata.getColumnCount(); i++) {
                int column = i;
                String name = what + " column " + i;
                call(name + " name", () -> metadata.getColumnName(column));
                call(name + " label", () -> metadata.getColumnLabel(column));
                call(name + " precision", () -> metadata.getPrecision(column));
                call(name + " scale", () -> metadata.getScale(column));
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private void value(String name, ResultSet rows, int column) {
        // First, because SQLite leaves undefined what the type is after a conversion.
        call(name + " object", () -> rows.getObject(column));
        call(name + " type", () -> rows.getMetaData().getColumnType(column));
        call(name + " typeName", () -> rows.getMetaData().getColumnTypeName(column));
        call(name + " class", () -> rows.getMetaData().getColumnClassName(column));
        call(name + " string", () -> rows.getString(column));
        call(name + " null", rows::wasNull);
        call(name + " int", () -> rows.getInt(column));
        call(name + " long", () -> rows.getLong(column));
        call(name + " short", () -> rows.getShort(column));
        call(name + " byte", () -> rows.getByte(column));
        call(name + " double", () -> rows.getDouble(column));
        call(name + " float", () -> rows.getFloat(column));
        call(name + " boolean", () -> rows.getBoolean(column));
        call(name + " decimal", () -> rows.getBigDecimal(column));
        call(name + " bytes", () -> rows.getBytes(column));
        call(name + " null again", rows::wasNull);
    }

    private static String text(Object value) {
        if (value instanceof byte[] bytes) {
            return "bytes " + Arrays.toString(bytes);
        } else if (value instanceof int[] numbers) {
            return Arrays.toString(numbers);
        } else if (value instanceof long[] numbers) {
            return Arrays.toString(numbers);
        }
        return value == null ? "null" : value.getClass().getSimpleName() + " " + value;
    }
}
