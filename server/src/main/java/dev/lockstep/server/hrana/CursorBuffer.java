package dev.lockstep.server.hrana;

import dev.lockstep.server.sql.SqlFailure;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.TimeUnit;

/**
 * Entries between the statement that makes them and the client that fetches them: a little is kept ready, and the statement waits when that
 * is not wanted yet. Thread-safe.
 */
final class CursorBuffer implements SqlStream.EntrySink {

    private static final long READY_BYTES = 1 << 20;

    record Fetched(List<CursorEntry> entries, boolean done) {}

    private final long stalledNanos;
    private final Queue<CursorEntry> entries = new ArrayDeque<>();
    private long bytes;
    private boolean finished;
    private boolean closed;

    CursorBuffer(Duration stalled) {
        stalledNanos = stalled.toNanos();
    }

    private static long length(CursorEntry entry) {
        return entry instanceof CursorEntry.Row row ? JsonWriter.estimate(row.values()) : 64;
    }

    @Override
    public synchronized void entry(CursorEntry entry) throws SqlFailure {
        long deadline = System.nanoTime() + stalledNanos;
        while (bytes >= READY_BYTES && !closed) {
            if (!await(deadline)) {
                expire();
            }
        }
        if (closed) {
            throw SqlFailure.of("CURSOR_CLOSED", "nobody wants more of the cursor");
        }
        entries.add(entry);
        bytes += length(entry);
        notifyAll();
    }

    /** The client is told, should it come back: what it has then is not all. */
    private void expire() {
        closed = true;
        entries.add(new CursorEntry.Failed(
                new HranaError("nothing was fetched from the cursor for too long", "CURSOR_EXPIRED")));
    }

    /** False if the time is over. */
    private boolean await(long deadline) throws SqlFailure {
        long left = deadline - System.nanoTime();
        if (left <= 0) {
            return false;
        }
        try {
            TimeUnit.NANOSECONDS.timedWait(this, left);
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw SqlFailure.of("CURSOR_CLOSED", "the server stops");
        }
    }

    /** No more will come. */
    synchronized void finish() {
        finished = true;
        notifyAll();
    }

    /** Waits for the first entry and takes what is ready then. */
    synchronized Fetched take(int maxCount) {
        while (entries.isEmpty() && !finished && !closed && maxCount > 0) {
            try {
                wait();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                close();
            }
        }
        List<CursorEntry> taken = new ArrayList<>();
        while (taken.size() < maxCount && !entries.isEmpty()) {
            CursorEntry entry = entries.remove();
            bytes -= length(entry);
            taken.add(entry);
        }
        notifyAll();
        return new Fetched(taken, entries.isEmpty() && (finished || closed));
    }

    /** Nobody wants more; true if more would have come. */
    synchronized boolean close() {
        boolean more = !finished && !closed;
        closed = true;
        entries.clear();
        bytes = 0;
        notifyAll();
        return more;
    }
}
