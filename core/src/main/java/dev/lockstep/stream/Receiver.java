package dev.lockstep.stream;

import dev.lockstep.DivergedException;
import dev.lockstep.NeedsSnapshotException;
import dev.lockstep.RefusedException;
import dev.lockstep.RefusedException.Kind;
import dev.lockstep.UnavailableException;
import dev.lockstep.UnsupportedException;
import dev.lockstep.log.CommitRecord;
import dev.lockstep.log.FrameLayout;
import dev.lockstep.stream.Target.Standing;
import dev.lockstep.stream.ToPrimary.Ack;
import dev.lockstep.stream.ToPrimary.Hello;
import dev.lockstep.stream.ToReplica.Frames;
import dev.lockstep.stream.ToReplica.Heartbeat;
import dev.lockstep.stream.ToReplica.Refused;
import dev.lockstep.stream.ToReplica.SnapshotBegin;
import dev.lockstep.stream.ToReplica.SnapshotEnd;
import dev.lockstep.stream.ToReplica.SnapshotPages;
import dev.lockstep.stream.ToReplica.Welcome;
import dev.lockstep.verify.PageVerifier;
import dev.lockstep.verify.VerifiedTransaction;
import dev.lockstep.verify.Verifier;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The replica's side of one session, free of sockets and threads: messages of the primary go in, verified transactions go to the
 * {@link Target}.
 *
 * <pre>
 * AWAITING_ANSWER --welcome, and readers saw no later state than our position--> FOLLOWING
 *                 --welcome, and they did--> REDOING
 *                 --snapshot begin, and we have no position--> COPYING
 * COPYING         --snapshot end--> MENDING
 * MENDING         --applied up to the frame at which the copy is consistent--> FOLLOWING
 * REDOING         --applied up to the last state seen--> FOLLOWING
 * any             --anything that does not line up--> ENDED, by an exception that says what
 * </pre>
 *
 * Verified transactions are collected until {@link #flush}, because many of them can be published together more cheaply. What
 * was verified before something is refused is still applied. Not thread-safe.
 */
public final class Receiver implements AutoCloseable {

    /** Names of a session's states for those who watch. */
    public enum State {
        AWAITING_ANSWER,
        COPYING,
        MENDING,
        REDOING,
        FOLLOWING,
        ENDED
    }

    /** Bytes of verified transactions after which they are applied before more is taken in. */
    private static final long BATCH_BYTES = 4 << 20;

    private static final int BATCH_TRANSACTIONS = 1000;

    private final Target target;
    private final String source;
    private final @Nullable Standing standing;
    private final Hello hello;

    private State state = State.AWAITING_ANSWER;
    private @Nullable Verifier verifier;
    private @Nullable PageVerifier pageVerifier;

    /** The commit that a copy stands at; set while COPYING and MENDING. */
    private @Nullable CommitRecord copyAt;

    /** The frame at which the copy is consistent; set while MENDING. */
    private long consistentAt;

    /** Verified and not yet applied. */
    private final List<VerifiedTransaction> batch = new ArrayList<>();

    private long batchBytes;
    private long received;

    /** Meaningful while COPYING and MENDING. */
    private long copyBytes;

    private long head = -1;

    /**
     * @param window bytes that the primary may send ahead of our acknowledgements
     * @param source names the primary in messages
     * @throws IOException if the target cannot say where it stands
     */
    public Receiver(Target target, UUID replicaId, String replicaName, long window, String source) throws IOException {
        this.target = target;
        this.source = source;
        this.standing = target.standing();
        Place position = standing == null ? null : standing.place();
        long reached = standing == null ? -1 : standing.reached();
        this.hello = new Hello(ToPrimary.PROTOCOL, replicaId, replicaName, position, reached, window);
    }

    /** What to say first. */
    public Hello hello() {
        return hello;
    }

    public State state() {
        return state;
    }

    /** The last frame that the primary said it has to send, or -1. */
    public long head() {
        return head;
    }

    /** Whether the primary has said that there is more to send than what has arrived. */
    public boolean isOwed() {
        Verifier verifying = verifier;
        return switch (state) {
            case AWAITING_ANSWER, ENDED -> false;
            case COPYING, MENDING -> true;
            case REDOING, FOLLOWING -> verifying != null && verifying.lastFrameNo() < head;
        };
    }

    /** Bytes of all pages of the copy in progress, as their messages count them; -1 while there is none. */
    public long copyBytes() {
        return state == State.COPYING || state == State.MENDING ? copyBytes : -1;
    }

    /** What to acknowledge now. */
    public Ack ack() {
        return new Ack(received, target.durable(), target.applied());
    }

    /** Whether transactions wait for {@link #flush}. */
    public boolean hasBatch() {
        return !batch.isEmpty();
    }

    /** Whether {@link #flush} is better called before the next message is taken in. */
    public boolean isBatchFull() {
        return batchBytes >= BATCH_BYTES || batch.size() >= BATCH_TRANSACTIONS;
    }

    /**
     * Takes in a message of the primary.
     *
     * @throws RefusedException if it does not continue what we have
     * @throws DivergedException if the histories differ
     * @throws NeedsSnapshotException if the primary can only send a whole copy
     * @throws UnsupportedException if the primary speaks another version
     * @throws UnavailableException if the primary says to try later
     * @throws IOException if our own files cannot be read or written
     */
    public void accept(ToReplica message) throws IOException {
        try {
            if (message instanceof Refused refused) {
                throw asException(refused);
            }
            dispatch(message);
            received += message.windowBytes();
        } catch (IOException | RuntimeException e) {
            flushDespite(e);
            state = State.ENDED;
            throw e;
        }
    }

    private void dispatch(ToReplica message) throws IOException {
        switch (state) {
            case AWAITING_ANSWER -> awaitingAnswer(message);
            case COPYING -> copying(message);
            case MENDING, REDOING, FOLLOWING -> following(message);
            case ENDED -> throw new IllegalStateException("this session is over");
        }
    }

    private void awaitingAnswer(ToReplica message) throws IOException {
        if (message instanceof Welcome welcome && standing != null) {
            onWelcome(welcome, standing);
        } else if (message instanceof SnapshotBegin begin && standing == null) {
            onSnapshotBegin(begin);
        } else {
            throw unexpected(message, standing == null ? "the beginning of a copy" : "a welcome at our position");
        }
    }

    private void onWelcome(Welcome welcome, Standing ours) throws IOException {
        if (!welcome.logId().equals(ours.logId())) {
            throw new RefusedException(
                    Kind.FOREIGN_LOG, welcome.at().frameNo(), "log " + ours.logId(), "log " + welcome.logId(), source);
        }
        Place place = ours.place();
        if (welcome.pageSize() != ours.pageSize() || !place.isAt(welcome.at())) {
            Place theirs = Place.of(welcome.logId(), welcome.pageSize(), welcome.at());
            throw new DivergedException("diverged: " + source + " welcomes this replica at " + theirs
                    + ", and it stands at " + place + "; find out which side is right");
        }
        head = welcome.head();
        Verifier next = new Verifier(ours.pageSize(), ours.position(), target.spoolDirectory(), source);
        next.passThrough(ours.seen());
        verifier = next;
        target.primaryReaches(head);
        state = ours.seen().isEmpty() ? State.FOLLOWING : State.REDOING;
    }

    private void onSnapshotBegin(SnapshotBegin begin) throws IOException {
        head = begin.head();
        target.beginCopy(begin.logId(), begin.pageSize(), begin.start(), begin.pages());
        pageVerifier = new PageVerifier(begin.pageSize(), begin.pages(), source);
        Verifier next = new Verifier(begin.pageSize(), begin.start(), target.spoolDirectory(), source);
        copyAt = next.position();
        copyBytes = Integer.toUnsignedLong(begin.pages()) * FrameLayout.frameSize(begin.pageSize());
        verifier = next;
        state = State.COPYING;
    }

    private void copying(ToReplica message) throws IOException {
        PageVerifier pages = pageVerifier;
        if (message instanceof SnapshotPages next && pages != null) {
            target.addPages(pages.accept(next.pages()));
        } else if (message instanceof SnapshotEnd end && pages != null) {
            pages.end();
            consistentAt = end.consistentAt();
            state = State.MENDING;
            finishCopyIfConsistent();
        } else if (message instanceof Heartbeat heartbeat) {
            moveHead(heartbeat.head());
        } else {
            throw unexpected(message, "pages of a copy");
        }
    }

    private void following(ToReplica message) throws IOException {
        Verifier verifying = verifier;
        if (message instanceof Frames frames && verifying != null) {
            moveHead(frames.head());
            int known = batch.size();
            try {
                verifying.accept(frames.frames(), frames.commits(), batch);
            } finally {
                batch.subList(known, batch.size()).forEach(transaction -> batchBytes += transaction.size());
            }
        } else if (message instanceof Heartbeat heartbeat && verifying != null) {
            moveHead(heartbeat.head());
            requireAllArrived(heartbeat, verifying);
        } else {
            throw unexpected(message, "frames");
        }
    }

    /** A log loses nothing that it has offered while it is open, and opening it anew begins another session. */
    private void moveHead(long next) throws RefusedException {
        if (next < head) {
            throw new RefusedException(
                    Kind.REPEAT, next, "frame " + head + " or a later one as the head", "frame " + next, source);
        }
        head = next;
    }

    /** Frames that get lost at the end of what was sent would otherwise go unnoticed until the next ones. */
    private void requireAllArrived(Heartbeat heartbeat, Verifier verifying) throws IOException {
        long last = verifying.lastFrameNo();
        if (heartbeat.sent() != last) {
            Kind kind = heartbeat.sent() > last ? Kind.GAP : Kind.REPEAT;
            throw new RefusedException(
                    kind,
                    heartbeat.sent(),
                    "frame " + last + " as the last one sent",
                    "frame " + heartbeat.sent(),
                    source);
        }
        if (heartbeat.head() == last) {
            verifying.requireFinished();
        }
    }

    /** Applies what was collected. */
    public void flush() throws IOException {
        if (batch.isEmpty()) {
            return;
        }
        try {
            CommitRecord last = batch.get(batch.size() - 1).after();
            switch (state) {
                case MENDING -> mend(last);
                case REDOING -> redo();
                case FOLLOWING -> target.apply(batch);
                case AWAITING_ANSWER, COPYING, ENDED -> throw new IllegalStateException("transactions while " + state);
            }
        } finally {
            batch.forEach(VerifiedTransaction::close);
            batch.clear();
            batchBytes = 0;
        }
    }

    private void mend(CommitRecord last) throws IOException {
        target.mend(batch);
        copyAt = last;
        finishCopyIfConsistent();
    }

    private void finishCopyIfConsistent() throws IOException {
        CommitRecord at = copyAt;
        if (at != null && at.frameNo() >= consistentAt) {
            target.finishCopy(at);
            state = State.FOLLOWING;
        }
    }

    private void redo() throws IOException {
        target.redo(batch.get(0));
        state = State.FOLLOWING;
        if (batch.size() > 1) {
            target.apply(batch.subList(1, batch.size()));
        }
    }

    private void flushDespite(Exception cause) {
        try {
            if (cause instanceof RefusedException || cause instanceof DivergedException) {
                flush();
            }
        } catch (IOException | RuntimeException e) {
            cause.addSuppressed(e);
        }
    }

    private RefusedException unexpected(ToReplica message, String expected) {
        long frameNo = verifier == null ? -1 : verifier.lastFrameNo();
        return new RefusedException(
                Kind.MALFORMED, frameNo, expected, message.getClass().getSimpleName() + " while " + state, source);
    }

    private IOException asException(Refused refused) {
        String details = refused.expected().isEmpty()
                ? ""
                : " (expected " + refused.expected() + ", found " + refused.found() + ")";
        String message = source + " turned this replica away: " + refused.message() + details;
        return switch (refused.reason()) {
            case FOREIGN_LOG ->
                new RefusedException(Kind.FOREIGN_LOG, hello.reached(), refused.expected(), refused.found(), source);
            case DIVERGED -> new DivergedException(message);
            case NEEDS_SNAPSHOT -> new NeedsSnapshotException(message);
            case UNSUPPORTED, UNKNOWN_DATABASE -> new UnsupportedException(message);
            case UNAVAILABLE -> new UnavailableException(message);
        };
    }

    /** Frees what is unfinished. What was collected and not flushed is given up: it will be sent again. */
    @Override
    public void close() {
        state = State.ENDED;
        if (verifier != null) {
            verifier.close();
        }
        batch.forEach(VerifiedTransaction::close);
        batch.clear();
    }
}
