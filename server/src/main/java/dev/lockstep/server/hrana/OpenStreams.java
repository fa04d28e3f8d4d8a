package dev.lockstep.server.hrana;

import java.util.concurrent.atomic.AtomicInteger;

/** Counts the streams that are open over all transports. Thread-safe. */
final class OpenStreams {

    private final int limit;
    private final AtomicInteger count = new AtomicInteger();

    OpenStreams(int limit) {
        this.limit = limit;
    }

    /** Counts one more, unless there are as many as may be. */
    boolean add() {
        if (count.incrementAndGet() > limit) {
            count.decrementAndGet();
            return false;
        }
        return true;
    }

    void remove() {
        count.decrementAndGet();
    }

    int count() {
        return count.get();
    }

    HranaError refusal() {
        return new HranaError("all " + limit + " streams of this server are open; try again", "TOO_MANY_STREAMS");
    }
}
