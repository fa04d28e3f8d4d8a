package dev.lockstep.stream;

/**
 * The primary's end of a connection to one replica, as a transport provides it. A session calls it from one thread at a time. No
 * method blocks.
 */
public interface Link {

    /**
     * Whether the transport takes a message without queueing it behind another. When it becomes ready again, the transport calls
     * {@link ReplicaSession#wake}.
     */
    boolean isReady();

    void send(ToReplica message);

    /** Asks the transport for the replica's next message; it delivers none that was not asked for, save the first. */
    void readNext();

    /** Ends the connection once what was sent is out. Never calls back into the session. */
    void end();
}
