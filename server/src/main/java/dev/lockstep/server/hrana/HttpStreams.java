package dev.lockstep.server.hrana;

import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.server.ServiceRequestContext;
import dev.lockstep.server.sql.SqlGrant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The streams that live between HTTP requests. A stream is busy while requests of it are under way, and idle between; idle for too long, it
 * ends and is rolled back. Thread-safe.
 */
final class HttpStreams implements AutoCloseable {

    private static final Logger logger = LoggerFactory.getLogger(HttpStreams.class);

    private final Limits limits;
    private final OpenStreams open;
    private final Workers workers;
    private final ScheduledExecutorService timer;
    private final Baton.Key key = new Baton.Key();
    private final AtomicLong lastId = new AtomicLong();
    private final Map<Long, Held> streams = new ConcurrentHashMap<>();

    HttpStreams(Limits limits, OpenStreams open, Workers workers, ScheduledExecutorService timer) {
        this.limits = limits;
        this.open = open;
        this.workers = workers;
        this.timer = timer;
    }

    /** A request on a stream. */
    interface Work {
        Done run(Held held);
    }

    /**
     * @param open whether the stream is to live on
     * @param answer lets the client know, after the stream is ready for the next request
     */
    record Done(boolean open, Runnable answer) {}

    /** One stream. Its fields belong to its monitor. */
    final class Held {

        private final long id;
        private final SqlGrant database;
        private final SqlStream stream;
        private final Workers.Line line = new Workers.Line();

        /** Of the next baton that is good. */
        private long sequence;

        /** Requests under way: one, or two while a cursor is read whose client goes on already. */
        private int busy;

        private boolean closed;
        private @Nullable ScheduledFuture<?> expiry;

        private Held(long id, SqlGrant database, SqlStream stream) {
            this.id = id;
            this.database = database;
            this.stream = stream;
        }

        SqlStream stream() {
            return stream;
        }

        /**
         * Runs a request of the stream after those before it, and then keeps the stream or ends it. A client that goes away meanwhile ends
         * it too: nobody has its next baton.
         *
         * @param failed told of what no request should bring
         */
        void submit(ServiceRequestContext ctx, Work work, Consumer<Throwable> failed) {
            AtomicBoolean over = new AtomicBoolean();
            CompletableFuture<Void> unused = ctx.whenRequestCancelled().thenAccept(cause -> {
                if (!over.get()) {
                    workers.holders().execute(this::close);
                }
            });
            try {
                line.add(stream.holdsTransaction() ? workers.holders() : workers.beginners(), () -> {
                    try {
                        Done done = work.run(this);
                        over.set(true);
                        settle(done.open() && !ctx.isCancelled());
                        done.answer().run();
                    } catch (RuntimeException e) {
                        logger.error("a request failed unexpectedly", e);
                        close();
                        failed.accept(e);
                    }
                });
            } catch (RejectedExecutionException e) {
                close();
                throw e;
            }
        }

        private void settle(boolean goesOn) {
            if (goesOn) {
                release();
            } else {
                close();
            }
        }

        private synchronized boolean take(long shown) {
            if (closed || shown != sequence) {
                return false;
            }
            begin();
            return true;
        }

        private synchronized void begin() {
            sequence++;
            busy++;
            if (expiry != null) {
                expiry.cancel(false);
                expiry = null;
            }
        }

        /** For the request after this one. */
        synchronized String nextBaton() {
            return key.encode(new Baton(id, sequence));
        }

        private synchronized void release() {
            busy--;
            if (busy == 0 && !closed) {
                expiry = timer.schedule(this::expire, limits.idle().toMillis(), TimeUnit.MILLISECONDS);
            }
        }

        private void expire() {
            synchronized (this) {
                if (busy > 0 || !markClosed()) {
                    return;
                }
            }
            workers.holders().execute(this::end);
        }

        /** Ends the stream, also while a request of it runs, and rolls back. */
        private void close() {
            if (markClosed()) {
                end();
            }
        }

        /** False if it was closed before. */
        private synchronized boolean markClosed() {
            if (closed) {
                return false;
            }
            closed = true;
            if (expiry != null) {
                expiry.cancel(false);
            }
            return true;
        }

        private void end() {
            streams.remove(id);
            stream.cancel();
            stream.close();
            open.remove();
        }
    }

    /** The stream of a baton, or a new one, for one request that the caller submits. */
    Held take(@Nullable String baton, SqlGrant database) throws RequestFailure {
        return baton == null ? create(database) : resume(baton, database);
    }

    private Held create(SqlGrant database) throws RequestFailure {
        if (!open.add()) {
            throw new RequestFailure(HttpStatus.SERVICE_UNAVAILABLE, open.refusal());
        }
        Held held = new Held(
                lastId.incrementAndGet(), database, new SqlStream(database.session(), new StoredTexts(limits), limits));
        held.begin();
        streams.put(held.id, held);
        return held;
    }

    private Held resume(String text, SqlGrant database) throws RequestFailure {
        Baton baton;
        try {
            baton = key.decode(text);
        } catch (ProtocolException e) {
            throw new RequestFailure(HttpStatus.BAD_REQUEST, "BATON_INVALID", String.valueOf(e.getMessage()));
        }
        Held held = streams.get(baton.streamId());
        if (held == null) {
            throw new RequestFailure(
                    HttpStatus.BAD_REQUEST,
                    "STREAM_EXPIRED",
                    "the stream is closed, by the client or after "
                            + limits.idle().toMillis()
                            + " ms without a request; what was not committed is rolled back");
        }
        if (!held.database.equals(database)) {
            throw new RequestFailure(
                    HttpStatus.BAD_REQUEST,
                    "BATON_INVALID",
                    "the baton is of another database, or of a token with other rights");
        }
        if (!held.take(baton.sequence())) {
            throw new RequestFailure(
                    HttpStatus.BAD_REQUEST, "BATON_REUSED", "the baton was used before; each is good for one request");
        }
        return held;
    }

    @Override
    public void close() {
        List.copyOf(streams.values()).forEach(Held::close);
    }
}
