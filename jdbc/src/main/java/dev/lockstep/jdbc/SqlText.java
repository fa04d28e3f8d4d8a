package dev.lockstep.jdbc;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * As much of SQL's surface as routing needs: where statements end, and which of them control transactions. Follows SQLite's
 * tokenizer (its documentation, "SQL Language Expressions" and {@code sqlite3_complete()}).
 */
final class SqlText {

    /** What a statement does to the transaction of its connection. */
    enum Kind {
        BEGIN,
        END,
        ROLLBACK,
        SAVEPOINT,
        RELEASE,
        ROLLBACK_TO,
        /** Begins as what changes rows; WITH may, too, but is OTHER. */
        CHANGE,
        OTHER
    }

    private SqlText() {}

    static Kind kind(String sql) {
        int from = skipBlank(sql, 0);
        int to = wordEnd(sql, from);
        return switch (sql.substring(from, to).toUpperCase(Locale.ROOT)) {
            case "BEGIN" -> Kind.BEGIN;
            case "COMMIT", "END" -> Kind.END;
            case "ROLLBACK" -> rollsBackToSavepoint(sql, to) ? Kind.ROLLBACK_TO : Kind.ROLLBACK;
            case "SAVEPOINT" -> Kind.SAVEPOINT;
            case "RELEASE" -> Kind.RELEASE;
            case "INSERT", "REPLACE", "UPDATE", "DELETE" -> Kind.CHANGE;
            default -> Kind.OTHER;
        };
    }

    /** ROLLBACK [TRANSACTION] [TO [SAVEPOINT] name]. */
    private static boolean rollsBackToSavepoint(String sql, int afterRollback) {
        int from = skipBlank(sql, afterRollback);
        int to = wordEnd(sql, from);
        if (sql.substring(from, to).equalsIgnoreCase("TRANSACTION")) {
            from = skipBlank(sql, to);
            to = wordEnd(sql, from);
        }
        return sql.substring(from, to).equalsIgnoreCase("TO");
    }

    /** The text up to the first semicolon that ends a statement. */
    static String first(String sql) {
        return sql.substring(0, statementEnd(sql, 0));
    }

    /** The statements of a script, each without its semicolon; pieces without any SQL are left out. */
    static List<String> split(String script) {
        List<String> statements = new ArrayList<>();
        int start = 0;
        while (start < script.length()) {
            int end = statementEnd(script, start);
            if (skipBlank(script, start) < end) {
                statements.add(script.substring(start, end));
            }
            start = end + 1;
        }
        return statements;
    }

    /** The index of the semicolon that ends the statement, or the script's length. */
    private static int statementEnd(String sql, int start) {
        boolean trigger = isTrigger(sql, start);
        String last = "";
        int at = skipBlank(sql, start);
        while (at < sql.length()) {
            char c = sql.charAt(at);
            int next;
            if (c == ';' && (!trigger || last.equalsIgnoreCase("END"))) {
                return at;
            }
            next = tokenEnd(sql, at);
            // A trigger ends with "; END ;": END after a CASE has no semicolon before it.
            if (c == ';') {
                last = ";";
            } else {
                String word = sql.substring(at, next);
                last = last.equals(";") || !word.equalsIgnoreCase("END") ? word : "";
            }
            at = skipBlank(sql, next);
        }
        return sql.length();
    }

    /** CREATE [TEMP | TEMPORARY] TRIGGER. */
    private static boolean isTrigger(String sql, int start) {
        int at = skipBlank(sql, start);
        for (String expected : new String[] {"CREATE", "TEMP|TEMPORARY", "TRIGGER"}) {
            int end = wordEnd(sql, at);
            String word = sql.substring(at, end).toUpperCase(Locale.ROOT);
            boolean optional = expected.startsWith("TEMP");
            if (word.matches(expected)) {
                at = skipBlank(sql, end);
            } else if (!optional) {
                return false;
            }
        }
        return true;
    }

    private static int tokenEnd(String sql, int at) {
        char c = sql.charAt(at);
        return switch (c) {
            case '\'', '"', '`' -> closing(sql, at, c);
            case '[' -> closing(sql, at, ']');
            default -> Math.max(at + 1, wordEnd(sql, at));
        };
    }

    /** A doubled quote reads as two strings side by side, which is as good here. */
    private static int closing(String sql, int at, char quote) {
        int end = sql.indexOf(quote, at + 1);
        return end < 0 ? sql.length() : end + 1;
    }

    private static int wordEnd(String sql, int at) {
        int end = at;
        while (end < sql.length() && Character.isJavaIdentifierPart(sql.charAt(end))) {
            end++;
        }
        return end;
    }

    /** Past white space and comments. */
    private static int skipBlank(String sql, int from) {
        int at = from;
        while (at < sql.length()) {
            if (Character.isWhitespace(sql.charAt(at)) || sql.charAt(at) == '\uFEFF') {
                at++;
            } else if (sql.startsWith("--", at)) {
                int end = sql.indexOf('\n', at);
                at = end < 0 ? sql.length() : end + 1;
            } else if (sql.startsWith("/*", at)) {
                int end = sql.indexOf("*/", at + 2);
                at = end < 0 ? sql.length() : end + 2;
            } else {
                break;
            }
        }
        return at;
    }
}
