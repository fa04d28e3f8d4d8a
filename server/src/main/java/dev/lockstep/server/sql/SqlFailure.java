package dev.lockstep.server.sql;

import java.sql.SQLException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

/**
 * Why a statement did not run, or not to its end: SQLite's own error, or one of ours, whose codes stand here. After it the session goes
 * on, unless it says otherwise.
 */
public final class SqlFailure extends Exception {

    private static final long serialVersionUID = 1L;

    /** The transaction lasted or idled too long and was rolled back; or a statement alone ran too long. */
    public static final String TRANSACTION_TIMEOUT = "TRANSACTION_TIMEOUT";

    /** The result has more rows or bytes than allowed. */
    public static final String RESPONSE_TOO_LARGE = "RESPONSE_TOO_LARGE";

    /** The statement would break replication or reach outside the database. */
    public static final String SQL_REFUSED = "SQL_REFUSED";

    /** The text cannot be read as SQL. */
    public static final String SQL_PARSE_ERROR = "SQL_PARSE_ERROR";

    /** There is more than one statement where one is asked for, or more in a script than allowed. */
    public static final String SQL_MANY_STATEMENTS = "SQL_MANY_STATEMENTS";

    /** There is no statement, only space and comments. */
    public static final String SQL_NO_STATEMENT = "SQL_NO_STATEMENT";

    /** The text is longer than allowed. */
    public static final String SQL_TOO_LONG = "SQL_TOO_LONG";

    /** Parameters and values do not fit together. */
    public static final String ARGS_INVALID = "ARGS_INVALID";

    /** The session was closed. */
    public static final String SESSION_CLOSED = "SESSION_CLOSED";

    static final int READONLY = 8;
    static final int CANTOPEN = 14;
    static final int INTERRUPT = 9;
    static final int BUSY = 5;
    private static final int ERROR = 1;
    private static final Pattern UNKNOWN = Pattern.compile(".*?:(\\d+) \\((.*)\\)", Pattern.DOTALL);

    private final String code;
    private final int extended;

    private SqlFailure(String code, int extended, String message) {
        super(message);
        this.code = code;
        this.extended = extended;
    }

    /** A failure of ours, which to SQLite's clients is a plain SQLITE_ERROR. */
    public static SqlFailure of(String code, String message) {
        return new SqlFailure(code, ERROR, message);
    }

    /** The failure that SQLite has a code for. */
    static SqlFailure sqlite(int extended, String message) {
        return new SqlFailure(name(extended), extended, message);
    }

    /** sqlite-jdbc puts the code's name and a sentence of its own around SQLite's message; this takes them off. */
    static SqlFailure of(SQLException e) {
        String text = String.valueOf(e.getMessage());
        SQLiteErrorCode code = e instanceof SQLiteException se ? se.getResultCode() : SQLiteErrorCode.SQLITE_ERROR;
        if (code == SQLiteErrorCode.UNKNOWN_ERROR) {
            Matcher unknown = UNKNOWN.matcher(text);
            return unknown.matches()
                    ? sqlite(Integer.parseInt(unknown.group(1)), unknown.group(2))
                    : sqlite(ERROR, text);
        }
        String around = code + " (";
        return sqlite(
                code.code,
                text.startsWith(around) && text.endsWith(")")
                        ? text.substring(around.length(), text.length() - 1)
                        : text);
    }

    private static String name(int extended) {
        SQLiteErrorCode exact = SQLiteErrorCode.getErrorCode(extended);
        return (exact == SQLiteErrorCode.UNKNOWN_ERROR ? SQLiteErrorCode.getErrorCode(extended & 0xff) : exact).name();
    }

    /** SQLite's name of the extended code, such as SQLITE_CONSTRAINT_UNIQUE, or a constant of this class. */
    public String code() {
        return code;
    }

    /** SQLite's primary code, such as 19; 1 where the failure is ours. */
    public int primary() {
        return extended & 0xff;
    }

    /** SQLite's extended code, such as 2067; 1 where the failure is ours. */
    public int extended() {
        return extended;
    }
}
