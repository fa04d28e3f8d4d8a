package dev.lockstep.server.sql;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Lets a number of holders in, in the order in which they came. Thread-safe. */
final class FairQueue {

    /** Guarded by the monitor, as {@link #free} is. */
    private final Deque<Ticket> waiting = new ArrayDeque<>();

    private int free;

    FairQueue(int places) {
        this.free = places;
    }

    /** Takes a place in the queue. */
    synchronized Ticket enter() {
        Ticket ticket = new Ticket();
        if (free > 0) {
            free--;
            ticket.turn.complete(true);
        } else {
            waiting.add(ticket);
        }
        return ticket;
    }

    /** Lets somebody in beyond the number of places; for whom there is no waiting. */
    synchronized void force() {
        free--;
    }

    /** Gives back what a ticket held, to the next in the queue. */
    synchronized void leave() {
        if (free < 0) {
            free++;
            return;
        }
        for (Ticket next = waiting.poll(); next != null; next = waiting.poll()) {
            if (next.turn.complete(true)) {
                return;
            }
        }
        free++;
    }

    /** How many wait. */
    synchronized int waiting() {
        return waiting.size();
    }

    private synchronized void remove(Ticket ticket) {
        waiting.remove(ticket);
    }

    final class Ticket {

        private final CompletableFuture<Boolean> turn = new CompletableFuture<>();

        /**
         * Waits for its turn.
         *
         * @return false if it did not come within {@code nanos}, or was cancelled; the ticket is void then
         */
        boolean await(long nanos) throws InterruptedException {
            try {
                return turn.get(nanos, TimeUnit.NANOSECONDS);
            } catch (TimeoutException e) {
                return !cancel();
            } catch (InterruptedException e) {
                if (!cancel()) {
                    leave();
                }
                throw e;
            } catch (ExecutionException impossible) {
                throw new IllegalStateException(impossible);
            }
        }

        /** Ends the waiting; false if it has already ended. */
        boolean cancel() {
            boolean cancelled = turn.complete(false);
            if (cancelled) {
                remove(this);
            }
            return cancelled;
        }
    }
}
