package dev.lockstep.server.hrana;

/** What a client sent is not Hrana. The message says what, for the client's programmer. */
final class ProtocolException extends Exception {

    private static final long serialVersionUID = 1L;

    ProtocolException(String message) {
        super(message);
    }

    HranaError toError() {
        return new HranaError(String.valueOf(getMessage()), "HRANA_PROTO_ERROR");
    }
}
