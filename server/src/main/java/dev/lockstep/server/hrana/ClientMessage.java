package dev.lockstep.server.hrana;

import org.jspecify.annotations.Nullable;

/** A message from the client over WebSocket. */
sealed interface ClientMessage {

    record Hello(@Nullable String jwt) implements ClientMessage {}

    record Request(int id, Body body) implements ClientMessage {}

    /** What is asked. */
    sealed interface Body {}

    record OpenStream(int streamId) implements Body {}

    record CloseStream(int streamId) implements Body {}

    record OnStream(int streamId, StreamRequest request) implements Body {}

    /** store_sql and close_sql. */
    record OnConnection(StreamRequest request) implements Body {}

    record OpenCursor(int streamId, int cursorId, Batch batch) implements Body {}

    record CloseCursor(int cursorId) implements Body {}

    /** @param maxCount at least 0 */
    record FetchCursor(int cursorId, int maxCount) implements Body {}
}
