package dev.lockstep.server.hrana;

import com.google.protobuf.AbstractMessageLite;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Parser;
import dev.lockstep.server.hrana.v3.HranaProto;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.jspecify.annotations.Nullable;

/** Hrana in Protobuf; hrana.proto tells the form. */
final class ProtobufCodec implements Codec {

    @Override
    public String contentType() {
        return "application/x-protobuf";
    }

    @Override
    public Pipeline.Request pipelineRequest(byte[] body) throws ProtocolException {
        return ProtobufReader.pipelineRequest(parse(HranaProto.PipelineReqBody.parser(), body));
    }

    @Override
    public byte[] encode(Pipeline.Response response) {
        return ProtobufWriter.pipelineResponse(response).toByteArray();
    }

    @Override
    public Pipeline.CursorRequest cursorRequest(byte[] body) throws ProtocolException {
        return ProtobufReader.cursorRequest(parse(HranaProto.CursorReqBody.parser(), body));
    }

    @Override
    public byte[] encodeCursorHead(@Nullable String baton) {
        return delimited(ProtobufWriter.cursorHead(baton));
    }

    @Override
    public byte[] encode(CursorEntry entry) {
        return delimited(ProtobufWriter.cursorEntry(entry));
    }

    @Override
    public ClientMessage clientMessage(byte[] message) throws ProtocolException {
        return ProtobufReader.clientMessage(parse(HranaProto.ClientMsg.parser(), message));
    }

    @Override
    public byte[] encode(ServerMessage message) {
        return ProtobufWriter.serverMessage(message).toByteArray();
    }

    private static <T> T parse(Parser<T> parser, byte[] bytes) throws ProtocolException {
        try {
            return parser.parseFrom(bytes);
        } catch (InvalidProtocolBufferException e) {
            throw new ProtocolException("not a valid Protobuf message: " + e.getMessage());
        }
    }

    private static byte[] delimited(AbstractMessageLite<?, ?> message) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            message.writeDelimitedTo(out);
        } catch (IOException e) {
            throw new UncheckedIOException("nothing was to be written but memory", e);
        }
        return out.toByteArray();
    }
}
