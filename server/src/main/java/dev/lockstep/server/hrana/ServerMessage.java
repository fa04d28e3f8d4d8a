package dev.lockstep.server.hrana;

import java.util.List;

/** A message to the client over WebSocket. */
sealed interface ServerMessage {

    record HelloOk() implements ServerMessage {}

    record HelloError(HranaError error) implements ServerMessage {}

    record Response(int requestId, StreamResponse response) implements ServerMessage {}

    record Fetched(int requestId, List<CursorEntry> entries, boolean done) implements ServerMessage {}
}
