package dev.lockstep;

/** The file, format version, journal mode or library is one that Lockstep does not work with. */
public final class UnsupportedException extends LockstepException {

    private static final long serialVersionUID = 1L;

    public UnsupportedException(String message) {
        super(message);
    }
}
