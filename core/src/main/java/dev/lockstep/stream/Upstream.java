package dev.lockstep.stream;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** A replica's way to its primary, as a transport provides it. */
public interface Upstream {

    /** Names the primary in messages. */
    String address();

    /**
     * Connects, within a bounded time.
     *
     * @throws dev.lockstep.UnavailableException if the primary cannot be reached; trying again may help
     * @throws dev.lockstep.LockstepException of another kind if trying again is of no use
     */
    Connection connect() throws IOException, InterruptedException;

    /** One session. Holds a bounded number of messages that were not received yet, and reads no more from the network then. */
    interface Connection extends AutoCloseable {

        /** Sends a message, without waiting; does nothing when the connection is gone. Thread-safe. */
        void send(ToPrimary message);

        /**
         * The next message.
         *
         * @param timeoutNanos at most this long is waited; 0 does not wait at all
         * @return null if none came
         * @throws dev.lockstep.UnavailableException if the connection is gone and all messages were received
         * @throws dev.lockstep.RefusedException if a message could not be read
         */
        @Nullable
        ToReplica receive(long timeoutNanos) throws IOException, InterruptedException;

        /** Ends the session and wakes a {@link #receive} that waits. What was sent before still goes out. Thread-safe. */
        @Override
        void close();
    }
}
