package dev.lockstep.server.hrana;

import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpResponseWriter;
import dev.lockstep.server.sql.SqlFailure;
import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Entries of a cursor as an HTTP response that grows. A chunk is handed over when the one before has gone to the network, so that a slow
 * reader slows the statement down instead of filling memory. Not thread-safe.
 */
final class CursorResponse implements SqlStream.EntrySink {

    private static final int CHUNK = 64 << 10;

    private final HttpResponseWriter response;
    private final Codec codec;
    private final Duration stalled;
    private final ByteArrayOutputStream chunk = new ByteArrayOutputStream();

    CursorResponse(HttpResponseWriter response, Codec codec, Duration stalled) {
        this.response = response;
        this.codec = codec;
        this.stalled = stalled;
    }

    /** Runs the batch; false if the reader went away. The response is left open. */
    boolean run(HttpStreams.Held held, Batch batch) {
        chunk.writeBytes(codec.encodeCursorHead(held.nextBaton()));
        held.stream().cursor(batch, this);
        try {
            flush();
            return true;
        } catch (SqlFailure e) {
            return false;
        }
    }

    @Override
    public void entry(CursorEntry entry) throws SqlFailure {
        chunk.writeBytes(codec.encode(entry));
        if (chunk.size() >= CHUNK) {
            flush();
        }
    }

    private void flush() throws SqlFailure {
        awaitConsumed();
        if (!response.tryWrite(HttpData.wrap(chunk.toByteArray()))) {
            throw SqlFailure.of("CLIENT_GONE", "the client went away");
        }
        chunk.reset();
    }

    private void awaitConsumed() throws SqlFailure {
        try {
            response.whenConsumed().get(stalled.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            response.close(e);
            throw SqlFailure.of("CLIENT_STALLED", "the client took nothing for " + stalled.toSeconds() + " s");
        } catch (ExecutionException e) {
            throw SqlFailure.of("CLIENT_GONE", "the client went away");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw SqlFailure.of("CLIENT_GONE", "the server stops");
        }
    }
}
