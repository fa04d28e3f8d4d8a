package dev.lockstep;

/** The target file exists and is not a replica of this log; it is left untouched unless forced (G10). */
public final class NotAReplicaException extends LockstepException {

    private static final long serialVersionUID = 1L;

    public NotAReplicaException(String message) {
        super(message);
    }
}
