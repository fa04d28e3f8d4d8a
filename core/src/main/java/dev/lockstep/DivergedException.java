package dev.lockstep;

/** Both sides speak of the same log, but their histories differ. */
public final class DivergedException extends LockstepException {

    private static final long serialVersionUID = 1L;

    public DivergedException(String message) {
        super(message);
    }
}
