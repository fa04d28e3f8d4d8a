package dev.lockstep.server.sql;

import java.util.List;

/**
 * One statement with its values.
 *
 * @param sql one statement; a semicolon and comments may follow
 * @param args values by position, the first for parameter 1
 * @param named values by name
 * @param wantRows whether rows are handed out; without, the statement runs to its end all the same
 */
public record Query(String sql, List<Value> args, List<NamedValue> named, boolean wantRows) {

    public Query {
        args = List.copyOf(args);
        named = List.copyOf(named);
    }

    /** A statement with values by position, whose rows are wanted. */
    public static Query of(String sql, Value... args) {
        return new Query(sql, List.of(args), List.of(), true);
    }
}
