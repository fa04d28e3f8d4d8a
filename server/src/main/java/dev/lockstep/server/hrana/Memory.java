package dev.lockstep.server.hrana;

import dev.lockstep.server.sql.SqlFailure;
import java.util.concurrent.atomic.AtomicLong;

/** What all requests and responses under way may hold together. Thread-safe. */
final class Memory {

    private final long limit;
    private final AtomicLong held = new AtomicLong();

    Memory(long limit) {
        this.limit = limit;
    }

    Lease lease() {
        return new Lease();
    }

    long held() {
        return held.get();
    }

    /** What one request and its response hold, until it is closed: that may be while the request still runs, if its client goes away. */
    final class Lease implements AutoCloseable {

        private long bytes;
        private boolean closed;

        /**
         * @throws SqlFailure SERVER_BUSY if all together would hold more than there is, CLIENT_GONE if it is closed
         */
        synchronized void add(long more) throws SqlFailure {
            if (closed) {
                throw SqlFailure.of("CLIENT_GONE", "the client went away");
            }
            if (held.addAndGet(more) > limit) {
                held.addAndGet(-more);
                throw SqlFailure.of(
                        "SERVER_BUSY",
                        "requests under way hold all of the " + limit
                                + " bytes that are set aside for them; try again");
            }
            bytes += more;
        }

        synchronized long bytes() {
            return bytes;
        }

        @Override
        public synchronized void close() {
            held.addAndGet(-bytes);
            bytes = 0;
            closed = true;
        }
    }
}
