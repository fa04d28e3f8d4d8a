package dev.lockstep.server.sql;

import dev.lockstep.server.sql.Lexer.Token;
import dev.lockstep.server.sql.SqlStatement.Kind;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads the statements of a text, one after the other. A semicolon ends a statement, but in a CREATE TRIGGER only the one after an END
 * that itself follows a semicolon.
 *
 * <p>Not thread-safe.
 */
final class Script {

    private static final Map<String, Kind> KINDS = Map.ofEntries(
            Map.entry("SELECT", Kind.QUERY),
            Map.entry("VALUES", Kind.QUERY),
            Map.entry("INSERT", Kind.CHANGE),
            Map.entry("REPLACE", Kind.CHANGE),
            Map.entry("UPDATE", Kind.CHANGE),
            Map.entry("DELETE", Kind.CHANGE),
            Map.entry("CREATE", Kind.DEFINITION),
            Map.entry("DROP", Kind.DEFINITION),
            Map.entry("ALTER", Kind.DEFINITION),
            Map.entry("REINDEX", Kind.DEFINITION),
            Map.entry("ANALYZE", Kind.DEFINITION),
            Map.entry("VACUUM", Kind.VACUUM),
            Map.entry("PRAGMA", Kind.PRAGMA),
            Map.entry("BEGIN", Kind.BEGIN),
            Map.entry("COMMIT", Kind.COMMIT),
            Map.entry("END", Kind.COMMIT),
            Map.entry("ROLLBACK", Kind.ROLLBACK),
            Map.entry("SAVEPOINT", Kind.SAVEPOINT),
            Map.entry("RELEASE", Kind.SAVEPOINT));

    private final String sql;
    private final Lexer lexer;

    // Of the statement that is being read.
    private Kind kind = Kind.OTHER;
    private boolean explain;
    private boolean temporary;
    private boolean returning;
    private Parameters parameters = new Parameters();
    private @Nullable String refusal;

    Script(String sql) {
        this.sql = sql;
        this.lexer = new Lexer(sql);
    }

    /**
     * The only statement of {@code sql}.
     *
     * @throws SqlFailure SQL_NO_STATEMENT, SQL_MANY_STATEMENTS or SQL_PARSE_ERROR
     */
    static SqlStatement single(String sql) throws SqlFailure {
        Script script = new Script(sql);
        SqlStatement statement = script.next();
        if (statement == null) {
            throw SqlFailure.of(SqlFailure.SQL_NO_STATEMENT, "the SQL holds no statement");
        }
        if (script.next() != null) {
            throw SqlFailure.of(
                    SqlFailure.SQL_MANY_STATEMENTS, "the SQL holds more than one statement, where one is asked for");
        }
        return statement;
    }

    /** The next statement, or null at the end. */
    @Nullable
    SqlStatement next() throws SqlFailure {
        if (sql.indexOf('\0') >= 0) {
            throw SqlFailure.of(
                    SqlFailure.SQL_PARSE_ERROR,
                    "the SQL holds a NUL character at offset " + sql.indexOf('\0')
                            + ", where SQLite would stop reading");
        }
        do {
            lexer.next();
        } while (lexer.isPunctuation(';'));
        return lexer.type == Token.END ? null : statement();
    }

    private SqlStatement statement() {
        kind = Kind.OTHER;
        explain = false;
        temporary = false;
        returning = false;
        refusal = null;
        parameters = new Parameters();
        int start = lexer.start;
        int end = start;
        Head head = new Head();
        Pragma.Reader pragma = new Pragma.Reader();
        Trigger trigger = new Trigger();
        Call call = new Call();
        for (; lexer.type != Token.END; lexer.next()) {
            if (trigger.ends(lexer)) {
                break;
            }
            if (head.isOpen()) {
                head.take();
            } else if (kind == Kind.PRAGMA) {
                pragma.take(lexer);
            } else {
                detail();
            }
            call.take();
            if (lexer.type == Token.PARAMETER) {
                parameters.add(lexer.text());
            }
            end = lexer.end;
        }
        Pragma found = kind == Kind.PRAGMA ? pragma.pragma() : null;
        return new SqlStatement(
                sql.substring(start, end),
                kind,
                explain,
                temporary,
                returning,
                parameters,
                found,
                found != null && refusal == null ? found.refusal() : refusal);
    }

    /** Reads what follows the first words. */
    private void detail() {
        switch (kind) {
            case BEGIN, BEGIN_WRITE -> {
                if (lexer.isWord("IMMEDIATE") || lexer.isWord("EXCLUSIVE")) {
                    kind = Kind.BEGIN_WRITE;
                } else if (lexer.isWord("READONLY")) {
                    kind = Kind.BEGIN_READ_ONLY;
                }
            }
            case ROLLBACK -> {
                if (lexer.isWord("TO")) {
                    kind = Kind.SAVEPOINT;
                }
            }
            case VACUUM -> {
                if (lexer.isWord("INTO")) {
                    refusal = "VACUUM INTO is refused: it would write another file on the server; use a backup instead";
                }
            }
            case CHANGE, DEFINITION -> {
                temporary |= namesTemp();
                returning |= kind == Kind.CHANGE && lexer.isWord("RETURNING");
            }
            default -> {}
        }
    }

    private boolean namesTemp() {
        if (lexer.type != Token.WORD && lexer.type != Token.QUOTED && lexer.type != Token.STRING) {
            return false;
        }
        String name = lexer.unquoted();
        return name.equalsIgnoreCase("TEMP") || name.equalsIgnoreCase("TEMPORARY");
    }

    /** Finds the kind: the first word, after EXPLAIN [QUERY PLAN] and the tables of a WITH. */
    private final class Head {

        private boolean open = true;
        private boolean afterExplain;
        private boolean afterQuery;
        private boolean with;

        /** Within WITH: open brackets, and whether a table's own bracket was closed, so that the next word is the verb. */
        private int depth;

        private boolean afterAs;
        private boolean complete;

        boolean isOpen() {
            return open;
        }

        void take() {
            if (with) {
                takeWith();
            } else if (!explain && lexer.isWord("EXPLAIN")) {
                explain = true;
                afterExplain = true;
            } else if (afterExplain && lexer.isWord("QUERY")) {
                afterExplain = false;
                afterQuery = true;
            } else if (afterQuery && lexer.isWord("PLAN")) {
                afterQuery = false;
            } else if (lexer.isWord("WITH")) {
                with = true;
            } else {
                decide();
            }
        }

        private void takeWith() {
            if (lexer.isPunctuation('(')) {
                depth++;
            } else if (lexer.isPunctuation(')')) {
                depth--;
                complete = depth == 0 && afterAs;
            } else if (depth == 0) {
                if (lexer.isPunctuation(',')) {
                    afterAs = false;
                    complete = false;
                } else if (complete) {
                    decide();
                } else if (lexer.isWord("AS")) {
                    afterAs = true;
                }
            }
        }

        private void decide() {
            open = false;
            String word = lexer.type == Token.WORD ? lexer.text().toUpperCase(Locale.ROOT) : "";
            kind = KINDS.getOrDefault(word, Kind.OTHER);
            if (word.equals("ATTACH") || word.equals("DETACH")) {
                refusal = word
                        + " is refused: a session sees its own database only, because others would not be replicated with it";
            }
        }
    }

    /** Notices a call of load_extension(). */
    private final class Call {

        private boolean named;

        void take() {
            if (named && lexer.isPunctuation('(')) {
                refusal = "load_extension() is refused: it would run foreign code in the server";
            }
            named = (lexer.type == Token.WORD || lexer.type == Token.QUOTED || lexer.type == Token.STRING)
                    && lexer.unquoted().equalsIgnoreCase("load_extension");
        }
    }

    /** Tells which semicolon ends the statement. */
    private static final class Trigger {

        private enum Place {
            START,
            EXPLAIN,
            CREATE,
            BODY,
            BODY_SEMICOLON,
            BODY_END,
            PLAIN
        }

        private Place place = Place.START;

        /** Whether the token is the semicolon that ends the statement. */
        boolean ends(Lexer token) {
            boolean semicolon = token.isPunctuation(';');
            switch (place) {
                case START -> place = token.isWord("EXPLAIN") ? Place.EXPLAIN : afterExplain(token);
                case EXPLAIN -> {
                    if (!token.isWord("QUERY") && !token.isWord("PLAN")) {
                        place = afterExplain(token);
                    }
                }
                case CREATE -> {
                    if (token.isWord("TRIGGER")) {
                        place = Place.BODY;
                    } else if (!token.isWord("TEMP") && !token.isWord("TEMPORARY")) {
                        place = Place.PLAIN;
                    }
                }
                case BODY -> place = semicolon ? Place.BODY_SEMICOLON : Place.BODY;
                case BODY_SEMICOLON -> {
                    if (!semicolon) {
                        place = token.isWord("END") ? Place.BODY_END : Place.BODY;
                    }
                }
                case BODY_END -> {
                    if (!semicolon) {
                        place = Place.BODY;
                    }
                }
                case PLAIN -> {}
            }
            boolean inBody = place == Place.BODY || place == Place.BODY_SEMICOLON;
            return semicolon && !inBody;
        }

        private static Place afterExplain(Lexer token) {
            return token.isWord("CREATE") ? Place.CREATE : Place.PLAIN;
        }
    }
}
