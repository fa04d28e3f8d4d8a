package dev.lockstep.server.hrana;

/** What a client asks of one stream, over HTTP and WebSocket alike. */
sealed interface StreamRequest {

    record Execute(Statement statement) implements StreamRequest {}

    record RunBatch(Batch batch) implements StreamRequest {}

    record Sequence(SqlText text) implements StreamRequest {}

    record Describe(SqlText text) implements StreamRequest {}

    /** Over WebSocket the texts belong to the connection, over HTTP to the stream. */
    record StoreSql(int id, String sql) implements StreamRequest {}

    record CloseSql(int id) implements StreamRequest {}

    record GetAutocommit() implements StreamRequest {}

    record Close() implements StreamRequest {}
}
