package dev.lockstep.stream;

import dev.lockstep.log.FrameLog;
import java.io.IOException;
import java.util.UUID;

/** What a primary offers to its replicas. Thread-safe. */
public interface Origin {

    /** The name under which replicas ask for the database. */
    String name();

    FrameLog log();

    /** Called when a replica arrives: what was committed before is then to be in the log, and durable, as far as that is soon done. */
    default void catchUp() throws IOException {}

    /** Starts to read all pages, for a first copy. Several may be open at once; the caller closes each. */
    PageSource openPages() throws IOException;

    /** Told when a replica says how far its readers see; not to be held up. */
    default void applied(UUID replica, long frameNo) {}
}
