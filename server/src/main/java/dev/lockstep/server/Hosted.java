package dev.lockstep.server;

import dev.lockstep.stream.Publication;
import java.util.function.Supplier;

/**
 * One database of a server.
 *
 * @param capture says what the capture is doing now
 */
record Hosted(Publication publication, Supplier<ServerStatus.Capture> capture) {

    String name() {
        return publication.name();
    }
}
