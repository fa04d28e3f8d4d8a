package dev.lockstep.stream;

import dev.lockstep.stream.ToPrimary.Ack;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;

/** One sender and one receiver, wired together without threads or sockets, with a clock that moves only when told. */
final class Pair implements AutoCloseable {

    /** What happens to a message on the way: what arrives instead of it. */
    interface Way {
        List<ToReplica> travel(ToReplica message);
    }

    private static final UUID ID = new UUID(7, 7);

    final AtomicLong clock = new AtomicLong();
    final Sender sender;
    final Receiver receiver;
    final List<ToReplica> sent = new ArrayList<>();
    private Way way = List::of;
    private boolean acknowledging = true;

    Pair(Origin origin, Target target, SenderOptions options) throws IOException {
        this(origin, target, options, 8 << 20);
    }

    Pair(Origin origin, Target target, SenderOptions options, long window) throws IOException {
        sender = new Sender(origin, options, clock::get);
        receiver = new Receiver(target, ID, "pair", window, "test primary");
        sender.receive(receiver.hello());
    }

    Pair through(Way newWay) {
        way = newWay;
        return this;
    }

    /** From now on the receiver takes in messages and says nothing. */
    Pair withoutAcknowledgements() {
        acknowledging = false;
        return this;
    }

    /** Until the sender has nothing more to say. Returns how many messages arrived. */
    int run() throws IOException {
        int arrived = 0;
        for (ToReplica message = sender.next(); message != null; message = sender.next()) {
            sent.add(message);
            for (ToReplica arriving : way.travel(message)) {
                receiver.accept(arriving);
                arrived++;
            }
            if (receiver.isBatchFull() || arrived % 3 == 0) {
                receiver.flush();
            }
            acknowledge();
        }
        receiver.flush();
        acknowledge();
        return arrived;
    }

    private void acknowledge() throws IOException {
        if (acknowledging) {
            Ack ack = receiver.ack();
            sender.receive(ack);
        }
    }

    void pass(Duration time) {
        clock.addAndGet(time.toNanos());
    }

    @Override
    public void close() throws IOException {
        sender.close();
        receiver.close();
    }
}
