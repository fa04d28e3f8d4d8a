package dev.lockstep.server.hrana;

import dev.lockstep.server.sql.SqlFailure;
import java.util.HashMap;
import java.util.Map;

/** SQL texts that a client stored to refer to them by number. Thread-safe. */
final class StoredTexts {

    private final Limits limits;
    private final Map<Integer, String> texts = new HashMap<>();

    StoredTexts(Limits limits) {
        this.limits = limits;
    }

    synchronized void store(int id, String sql) throws SqlFailure {
        if (sql.length() > limits.storedLength()) {
            throw SqlFailure.of(
                    "SQL_STORE_TOO_LARGE",
                    "SQL text of " + sql.length() + " characters; at most " + limits.storedLength() + " are stored");
        }
        if (texts.containsKey(id)) {
            throw SqlFailure.of("SQL_STORE_ID_IN_USE", "there is an SQL text with id " + id + "; close it first");
        }
        if (texts.size() >= limits.storedTexts()) {
            throw SqlFailure.of(
                    "SQL_STORE_FULL", "at most " + limits.storedTexts() + " SQL texts are stored; close some");
        }
        texts.put(id, sql);
    }

    synchronized void close(int id) {
        texts.remove(id);
    }

    synchronized String resolve(SqlText text) throws SqlFailure {
        if (text instanceof SqlText.Inline inline) {
            return inline.sql();
        }
        int id = ((SqlText.Stored) text).id();
        String sql = texts.get(id);
        if (sql == null) {
            throw SqlFailure.of("SQL_STORE_ID_UNKNOWN", "there is no SQL text with id " + id);
        }
        return sql;
    }
}
