package dev.lockstep.server.hrana;

import dev.lockstep.server.sql.SqlFailure;
import java.util.Objects;

/**
 * An error as clients get it.
 *
 * @param code for programs: SQLite's name of the extended code, or one of ours
 */
record HranaError(String message, String code) {

    /** A fault of ours; what it was stands in the log. */
    static HranaError internal() {
        return new HranaError("the server made a mistake, which its log describes", "INTERNAL_ERROR");
    }

    static HranaError of(SqlFailure failure) {
        return new HranaError(Objects.requireNonNullElse(failure.getMessage(), failure.code()), failure.code());
    }
}
