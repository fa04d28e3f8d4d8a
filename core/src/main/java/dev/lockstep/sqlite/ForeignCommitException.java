package dev.lockstep.sqlite;

import dev.lockstep.LockstepException;

/** Another program committed to a database that only {@link WalAppender} may change. */
public final class ForeignCommitException extends LockstepException {

    private static final long serialVersionUID = 1L;

    ForeignCommitException(String message) {
        super(message);
    }
}
