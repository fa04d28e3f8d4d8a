package dev.lockstep.stream;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What a replica says to its primary: one {@link Hello}, then acknowledgements, and at most one {@link Refusal} as the last. */
public sealed interface ToPrimary {

    /** The version of these messages. */
    int PROTOCOL = 1;

    /**
     * @param replicaId stays the same across restarts
     * @param replicaName for people
     * @param position where to continue, or null to get a copy of the whole database
     * @param reached the last frame that readers of the replica may have seen, at or after the position; -1 without one
     * @param window bytes that the replica is willing to hold unacknowledged
     */
    record Hello(
            int protocol,
            UUID replicaId,
            String replicaName,
            @Nullable Place position,
            long reached,
            long window) implements ToPrimary {

        /** @throws IllegalArgumentException if a frame is said to have been reached, and no position says in which history */
        public Hello {
            if (position == null && reached >= 0) {
                throw new IllegalArgumentException("readers at frame " + reached + " without a position");
            }
        }
    }

    /**
     * Also the sign of life.
     *
     * @param received bytes of frames and pages of this session that the replica has taken in, see
     *     {@link ToReplica#windowBytes}
     * @param durable the last frame that survives a loss of power at the replica
     * @param applied the last frame that readers of the replica see
     */
    record Ack(long received, long durable, long applied) implements ToPrimary {}

    /** The replica has stopped for good, because of something it was sent. */
    record Refusal(String kind, long frameNo, String expected, String found, String message) implements ToPrimary {}
}
