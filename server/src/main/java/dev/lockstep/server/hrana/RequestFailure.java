package dev.lockstep.server.hrana;

import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;

/** A whole HTTP request is refused. */
final class RequestFailure extends Exception {

    private static final long serialVersionUID = 1L;

    private final transient HttpStatus status;
    private final transient HranaError error;

    RequestFailure(HttpStatus status, String code, String message) {
        this(status, new HranaError(message, code));
    }

    RequestFailure(HttpStatus status, HranaError error) {
        super(error.message());
        this.status = status;
        this.error = error;
    }

    HranaError error() {
        return error;
    }

    /** libSQL's client reads an error only where the content type is exactly this one. */
    HttpResponse toResponse() {
        return HttpResponse.of(status, MediaType.JSON, HttpData.wrap(JsonCodec.encode(error)));
    }
}
