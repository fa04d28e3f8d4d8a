package dev.lockstep.server.hrana;

import org.jspecify.annotations.Nullable;

/** An SQL text: given here, or stored before. */
sealed interface SqlText {

    record Inline(String sql) implements SqlText {}

    record Stored(int id) implements SqlText {}

    /** @throws ProtocolException unless exactly one is there */
    static SqlText of(@Nullable String sql, @Nullable Integer id) throws ProtocolException {
        if (sql != null && id == null) {
            return new Inline(sql);
        }
        if (sql == null && id != null) {
            return new Stored(id);
        }
        throw new ProtocolException(
                "exactly one of sql and sql_id is needed, and there is " + (sql == null ? "neither" : "both"));
    }
}
