package dev.lockstep.jdbc;

import dev.lockstep.Position;
import java.sql.SQLTimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A transaction was committed, but was not acknowledged in time. It is in the database, and readable; do not repeat it. What is not known
 * is whether it would survive the loss of this machine.
 */
public final class AcknowledgementTimeoutException extends SQLTimeoutException {

    private static final long serialVersionUID = 1L;

    private final transient @Nullable Position position;
    private final Acknowledgement wanted;
    private final boolean durable;
    private final int replicas;

    AcknowledgementTimeoutException(
            String message, @Nullable Position position, Acknowledgement wanted, boolean durable, int replicas) {
        super(message, "57014");
        this.position = position;
        this.wanted = wanted;
        this.durable = durable;
        this.replicas = replicas;
    }

    /** Where the history includes the transaction; null if Lockstep has not captured it yet, or it came over the wire. */
    public @Nullable Position position() {
        return position;
    }

    /** What was waited for. */
    public Acknowledgement wanted() {
        return wanted;
    }

    /** Whether it is in the log on disk here. */
    public boolean durable() {
        return durable;
    }

    /** How many replicas said that they have it. */
    public int replicas() {
        return replicas;
    }
}
