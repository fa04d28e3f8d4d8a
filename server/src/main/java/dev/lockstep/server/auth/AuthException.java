package dev.lockstep.server.auth;

/** A client did not show a token that is good here. The message is for a person. */
public final class AuthException extends Exception {

    private static final long serialVersionUID = 1L;

    private final String code;

    AuthException(String code, String message) {
        super(message);
        this.code = code;
    }

    static AuthException invalid(String why) {
        return new AuthException("AUTH_JWT_INVALID", "the token is not valid: " + why);
    }

    /** For programs, as libSQL's server names it, such as AUTH_JWT_EXPIRED. */
    public String code() {
        return code;
    }

    @Override
    public String getMessage() {
        return String.valueOf(super.getMessage());
    }
}
