package dev.lockstep.jdbc;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What came of statements that were to run one after the other, each only if the one before succeeded.
 *
 * @param results of those that succeeded
 * @param failure of the next one, or null when all succeeded
 * @param autocommit whether no transaction is open afterwards
 * @param frameNo the frame that includes all that was committed, or -1 if the server did not say
 */
record RemoteAnswer(List<RemoteRows> results, @Nullable Failure failure, boolean autocommit, long frameNo) {

    /** @param code a result code of SQLite, extended */
    record Failure(int code, String message) {}
}
