package dev.lockstep;

/** Bytes at rest are damaged: a checksum of a log, an index or a WAL does not fit, and it is not a torn tail. */
public final class CorruptException extends LockstepException {

    private static final long serialVersionUID = 1L;

    public CorruptException(String message) {
        super(message);
    }
}
