package dev.lockstep.stream;

import dev.lockstep.NeedsSnapshotException;
import dev.lockstep.UnavailableException;
import dev.lockstep.log.CommitRecord;
import dev.lockstep.log.FrameLayout;
import dev.lockstep.log.FrameLog;
import dev.lockstep.log.LogReader;
import dev.lockstep.stream.ToPrimary.Ack;
import dev.lockstep.stream.ToPrimary.Hello;
import dev.lockstep.stream.ToPrimary.Refusal;
import dev.lockstep.stream.ToReplica.Frames;
import dev.lockstep.stream.ToReplica.Heartbeat;
import dev.lockstep.stream.ToReplica.Refused;
import dev.lockstep.stream.ToReplica.Refused.Reason;
import dev.lockstep.stream.ToReplica.SnapshotBegin;
import dev.lockstep.stream.ToReplica.SnapshotEnd;
import dev.lockstep.stream.ToReplica.SnapshotPages;
import dev.lockstep.stream.ToReplica.Welcome;
import java.io.IOException;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The primary's side of one session, free of sockets and threads: messages of the replica go in, the next message to the replica
 * comes out when asked for.
 *
 * <pre>
 * AWAITING_HELLO --hello with a position of this history--> WELCOMING --> FOLLOWING
 *                --hello without a position--> BEGINNING_COPY --> COPYING --all pages sent--> FOLLOWING
 *                --anything else--> REFUSING
 * FOLLOWING      --the log was pruned past the replica--> REFUSING
 * REFUSING       --said so--> ENDED
 * any            --refusal by the replica--> ENDED
 * </pre>
 *
 * Never sends frames beyond the durable head, or the head with the eager option. Never has more than a window of bytes
 * unacknowledged, or one message where that is larger. Not thread-safe.
 */
final class Sender implements AutoCloseable {

    enum State {
        AWAITING_HELLO,
        WELCOMING,
        BEGINNING_COPY,
        COPYING,
        FOLLOWING,
        REFUSING,
        ENDED
    }

    private final Origin origin;
    private final FrameLog log;
    private final SenderOptions options;
    private final LongSupplier nanos;
    private final int pageSize;
    private final int frameSize;
    private final int messageBytes;

    private State state = State.AWAITING_HELLO;
    private @Nullable Hello hello;
    private @Nullable Refused refused;
    private @Nullable Refusal refusal;

    private @Nullable PageSource pages;
    private @Nullable LogReader reader;
    private @Nullable RetentionHold hold;

    /** The last frame sent, or the one that frames are to follow. */
    private long sent = -1;

    /** Bytes sent that count for the window, and how many of them the replica has taken in. */
    private long sentBytes;

    private Ack ack = new Ack(0, -1, -1);
    private final UnappliedTimes unapplied = new UnappliedTimes();

    private long lastHeard;
    private long lastSpoke;

    /** @param nanos a clock like {@link System#nanoTime} */
    Sender(Origin origin, SenderOptions options, LongSupplier nanos) {
        this.origin = origin;
        this.log = origin.log();
        this.options = options;
        this.nanos = nanos;
        this.pageSize = log.start().pageSize();
        this.frameSize = FrameLayout.frameSize(pageSize);
        this.messageBytes = Math.max(1, options.messageBytes() / frameSize) * frameSize;
        this.lastHeard = nanos.getAsLong();
        this.lastSpoke = lastHeard;
    }

    State state() {
        return state;
    }

    @Nullable
    Hello hello() {
        return hello;
    }

    /** Why the replica stopped, if it did. */
    @Nullable
    Refusal refusal() {
        return refusal;
    }

    /** Why the replica was turned away, if it was. */
    @Nullable
    Refused refused() {
        return refused;
    }

    SenderProgress progress() {
        return new SenderProgress(state, sent, sentBytes, ack, unapplied.oldestMillis());
    }

    /**
     * Takes in a message of the replica.
     *
     * @throws ProtocolException if it makes no sense here
     */
    void receive(ToPrimary message) throws IOException {
        lastHeard = nanos.getAsLong();
        if (message instanceof Hello first && state == State.AWAITING_HELLO) {
            onHello(first);
        } else if (message instanceof Ack next && hello != null) {
            onAck(next, hello);
        } else if (message instanceof Refusal last) {
            refusal = last;
            state = State.ENDED;
        } else {
            throw new ProtocolException("a replica said " + message + " while the session was " + state);
        }
    }

    private void onHello(Hello first) throws IOException {
        hello = first;
        Place position = first.position();
        if (position != null) {
            hold = new RetentionHold(log, position.frameNo()); // before the log is asked whether it reaches back so far
        }
        refused = Admission.check(log, first);
        if (refused != null) {
            state = State.REFUSING;
        } else if (position == null) {
            state = State.BEGINNING_COPY;
        } else {
            ack = new Ack(0, position.frameNo(), first.reached());
            state = State.WELCOMING;
        }
    }

    private void onAck(Ack next, Hello greeting) throws ProtocolException {
        long known = Math.max(sent, greeting.reached());
        if (next.received() < ack.received()
                || next.received() > sentBytes
                || next.durable() > known
                || next.applied() > known) {
            throw new ProtocolException("a replica acknowledged " + next + " after " + ack + ", when " + sentBytes
                    + " bytes up to frame " + known + " had been sent");
        }
        ack = next;
        unapplied.applied(next.applied());
        if (hold != null && next.durable() >= 0) {
            hold.moveTo(next.durable());
        }
    }

    /**
     * What has to happen in time even while the transport takes no message: a silent replica is given up, and one that fell too far
     * behind no longer keeps the log from being pruned.
     *
     * @throws UnavailableException if the replica was silent for too long
     */
    void tend() throws UnavailableException {
        long silent = nanos.getAsLong() - lastHeard;
        if (silent > options.silence().toNanos()) {
            throw new UnavailableException("no sign of life from the replica for " + silent / 1_000_000 + " ms");
        }
        if (hold != null) {
            hold.releaseIfBeyond(log.head().frameNo(), options.holdBytes() / frameSize);
        }
    }

    /**
     * The next message to send now, or null when there is none: nothing new, or the window is full.
     *
     * @throws UnavailableException if the replica was silent for too long
     * @throws IOException if log or database cannot be read
     */
    @Nullable
    ToReplica next() throws IOException {
        tend();
        ToReplica message;
        long before = nanos.getAsLong();
        try {
            message = advance();
        } catch (NeedsSnapshotException e) {
            refused = new Refused(
                    Reason.NEEDS_SNAPSHOT,
                    "frames after " + sent,
                    "a log that begins later",
                    String.valueOf(e.getMessage()));
            message = refuse();
        }
        lastHeard += nanos.getAsLong() - before; // while we read files we did not listen
        if (message == null) {
            return heartbeatIfDue();
        }
        lastSpoke = nanos.getAsLong();
        sentBytes += message.windowBytes();
        return message;
    }

    private @Nullable ToReplica advance() throws IOException {
        return switch (state) {
            case AWAITING_HELLO, ENDED -> null;
            case WELCOMING -> welcome();
            case BEGINNING_COPY -> beginCopy();
            case COPYING -> nextPages();
            case FOLLOWING -> nextFrames();
            case REFUSING -> refuse();
        };
    }

    private @Nullable ToReplica welcome() throws IOException {
        Place position = hello == null ? null : hello.position();
        if (position == null) {
            return null;
        }
        origin.catchUp();
        CommitRecord at = log.commitAt(position.frameNo());
        if (at == null) {
            throw new NeedsSnapshotException("the log no longer reaches back to the replica's position");
        }
        follow(at.frameNo());
        return new Welcome(log.start().logId(), pageSize, at, sendable());
    }

    private void follow(long frameNo) throws IOException {
        reader = log.reader(frameNo);
        sent = frameNo;
        state = State.FOLLOWING;
    }

    private ToReplica beginCopy() throws IOException {
        origin.catchUp();
        PageSource source = origin.openPages();
        pages = source;
        CommitRecord start = source.start();
        hold = new RetentionHold(log, start.frameNo());
        sent = start.frameNo();
        state = State.COPYING;
        return new SnapshotBegin(log.start().logId(), pageSize, start, source.pages(), sendable());
    }

    private @Nullable ToReplica nextPages() throws IOException {
        PageSource source = pages;
        if (source == null || !hasRoomFor(messageBytes)) {
            return null;
        }
        ByteBuffer entries = ByteBuffer.allocate(messageBytes).order(ByteOrder.LITTLE_ENDIAN);
        if (source.read(entries) > 0) {
            return new SnapshotPages(entries.flip());
        }
        long consistentAt = source.consistentAt();
        follow(source.start().frameNo());
        source.close();
        pages = null;
        return new SnapshotEnd(consistentAt);
    }

    private @Nullable ToReplica nextFrames() throws IOException {
        long limit = sendable();
        LogReader source = reader;
        int bytes = (int) Math.min(messageBytes, Math.max(0, limit - sent) * frameSize);
        if (source == null || bytes == 0 || !hasRoomFor(bytes)) {
            return null;
        }
        ByteBuffer frames = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
        List<CommitRecord> commits = new ArrayList<>();
        if (source.read(frames, commits, limit) == 0) {
            return null;
        }
        sent = source.frameNo();
        unapplied.sent(sent, commits);
        return new Frames(frames.flip(), commits, limit);
    }

    private @Nullable ToReplica refuse() {
        state = State.ENDED;
        return refused;
    }

    /** The last frame that may be sent now. */
    private long sendable() {
        return (options.eager() ? log.head() : log.durable()).frameNo();
    }

    private boolean hasRoomFor(int bytes) {
        long window = Math.min(options.windowBytes(), hello == null ? 0 : hello.window());
        long unacknowledged = sentBytes - ack.received();
        return unacknowledged == 0 || unacknowledged + bytes <= window;
    }

    private @Nullable ToReplica heartbeatIfDue() {
        long now = nanos.getAsLong();
        boolean talking = state == State.COPYING || state == State.FOLLOWING;
        if (!talking || now - lastSpoke < options.heartbeat().toNanos()) {
            return null;
        }
        lastSpoke = now;
        return new Heartbeat(sendable(), sent);
    }

    @Override
    public void close() throws IOException {
        state = State.ENDED;
        try (PageSource closing = pages;
                LogReader alsoClosing = reader) {
            if (hold != null) {
                hold.close();
            }
        }
    }
}
