package dev.lockstep;

/** The other side, or a lock, could not be had in the time allowed; trying again may succeed. */
public final class UnavailableException extends LockstepException {

    private static final long serialVersionUID = 1L;

    public UnavailableException(String message) {
        super(message);
    }
}
