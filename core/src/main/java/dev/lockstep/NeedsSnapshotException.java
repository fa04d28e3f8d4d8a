package dev.lockstep;

/** The log no longer reaches back to the position asked for; only a snapshot of the pages can serve it. */
public final class NeedsSnapshotException extends LockstepException {

    private static final long serialVersionUID = 1L;

    public NeedsSnapshotException(String message) {
        super(message);
    }
}
