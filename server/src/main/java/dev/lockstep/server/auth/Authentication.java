package dev.lockstep.server.auth;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.common.RequestHeaders;
import com.linecorp.armeria.common.ResponseHeaders;
import com.linecorp.armeria.server.DecoratingHttpServiceFunction;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.ServiceRequestContext;
import io.grpc.Status;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Asks every request for a token: {@code authorization: Bearer TOKEN}, or else {@code x-authorization}, which libSQL's embedded replicas
 * send. Whoever has none is answered in the form of its protocol: HTTP 401, or gRPC's status 16. A WebSocket is let in, with no rights
 * at all, until its hello shows a token. A token is looked at when a request begins; one that lasts is not ended when the token expires.
 *
 * <p>Thread-safe.
 */
public final class Authentication implements DecoratingHttpServiceFunction, Tokens {

    private static final String BEARER = "bearer ";

    /** Those tell nothing that is in a database, and are for machines that watch over this one. */
    private static final Set<String> OPEN_PATHS = Set.of("/health", "/version");

    /** Verifying takes a good part of a millisecond, and clients send the same token with each request. */
    private static final int REMEMBERED = 1000;

    private final List<VerificationKey> keys;

    /** Tokens that were verified; their times are looked at anew. */
    private final Map<String, Token> verified = new ConcurrentHashMap<>();

    private Authentication(List<VerificationKey> keys) {
        this.keys = keys;
    }

    /**
     * @param keyFile public keys of those who sign tokens: PEM, or one key of Ed25519 in URL-safe base64
     * @throws dev.lockstep.UnsupportedException if it holds no such key
     */
    public static Authentication with(Path keyFile) throws IOException {
        return new Authentication(VerificationKey.read(keyFile));
    }

    @Override
    public Rights rights(@Nullable String token) throws AuthException {
        if (token == null) {
            throw new AuthException("AUTH_JWT_MISSING", "this server asks for a token, and none was sent");
        }
        Token known = verified.get(token);
        if (known == null) {
            known = Token.verify(token, keys);
            if (verified.size() >= REMEMBERED) {
                verified.clear();
            }
            verified.put(token, known);
        }
        known.requireTimely(System.currentTimeMillis() / 1000);
        return known.rights();
    }

    @Override
    public HttpResponse serve(HttpService delegate, ServiceRequestContext context, HttpRequest request)
            throws Exception {
        try {
            rights(context, request.headers()).grant(context);
        } catch (AuthException e) {
            return refusal(request.headers().get(HttpHeaderNames.CONTENT_TYPE, ""), e);
        }
        return delegate.serve(context, request);
    }

    private Rights rights(ServiceRequestContext context, RequestHeaders headers) throws AuthException {
        boolean openLater = headers.contains(HttpHeaderNames.SEC_WEBSOCKET_VERSION);
        return openLater || OPEN_PATHS.contains(context.path()) ? Rights.NONE : rights(bearer(headers));
    }

    private static @Nullable String bearer(RequestHeaders headers) throws AuthException {
        String value = headers.get(HttpHeaderNames.AUTHORIZATION);
        if (value == null) {
            value = headers.get("x-authorization");
        }
        if (value == null) {
            return null;
        }
        if (!value.regionMatches(true, 0, BEARER, 0, BEARER.length())) {
            throw new AuthException(
                    "AUTH_HTTP_HEADER_UNSUPPORTED_SCHEME", "the header authorization is to be \"Bearer TOKEN\"");
        }
        String token = value.substring(BEARER.length()).strip();
        return token.isEmpty() ? null : token; // what clients send that were given none
    }

    private static HttpResponse refusal(String contentType, AuthException refused) {
        if (contentType.startsWith("application/grpc")) {
            return HttpResponse.of(ResponseHeaders.builder(HttpStatus.OK)
                    .set(HttpHeaderNames.CONTENT_TYPE, contentType)
                    .set("grpc-status", Integer.toString(Status.Code.UNAUTHENTICATED.value()))
                    .set("grpc-message", refused.getMessage())
                    .build());
        }
        byte[] body = JsonNodeFactory.instance
                .objectNode()
                .put("error", refused.getMessage())
                .put("message", refused.getMessage())
                .put("code", refused.code())
                .toString()
                .getBytes(StandardCharsets.UTF_8);
        ResponseHeaders headers = ResponseHeaders.builder(HttpStatus.UNAUTHORIZED)
                .contentType(MediaType.JSON)
                .set(HttpHeaderNames.WWW_AUTHENTICATE, "Bearer")
                .build();
        return HttpResponse.of(headers, HttpData.wrap(body));
    }
}
