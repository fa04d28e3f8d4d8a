package dev.lockstep.server.hrana;

import com.linecorp.armeria.common.AggregatedHttpResponse;
import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.common.RequestHeaders;
import com.linecorp.armeria.common.util.Exceptions;
import com.linecorp.armeria.server.HttpStatusException;
import com.linecorp.armeria.server.RequestTimeoutException;
import com.linecorp.armeria.server.ServiceErrorHandler;
import com.linecorp.armeria.server.ServiceRequestContext;
import org.jspecify.annotations.Nullable;

/** What the HTTP layer itself refuses, such as a body that is too long, in Hrana's form. */
final class JsonErrors implements ServiceErrorHandler {

    private final int requestBytes;

    JsonErrors(int requestBytes) {
        this.requestBytes = requestBytes;
    }

    @Override
    public HttpResponse onServiceException(ServiceRequestContext ctx, Throwable cause) {
        Throwable root = Exceptions.peel(cause);
        HttpStatus status = HttpStatus.INTERNAL_SERVER_ERROR;
        if (root instanceof HttpStatusException refused) {
            status = refused.httpStatus();
        } else if (root instanceof RequestTimeoutException) {
            status = HttpStatus.REQUEST_TIMEOUT;
        }
        return renderStatus(ctx, ctx.request().headers(), status, null, cause).toHttpResponse();
    }

    @Override
    public AggregatedHttpResponse renderStatus(
            ServiceRequestContext ctx,
            RequestHeaders headers,
            HttpStatus status,
            @Nullable String description,
            @Nullable Throwable cause) {
        boolean tooLarge = status.equals(HttpStatus.REQUEST_ENTITY_TOO_LARGE);
        HranaError error = tooLarge
                ? new HranaError("a request may have " + requestBytes + " bytes", "REQUEST_TOO_LARGE")
                : new HranaError(status.reasonPhrase(), "HTTP_" + status.code());
        return AggregatedHttpResponse.of(status, MediaType.JSON, HttpData.wrap(JsonCodec.encode(error)));
    }
}
