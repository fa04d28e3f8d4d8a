package dev.lockstep.server.sql;

import org.jspecify.annotations.Nullable;

/**
 * One statement of a text: what it is, as far as that decides how it is run. SQLite alone judges whether it is right.
 *
 * @param sql from its first token to its last, without the semicolon
 * @param explain whether it is an EXPLAIN of {@code kind}
 * @param temporary whether a write names the temp schema
 * @param returning whether a write hands out rows
 * @param pragma of a {@link Kind#PRAGMA}
 * @param refusal why it is not run, or null
 */
record SqlStatement(
        String sql,
        Kind kind,
        boolean explain,
        boolean temporary,
        boolean returning,
        Parameters parameters,
        @Nullable Pragma pragma,
        @Nullable String refusal) {

    enum Kind {
        /** SELECT, VALUES, and WITH before one. */
        QUERY,
        /** INSERT, REPLACE, UPDATE, DELETE, and WITH before one. */
        CHANGE,
        /** CREATE, DROP, ALTER, REINDEX, ANALYZE. */
        DEFINITION,
        VACUUM,
        PRAGMA,
        /** BEGIN and BEGIN DEFERRED. */
        BEGIN,
        /** BEGIN IMMEDIATE and BEGIN EXCLUSIVE. */
        BEGIN_WRITE,
        /** libSQL's BEGIN TRANSACTION READONLY. */
        BEGIN_READ_ONLY,
        COMMIT,
        ROLLBACK,
        /** SAVEPOINT, RELEASE, ROLLBACK TO. */
        SAVEPOINT,
        /** ATTACH, DETACH, which are refused, and what SQLite does not know either. */
        OTHER
    }

    /** Whether it may change the database, and so needs its turn to write. */
    boolean writes() {
        if (explain) {
            return false;
        }
        return switch (kind) {
            case CHANGE, DEFINITION, VACUUM -> true;
            case PRAGMA -> pragma != null && pragma.writes();
            default -> false;
        };
    }

    /** Whether it needs its turn to write before it runs. */
    boolean needsTurn() {
        return writes() || (kind == Kind.BEGIN_WRITE && !explain);
    }

    /** Whether it may begin or end a transaction. */
    boolean controlsTransaction() {
        return switch (kind) {
            case BEGIN, BEGIN_WRITE, BEGIN_READ_ONLY, COMMIT, ROLLBACK, SAVEPOINT, OTHER -> true;
            default -> false;
        };
    }

    /** Whether the connection is another one afterwards, so that nobody else may get it. */
    boolean changesConnection() {
        return temporary || (pragma != null && pragma.changesConnection());
    }
}
