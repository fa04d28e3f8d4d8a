package dev.lockstep;

import dev.lockstep.stream.Link;
import dev.lockstep.stream.Publication;
import dev.lockstep.stream.ReplicaSession;
import dev.lockstep.stream.SenderOptions;
import dev.lockstep.stream.ToPrimary;
import dev.lockstep.stream.ToReplica;
import dev.lockstep.stream.Upstream;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** A primary's publication in this process, without sockets; what it sends can be changed on the way. */
public final class LocalUpstream implements Upstream, AutoCloseable {

    private final ExecutorService executor = Executors.newSingleThreadExecutor();
    private final Publication publication;
    private volatile UnaryOperator<ToReplica> way = UnaryOperator.identity();

    public LocalUpstream(Primary primary) {
        publication = new Publication(primary, SenderOptions.defaults(), executor);
    }

    /** From now on messages become what this makes of them. */
    public void through(UnaryOperator<ToReplica> newWay) {
        way = newWay;
    }

    @Override
    public String address() {
        return "local primary";
    }

    @Override
    public Connection connect() throws IOException {
        return new LocalConnection();
    }

    @Override
    public void close() {
        publication.close();
        executor.shutdown();
    }

    private final class LocalConnection implements Connection, Link {

        private static final Object END = new Object();

        private final BlockingQueue<Object> arriving = new LinkedBlockingQueue<>();
        private final ArrayDeque<ToPrimary> leaving = new ArrayDeque<>();
        private final ReplicaSession session;
        private boolean wanted = true;

        LocalConnection() throws IOException {
            session = publication.open(this, "here");
        }

        @Override
        public synchronized void send(ToPrimary message) {
            leaving.add(message);
            deliver();
        }

        private void deliver() {
            ToPrimary message = wanted ? leaving.poll() : null;
            if (message != null) {
                wanted = false;
                session.received(message);
            }
        }

        @Override
        public @Nullable ToReplica receive(long timeoutNanos) throws IOException, InterruptedException {
            Object message = arriving.poll(timeoutNanos, TimeUnit.NANOSECONDS);
            if (message == END) {
                throw new UnavailableException("the session ended");
            }
            session.wake(); // there is space again
            return message == null ? null : way.apply((ToReplica) message);
        }

        @Override
        public void close() {
            session.disconnected();
        }

        @Override
        public boolean isReady() {
            return arriving.size() < 4;
        }

        @Override
        public void send(ToReplica message) {
            arriving.add(message);
        }

        @Override
        public synchronized void readNext() {
            wanted = true;
            deliver();
        }

        @Override
        public void end() {
            arriving.add(END);
        }
    }
}
