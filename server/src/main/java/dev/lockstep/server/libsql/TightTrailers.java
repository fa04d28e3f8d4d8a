package dev.lockstep.server.libsql;

import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.common.ResponseHeaders;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.ServiceRequestContext;
import com.linecorp.armeria.server.SimpleDecoratingHttpService;
import io.grpc.Status;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Writes gRPC-Web's trailers as {@code name:value}. libSQL's clients take a space after the colon for a part of the value, and then do not
 * know the status.
 *
 * <pre>
 * frame of a body: flags 1 (0x80 = trailers), length 4 big-endian, that many bytes
 * </pre>
 *
 * Thread-safe.
 */
final class TightTrailers extends SimpleDecoratingHttpService {

    private static final int FRAME_HEADER = 5;
    private static final int TRAILERS = 0x80;

    TightTrailers(HttpService delegate) {
        super(delegate);
    }

    @Override
    public HttpResponse serve(ServiceRequestContext context, HttpRequest request) throws Exception {
        HttpService delegate = (HttpService) unwrap();
        HttpResponse response;
        try {
            response = delegate.serve(context, request);
        } catch (IllegalArgumentException e) { // a -bin header that is no base64, which would become HTTP 500
            return malformed(request, e);
        }
        return isGrpcWeb(request.contentType())
                ? response.mapHeaders(headers -> headers.toBuilder()
                                .removeAndThen(HttpHeaderNames.CONTENT_LENGTH)
                                .build())
                        .mapData(TightTrailers::tighten)
                : response;
    }

    private static HttpResponse malformed(HttpRequest request, IllegalArgumentException cause) {
        MediaType type = Objects.requireNonNullElse(request.contentType(), MediaType.PLAIN_TEXT);
        return HttpResponse.of(ResponseHeaders.builder(HttpStatus.OK)
                .contentType(type)
                .add("grpc-status", Integer.toString(Status.Code.INVALID_ARGUMENT.value()))
                .add("grpc-message", "a header: " + cause.getMessage())
                .build());
    }

    private static boolean isGrpcWeb(@Nullable MediaType type) {
        return type != null && type.subtype().startsWith("grpc-web");
    }

    /** Data of a body always holds whole frames. */
    private static HttpData tighten(HttpData data) {
        ByteBuf bytes = data.byteBuf();
        int at = 0;
        while (at + FRAME_HEADER <= bytes.readableBytes()) {
            if (bytes.getUnsignedByte(at) == TRAILERS) {
                return tighten(data, at);
            }
            at += FRAME_HEADER + bytes.getInt(at + 1);
        }
        return data;
    }

    private static HttpData tighten(HttpData data, int trailers) {
        byte[] all = data.array();
        String text = new String(
                all, trailers + FRAME_HEADER, all.length - trailers - FRAME_HEADER, StandardCharsets.ISO_8859_1);
        byte[] tight = text.replaceAll("(?m)^([^:\r\n]*): ", "$1:").getBytes(StandardCharsets.ISO_8859_1);
        ByteBuf result = Unpooled.buffer(trailers + FRAME_HEADER + tight.length);
        data.close();
        result.writeBytes(all, 0, trailers)
                .writeByte(TRAILERS)
                .writeInt(tight.length)
                .writeBytes(tight);
        return HttpData.wrap(result);
    }
}
