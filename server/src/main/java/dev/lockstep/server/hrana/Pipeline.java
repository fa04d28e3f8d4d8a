package dev.lockstep.server.hrana;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Bodies of HTTP requests and responses. */
final class Pipeline {

    private Pipeline() {}

    /** @param baton of the stream, or null for a new one */
    record Request(@Nullable String baton, List<StreamRequest> requests) {}

    /** @param baton for the next request on the stream, or null if it is closed */
    record Response(@Nullable String baton, List<StreamResponse> responses) {}

    /** @param baton of the stream, or null for a new one */
    record CursorRequest(@Nullable String baton, Batch batch) {}
}
