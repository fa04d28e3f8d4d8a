package dev.lockstep.server.hrana;

import org.jspecify.annotations.Nullable;

/**
 * One of the two encodings of the same messages. What is unknown in a message is passed over, as Hrana demands; everything else that does
 * not fit is refused. Thread-safe.
 */
interface Codec {

    /** The content type of requests and responses over HTTP. */
    String contentType();

    Pipeline.Request pipelineRequest(byte[] body) throws ProtocolException;

    byte[] encode(Pipeline.Response response);

    Pipeline.CursorRequest cursorRequest(byte[] body) throws ProtocolException;

    /** The first piece of the response to a cursor request, as it stands in the stream of entries. */
    byte[] encodeCursorHead(@Nullable String baton);

    /** An entry as it stands in the stream of entries. */
    byte[] encode(CursorEntry entry);

    ClientMessage clientMessage(byte[] message) throws ProtocolException;

    byte[] encode(ServerMessage message);
}
