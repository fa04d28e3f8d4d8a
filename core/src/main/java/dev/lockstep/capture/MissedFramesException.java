package dev.lockstep.capture;

import java.io.IOException;

/** The WAL was recycled before all of it was captured; the database must be compared with the log. */
public final class MissedFramesException extends IOException {

    private static final long serialVersionUID = 1L;

    MissedFramesException(String message) {
        super(message);
    }
}
