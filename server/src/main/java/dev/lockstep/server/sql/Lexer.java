package dev.lockstep.server.sql;

/**
 * Cuts SQL into tokens where SQLite does (source: "The SQL language", and SQLite's public {@code sqlite3_complete} for what ends a
 * statement). Space and comments are passed over.
 *
 * <pre>
 * WORD       letter, underscore or anything from U+0080, then these, digits and $
 * QUOTED     "name", `name`, [name]; the quote doubled stands for itself, but not in brackets
 * STRING     'text', a doubled quote stands for itself
 * NUMBER     starts with a digit, or a dot and a digit; x'00' is one too, since nobody here looks inside
 * PARAMETER  ? with digits or none; : @ # $ with a word, in which :: may stand and which (...) may end
 * PUNCTUATION one character, also of operators that have two
 * BAD        what no token begins with, or what does not end
 * </pre>
 *
 * <p>Not thread-safe.
 */
final class Lexer {

    enum Token {
        WORD,
        QUOTED,
        STRING,
        NUMBER,
        PARAMETER,
        PUNCTUATION,
        BAD,
        END
    }

    /** Of a text that SQLite takes for space, wherever a token could begin. */
    private static final char BYTE_ORDER_MARK = '\uFEFF';

    private final String sql;
    private int position;

    Token type = Token.END;
    int start;
    int end;

    Lexer(String sql) {
        this.sql = sql;
    }

    /** Goes to the next token; its type, start and end stand in the fields. */
    Token next() {
        skipSpace();
        start = position;
        type = start == sql.length() ? Token.END : scan(sql.charAt(start));
        end = position;
        return type;
    }

    private char at(int index) {
        return index < sql.length() ? sql.charAt(index) : 0;
    }

    private void skipSpace() {
        while (position < sql.length()) {
            char c = sql.charAt(position);
            if (isSpace(c) || c == BYTE_ORDER_MARK) {
                position++;
            } else if (c == '-' && at(position + 1) == '-') {
                int newline = sql.indexOf('\n', position);
                position = newline < 0 ? sql.length() : newline;
            } else if (c == '/' && at(position + 1) == '*' && position + 2 < sql.length()) {
                int close = sql.indexOf("*/", position + 2);
                position = close < 0 ? sql.length() : close + 2;
            } else {
                return;
            }
        }
    }

    private static boolean isSpace(char c) {
        return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    private static boolean isWordStart(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
    }

    private static boolean isWordPart(char c) {
        return isWordStart(c) || isDigit(c) || c == '$';
    }

    private Token scan(char c) {
        if ((c == 'x' || c == 'X') && at(position + 1) == '\'') {
            position++;
            return quoted('\'', Token.NUMBER);
        }
        if (isWordStart(c)) {
            skipWord();
            return Token.WORD;
        }
        if (isDigit(c) || (c == '.' && isDigit(at(position + 1)))) {
            return number();
        }
        return switch (c) {
            case '\'' -> quoted('\'', Token.STRING);
            case '"', '`' -> quoted(c, Token.QUOTED);
            case '[' -> bracketed();
            case '?' -> numbered();
            case '$', '@', ':', '#' -> parameter();
            case '\0', '\\', '{', '}', ']', '^' -> bad();
            default -> c < 0x20 || c == 0x7f ? bad() : punctuation();
        };
    }

    private Token punctuation() {
        position++;
        return Token.PUNCTUATION;
    }

    private Token bad() {
        position++;
        return Token.BAD;
    }

    private void skipWord() {
        while (isWordPart(at(position))) {
            position++;
        }
    }

    /** Takes letters that cannot belong to a number as well; SQLite refuses the whole. */
    private Token number() {
        boolean hex = at(position) == '0' && (at(position + 1) | 0x20) == 'x';
        while (true) {
            char c = at(position);
            boolean signOfExponent = (c == '+' || c == '-') && !hex && (at(position - 1) | 0x20) == 'e';
            if (!isWordPart(c) && c != '.' && !(signOfExponent && isDigit(at(position + 1)))) {
                return Token.NUMBER;
            }
            position++;
        }
    }

    private Token quoted(char quote, Token found) {
        int from = position + 1;
        while (true) {
            int close = sql.indexOf(quote, from);
            if (close < 0) {
                position = sql.length();
                return Token.BAD;
            }
            if (at(close + 1) != quote) {
                position = close + 1;
                return found;
            }
            from = close + 2;
        }
    }

    private Token bracketed() {
        int close = sql.indexOf(']', position);
        position = close < 0 ? sql.length() : close + 1;
        return close < 0 ? Token.BAD : Token.QUOTED;
    }

    private Token numbered() {
        position++;
        while (isDigit(at(position))) {
            position++;
        }
        return Token.PARAMETER;
    }

    private Token parameter() {
        int letters = 0;
        position++;
        while (position < sql.length()) {
            char c = sql.charAt(position);
            if (isWordPart(c)) {
                letters++;
                position++;
            } else if (c == '(' && letters > 0) {
                return suffix();
            } else if (c == ':' && at(position + 1) == ':') {
                position += 2;
            } else {
                break;
            }
        }
        return letters == 0 ? Token.BAD : Token.PARAMETER;
    }

    /** The {@code (...)} at the end of a Tcl variable, which holds no space. */
    private Token suffix() {
        do {
            position++;
        } while (position < sql.length() && !isSpace(sql.charAt(position)) && sql.charAt(position) != ')');
        if (at(position) != ')') {
            return Token.BAD;
        }
        position++;
        return Token.PARAMETER;
    }

    /** Whether the token is {@code word}, in any case. */
    boolean isWord(String word) {
        return type == Token.WORD
                && end - start == word.length()
                && sql.regionMatches(true, start, word, 0, end - start);
    }

    boolean isPunctuation(char c) {
        return type == Token.PUNCTUATION && sql.charAt(start) == c;
    }

    String text() {
        return sql.substring(start, end);
    }

    /** A name or a string without its quotes; other tokens as they stand. */
    String unquoted() {
        String text = text();
        if (type == Token.STRING || type == Token.QUOTED) {
            char quote = text.charAt(0);
            String inner = text.substring(1, text.length() - 1);
            return quote == '[' ? inner : inner.replace("" + quote + quote, "" + quote);
        }
        return text;
    }
}
