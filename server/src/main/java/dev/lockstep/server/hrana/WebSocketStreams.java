package dev.lockstep.server.hrana;

import dev.lockstep.server.sql.SqlFailure;
import dev.lockstep.server.sql.SqlGrant;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The streams and cursors of one WebSocket, and what its requests do with them. Requests of one stream run in order, those of different
 * streams beside each other. Called by one thread (the event loop); responses come from others.
 */
final class WebSocketStreams implements AutoCloseable {

    private static final class Stream {

        private final SqlStream sql;
        private final Workers.Line line = new Workers.Line();

        Stream(SqlStream sql) {
            this.sql = sql;
        }
    }

    private record Cursor(CursorBuffer entries, Stream stream, Workers.Line line) {}

    private final WebSockets.Shared shared;
    private final StoredTexts texts;

    /** A stream that could not be opened has its number all the same, and null. */
    private final Map<Integer, @Nullable Stream> streams = new HashMap<>();

    private final Map<Integer, @Nullable Cursor> cursors = new HashMap<>();

    private @Nullable SqlGrant granted;

    WebSocketStreams(WebSockets.Shared shared) {
        this.shared = shared;
        texts = new StoredTexts(shared.limits());
    }

    /** To be said before the first stream is opened; again, it counts for those that are opened from then on. */
    void serve(SqlGrant database) {
        granted = database;
    }

    /**
     * @param respond takes the one response, from any thread
     * @throws RejectedExecutionException if no thread is free and too many wait
     */
    void handle(ClientMessage.Request request, Memory.Lease lease, Consumer<ServerMessage> respond) {
        ClientMessage.Body body = request.body();
        Consumer<StreamResponse> answer =
                response -> respond.accept(new ServerMessage.Response(request.id(), response));
        if (body instanceof ClientMessage.OnStream onStream) {
            onStream(onStream, lease, answer);
        } else if (body instanceof ClientMessage.OpenStream open) {
            answer.accept(open(open.streamId()));
        } else if (body instanceof ClientMessage.CloseStream close) {
            close(close.streamId(), answer);
        } else if (body instanceof ClientMessage.OnConnection onConnection) {
            answer.accept(onConnection(onConnection.request()));
        } else if (body instanceof ClientMessage.OpenCursor open) {
            openCursor(open, answer);
        } else if (body instanceof ClientMessage.FetchCursor fetch) {
            fetch(request.id(), fetch, respond);
        } else if (body instanceof ClientMessage.CloseCursor close) {
            closeCursor(close.cursorId());
            answer.accept(done(StreamResponse.Kind.CLOSE_CURSOR));
        }
    }

    private StreamResponse open(int id) {
        if (streams.containsKey(id)) {
            return failed("STREAM_ID_IN_USE", "stream " + id + " is open; close it first");
        }
        if (streams.size() >= shared.limits().outstanding()) {
            return failed(
                    "TOO_MANY_STREAMS",
                    "a connection may open " + shared.limits().outstanding() + " streams");
        }
        if (!shared.open().add()) {
            streams.put(id, null);
            return new StreamResponse.Failed(shared.open().refusal());
        }
        streams.put(id, new Stream(new SqlStream(Objects.requireNonNull(granted).session(), texts, shared.limits())));
        return done(StreamResponse.Kind.OPEN_STREAM);
    }

    private void close(int id, Consumer<StreamResponse> answer) {
        Stream stream = streams.remove(id);
        cursors.forEach((number, cursor) -> {
            if (cursor != null && cursor.stream() == stream) {
                end(cursor);
            }
        });
        if (stream == null) {
            answer.accept(done(StreamResponse.Kind.CLOSE_STREAM));
            return;
        }
        stream.line.add(shared.workers().holders(), () -> {
            end(stream);
            answer.accept(done(StreamResponse.Kind.CLOSE_STREAM));
        });
    }

    private void end(Stream stream) {
        stream.sql.close();
        shared.open().remove();
    }

    private void onStream(ClientMessage.OnStream request, Memory.Lease lease, Consumer<StreamResponse> answer) {
        Stream stream = streams.get(request.streamId());
        if (stream == null) {
            answer.accept(notOpen("stream", request.streamId()));
        } else {
            submit(stream, () -> answer.accept(stream.sql.run(request.request(), lease)));
        }
    }

    private void submit(Stream stream, Runnable task) {
        Workers workers = shared.workers();
        stream.line.add(stream.sql.holdsTransaction() ? workers.holders() : workers.beginners(), task);
    }

    private StreamResponse onConnection(StreamRequest request) {
        try {
            if (request instanceof StreamRequest.StoreSql store) {
                texts.store(store.id(), store.sql());
                return done(StreamResponse.Kind.STORE_SQL);
            }
            texts.close(((StreamRequest.CloseSql) request).id());
            return done(StreamResponse.Kind.CLOSE_SQL);
        } catch (SqlFailure e) {
            return new StreamResponse.Failed(HranaError.of(e));
        }
    }

    private void openCursor(ClientMessage.OpenCursor request, Consumer<StreamResponse> answer) {
        Stream stream = streams.get(request.streamId());
        if (cursors.containsKey(request.cursorId())) {
            answer.accept(failed("CURSOR_ID_IN_USE", "cursor " + request.cursorId() + " is open; close it first"));
        } else if (cursors.size() >= shared.limits().outstanding()) {
            answer.accept(failed(
                    "TOO_MANY_CURSORS",
                    "a connection may open " + shared.limits().outstanding() + " cursors"));
        } else if (stream == null) {
            cursors.put(request.cursorId(), null);
            answer.accept(notOpen("stream", request.streamId()));
        } else {
            CursorBuffer entries = new CursorBuffer(shared.limits().stalled());
            cursors.put(request.cursorId(), new Cursor(entries, stream, new Workers.Line()));
            submit(stream, () -> {
                answer.accept(done(StreamResponse.Kind.OPEN_CURSOR));
                stream.sql.cursor(request.batch(), entries);
                entries.finish();
            });
        }
    }

    private void fetch(int requestId, ClientMessage.FetchCursor request, Consumer<ServerMessage> respond) {
        Cursor cursor = cursors.get(request.cursorId());
        if (cursor == null) {
            respond.accept(new ServerMessage.Response(requestId, notOpen("cursor", request.cursorId())));
            return;
        }
        cursor.line().add(shared.workers().holders(), () -> {
            CursorBuffer.Fetched fetched = cursor.entries().take(request.maxCount());
            respond.accept(new ServerMessage.Fetched(requestId, fetched.entries(), fetched.done()));
        });
    }

    private void closeCursor(int id) {
        Cursor cursor = cursors.remove(id);
        if (cursor != null) {
            end(cursor);
        }
    }

    private static void end(Cursor cursor) {
        if (cursor.entries().close()) {
            cursor.stream().sql.cancel();
        }
    }

    private static StreamResponse done(StreamResponse.Kind kind) {
        return new StreamResponse.Done(kind);
    }

    private static StreamResponse failed(String code, String message) {
        return new StreamResponse.Failed(new HranaError(message, code));
    }

    private static StreamResponse notOpen(String what, int id) {
        return failed(what.equals("stream") ? "STREAM_NOT_OPEN" : "CURSOR_NOT_OPEN", what + " " + id + " is not open");
    }

    /** The client has gone: what runs is interrupted, what was not committed is rolled back, at once. */
    @Override
    public void close() {
        cursors.values().forEach(cursor -> {
            if (cursor != null) {
                cursor.entries().close();
            }
        });
        for (Stream stream : streams.values()) {
            if (stream != null) {
                stream.sql.cancel();
                shared.workers().holders().execute(() -> end(stream));
            }
        }
        cursors.clear();
        streams.clear();
    }
}
