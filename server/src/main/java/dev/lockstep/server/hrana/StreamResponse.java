package dev.lockstep.server.hrana;

import dev.lockstep.server.sql.Description;
import org.jspecify.annotations.Nullable;

/** What a request brought: the response of its own kind, or an error. */
sealed interface StreamResponse {

    record Executed(StatementResult result) implements StreamResponse {}

    record BatchDone(BatchResult result) implements StreamResponse {}

    record Described(Description description) implements StreamResponse {}

    record Autocommit(boolean isAutocommit) implements StreamResponse {}

    /** @param frameNo the frame that contains what the script wrote, or null */
    record SequenceDone(@Nullable Long frameNo) implements StreamResponse {}

    /** The response to the kinds of request that have nothing to tell. */
    record Done(Kind kind) implements StreamResponse {}

    record Failed(HranaError error) implements StreamResponse {}

    /** Requests whose response is no more than their name. */
    enum Kind {
        STORE_SQL,
        CLOSE_SQL,
        CLOSE,
        OPEN_STREAM,
        CLOSE_STREAM,
        OPEN_CURSOR,
        CLOSE_CURSOR
    }
}
