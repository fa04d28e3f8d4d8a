package dev.lockstep;

import java.io.IOException;

/**
 * What Lockstep itself refuses or finds wrong, as against plain {@link IOException}s of the machine. Each subclass is one kind
 * of failure that calls for a different action of the user; each message says what was expected, what was found, where, and
 * what to do.
 */
public abstract class LockstepException extends IOException {

    private static final long serialVersionUID = 1L;

    protected LockstepException(String message) {
        super(message);
    }

    protected LockstepException(String message, Throwable cause) {
        super(message, cause);
    }
}
