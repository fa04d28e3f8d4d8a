package dev.lockstep.server.hrana;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Hrana in JSON; {@link JsonReader} and {@link JsonWriter} tell the form. */
final class JsonCodec implements Codec {

    @Override
    public String contentType() {
        return "application/json";
    }

    @Override
    public Pipeline.Request pipelineRequest(byte[] body) throws ProtocolException {
        return JsonReader.pipelineRequest(JsonReader.object(body));
    }

    @Override
    public byte[] encode(Pipeline.Response response) {
        return JsonWriter.object(out -> {
            out.member("baton", response.baton());
            out.member("base_url", (String) null);
            out.array("results", response.responses(), JsonWriter::streamResult);
        });
    }

    @Override
    public Pipeline.CursorRequest cursorRequest(byte[] body) throws ProtocolException {
        return JsonReader.cursorRequest(JsonReader.object(body));
    }

    @Override
    public byte[] encodeCursorHead(@Nullable String baton) {
        return line(JsonWriter.object(out -> {
            out.member("baton", baton);
            out.member("base_url", (String) null);
        }));
    }

    @Override
    public byte[] encode(CursorEntry entry) {
        return line(JsonWriter.object(out -> out.cursorEntry(entry)));
    }

    private static byte[] line(byte[] object) {
        byte[] line = Arrays.copyOf(object, object.length + 1);
        line[object.length] = '\n';
        return line;
    }

    @Override
    public ClientMessage clientMessage(byte[] message) throws ProtocolException {
        return JsonReader.clientMessage(JsonReader.object(message));
    }

    @Override
    public byte[] encode(ServerMessage message) {
        return JsonWriter.object(out -> {
            if (message instanceof ServerMessage.Response response) {
                boolean failed = response.response() instanceof StreamResponse.Failed;
                out.member("type", failed ? "response_error" : "response_ok");
                out.member("request_id", response.requestId());
                if (response.response() instanceof StreamResponse.Failed failure) {
                    out.error(failure.error());
                } else {
                    out.response(response.response());
                }
            } else if (message instanceof ServerMessage.Fetched fetched) {
                out.member("type", "response_ok");
                out.member("request_id", fetched.requestId());
                out.member("response", body -> {
                    body.member("type", "fetch_cursor");
                    body.array("entries", fetched.entries(), JsonWriter::cursorEntry);
                    body.member("done", fetched.done());
                });
            } else if (message instanceof ServerMessage.HelloError failed) {
                out.member("type", "hello_error");
                out.error(failed.error());
            } else {
                out.member("type", "hello_ok");
            }
        });
    }

    /** The body of an answer in version 1, where each path has one kind. */
    byte[] encode(StatementResult result) {
        return JsonWriter.object(out -> out.result(result));
    }

    /** The body of an answer in version 1, where each path has one kind. */
    byte[] encode(BatchResult result) {
        return JsonWriter.object(out -> out.result(result));
    }

    /** The body of an HTTP error, in all versions and encodings. */
    static byte[] encode(HranaError error) {
        return JsonWriter.object(out -> out.errorMembers(error));
    }
}
