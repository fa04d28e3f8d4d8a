package dev.lockstep.stream;

import dev.lockstep.UnavailableException;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** An origin in the same process, without a transport between: the replica's thread drives the sender itself. Thread-safe. */
public final class DirectUpstream implements Upstream {

    private static final long TICK_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    private final Origin origin;
    private final String address;

    public DirectUpstream(Origin origin, String address) {
        this.origin = origin;
        this.address = address;
    }

    @Override
    public String address() {
        return address;
    }

    @Override
    public Connection connect() {
        return new DirectConnection(origin);
    }

    private static final class DirectConnection implements Connection {

        private final Origin origin;

        /** Guarded by this. */
        private final Sender sender;

        private volatile boolean closed;

        /** Why the sender cannot go on; thrown by the next receive. Guarded by this. */
        private @Nullable IOException failure;

        DirectConnection(Origin origin) {
            this.origin = origin;
            this.sender = new Sender(origin, SenderOptions.defaults(), System::nanoTime);
        }

        @Override
        public synchronized void send(ToPrimary message) {
            try {
                if (!closed) {
                    sender.receive(message);
                }
            } catch (IOException e) {
                failure = e;
            }
        }

        @Override
        public @Nullable ToReplica receive(long timeoutNanos) throws IOException, InterruptedException {
            long deadline = System.nanoTime() + timeoutNanos;
            while (true) {
                ToReplica message = next();
                long left = deadline - System.nanoTime();
                if (message != null || left <= 0) {
                    return message;
                }
                origin.log().await(sent(), true, Math.min(left, TICK_NANOS));
            }
        }

        private synchronized @Nullable ToReplica next() throws IOException {
            if (closed) {
                throw new UnavailableException("the connection was closed here");
            }
            if (failure != null) {
                throw failure;
            }
            return sender.next();
        }

        private synchronized long sent() {
            return sender.progress().sent();
        }

        @Override
        public synchronized void close() {
            closed = true;
            try {
                sender.close();
            } catch (IOException e) {
                failure = e; // of files that were only read
            }
        }
    }
}
