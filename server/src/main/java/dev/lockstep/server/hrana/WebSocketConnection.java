package dev.lockstep.server.hrana;

import com.linecorp.armeria.common.websocket.WebSocketCloseStatus;
import com.linecorp.armeria.common.websocket.WebSocketFrame;
import com.linecorp.armeria.common.websocket.WebSocketFrameType;
import com.linecorp.armeria.common.websocket.WebSocketWriter;
import dev.lockstep.server.sql.SqlFailure;
import dev.lockstep.server.sql.SqlGrant;
import io.netty.channel.EventLoop;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscriber;
import org.reactivestreams.Subscription;

/**
 * One WebSocket: puts frames together to messages, decodes them, and sends responses. It reads no further while too many requests are
 * unanswered or answers wait for the network, so that TCP slows the client down.
 *
 * <p>All fields belong to the event loop; only what says so is called by other threads. States: before the hello; open; refused, when
 * the answer to the hello is still on its way and what came behind the hello is passed over; over.
 */
final class WebSocketConnection implements Subscriber<WebSocketFrame> {

    /** Larger messages are not decoded on the event loop. */
    private static final int SMALL = 64 << 10;

    /** What a hello opens. */
    interface Greeting {
        SqlGrant greet(@Nullable String jwt) throws RequestFailure;
    }

    private enum State {
        NEW,
        OPEN,
        REFUSED,
        OVER
    }

    private final EventLoop loop;
    private final WebSocketWriter outgoing;
    private final Codec codec;
    private final boolean binary;
    private final WebSockets.Shared shared;
    private final WebSocketStreams streams;
    private final Greeting greeting;

    private State state = State.NEW;
    private @Nullable Subscription subscription;
    private ByteArrayOutputStream message = new ByteArrayOutputStream();

    /** Messages that were decoded and are not answered, or whose answer is not sent. */
    private int outstanding;

    /** One message was asked for that has not come, or is being decoded. */
    private boolean reading;

    private long lastHeard;
    private @Nullable ScheduledFuture<?> heartbeat;
    private Runnable ended = () -> {};

    WebSocketConnection(
            EventLoop loop,
            WebSocketWriter outgoing,
            Codec codec,
            boolean binary,
            Greeting greeting,
            WebSockets.Shared shared) {
        this.loop = loop;
        this.outgoing = outgoing;
        this.codec = codec;
        this.binary = binary;
        this.shared = shared;
        this.greeting = greeting;
        streams = new WebSocketStreams(shared);
    }

    /** @param whenEnded called once, when the connection is over */
    void start(Runnable whenEnded) {
        ended = whenEnded;
        lastHeard = System.nanoTime();
        long interval = Math.max(1, shared.limits().stalled().toMillis() / 2);
        heartbeat = loop.scheduleAtFixedRate(this::beat, interval, interval, TimeUnit.MILLISECONDS);
    }

    /** A client whose machine vanished says nothing, not even that it is gone: it is asked, and given up if it stays silent. */
    private void beat() {
        if (!reading) {
            // Nothing is read while too much is unanswered, and so nothing can be heard.
            lastHeard = System.nanoTime();
        }
        if (System.nanoTime() - lastHeard > 2 * shared.limits().stalled().toNanos()) {
            fail(WebSocketCloseStatus.ENDPOINT_UNAVAILABLE, "no answer to pings");
        } else {
            outgoing.writePing();
        }
    }

    /** The server stops. From any thread; done when the streams are told. */
    CompletableFuture<Void> goAway() {
        return CompletableFuture.runAsync(
                () -> fail(WebSocketCloseStatus.ENDPOINT_UNAVAILABLE, "the server stops"), loop);
    }

    @Override
    public void onSubscribe(Subscription given) {
        subscription = given;
        read();
    }

    private void read() {
        if (subscription != null
                && state != State.OVER
                && !reading
                && outstanding < shared.limits().outstanding()) {
            reading = true;
            subscription.request(1);
        }
    }

    @Override
    public void onNext(WebSocketFrame frame) {
        try (frame) {
            lastHeard = System.nanoTime();
            reading = false;
            if (state == State.OVER) {
                return;
            }
            switch (frame.type()) {
                case TEXT, BINARY, CONTINUATION -> data(frame);
                case PING -> outgoing.writePong(frame.array());
                case CLOSE -> fail(WebSocketCloseStatus.NORMAL_CLOSURE, "");
                case PONG -> {}
            }
        }
        read();
    }

    private void data(WebSocketFrame frame) {
        boolean first = frame.type() != WebSocketFrameType.CONTINUATION;
        if (first && binary != (frame.type() == WebSocketFrameType.BINARY)) {
            String expected = binary ? "binary" : "text";
            fail(WebSocketCloseStatus.INVALID_MESSAGE_TYPE, "this subprotocol has " + expected + " messages");
            return;
        }
        byte[] part = frame.array();
        if ((long) message.size() + part.length > shared.limits().requestBytes()) {
            fail(
                    WebSocketCloseStatus.MESSAGE_TOO_BIG,
                    "a message may have " + shared.limits().requestBytes() + " bytes");
            return;
        }
        if (first && frame.isFinalFragment()) {
            received(part);
            return;
        }
        message.writeBytes(part);
        if (frame.isFinalFragment()) {
            byte[] whole = message.toByteArray();
            message = new ByteArrayOutputStream();
            received(whole);
        }
    }

    private void received(byte[] bytes) {
        if (bytes.length <= SMALL) {
            decoded(decode(bytes), bytes.length);
            return;
        }
        // Nothing else is read meanwhile, so that the order stays.
        reading = true;
        try {
            shared.workers().beginners().execute(() -> {
                Object decoded = decode(bytes);
                loop.execute(() -> {
                    reading = false;
                    decoded(decoded, bytes.length);
                    read();
                });
            });
        } catch (RejectedExecutionException e) {
            fail(WebSocketCloseStatus.TRY_AGAIN_LATER, "too many requests wait for their turn");
        }
    }

    private Object decode(byte[] bytes) {
        try {
            return codec.clientMessage(bytes);
        } catch (ProtocolException e) {
            return e;
        }
    }

    private void decoded(Object decoded, int length) {
        if (state == State.REFUSED || state == State.OVER) {
            return;
        }
        if (decoded instanceof ProtocolException malformed) {
            fail(WebSocketCloseStatus.PROTOCOL_ERROR, String.valueOf(malformed.getMessage()));
        } else if (decoded instanceof ClientMessage.Hello hello) {
            greet(hello);
        } else if (decoded instanceof ClientMessage.Request request) {
            if (state == State.NEW) {
                fail(WebSocketCloseStatus.PROTOCOL_ERROR, "a request came before the hello");
            } else {
                outstanding++;
                request(request, length);
            }
        }
    }

    private void greet(ClientMessage.Hello hello) {
        try {
            streams.serve(greeting.greet(hello.jwt()));
            state = State.OPEN;
            outstanding++;
            send(new ServerMessage.HelloOk(), shared.memory().lease());
        } catch (RequestFailure e) {
            state = State.REFUSED;
            write(codec.encode(new ServerMessage.HelloError(e.error())));
            CompletableFuture<Void> unused = outgoing.whenConsumed()
                    .whenCompleteAsync(
                            (done, failure) -> fail(
                                    WebSocketCloseStatus.POLICY_VIOLATION,
                                    e.error().message()),
                            loop);
        }
    }

    private void request(ClientMessage.Request request, int length) {
        Memory.Lease lease = shared.memory().lease();
        try {
            lease.add(length);
            streams.handle(request, lease, response -> send(response, lease));
        } catch (SqlFailure e) {
            answer(request, HranaError.of(e), lease);
        } catch (RejectedExecutionException e) {
            answer(request, new HranaError("too many requests wait for their turn; try again", "SERVER_BUSY"), lease);
        }
    }

    private void answer(ClientMessage.Request request, HranaError error, Memory.Lease lease) {
        send(new ServerMessage.Response(request.id(), new StreamResponse.Failed(error)), lease);
    }

    /** From any thread: encodes there. */
    private void send(ServerMessage response, Memory.Lease lease) {
        byte[] bytes = codec.encode(response);
        loop.execute(() -> {
            if (write(bytes)) {
                CompletableFuture<Void> unused =
                        outgoing.whenConsumed().whenCompleteAsync((done, failure) -> sent(lease), loop);
            } else {
                sent(lease);
            }
        });
    }

    private boolean write(byte[] message) {
        return outgoing.tryWrite(binary ? WebSocketFrame.ofBinary(message) : WebSocketFrame.ofText(message));
    }

    private void sent(Memory.Lease lease) {
        lease.close();
        outstanding--;
        read();
    }

    private void fail(WebSocketCloseStatus status, String reason) {
        if (state != State.OVER) {
            outgoing.close(status, shorten(reason));
            end();
        }
    }

    /** A close frame holds 123 bytes of reason. */
    private static String shorten(String reason) {
        byte[] bytes = reason.getBytes(StandardCharsets.UTF_8);
        return bytes.length <= 123 ? reason : new String(bytes, 0, 110, StandardCharsets.UTF_8) + "...";
    }

    private void end() {
        if (state == State.OVER) {
            return;
        }
        state = State.OVER;
        if (heartbeat != null) {
            heartbeat.cancel(false);
        }
        if (subscription != null) {
            subscription.cancel();
        }
        streams.close();
        ended.run();
    }

    @Override
    public void onError(Throwable failure) {
        outgoing.close(failure);
        end();
    }

    @Override
    public void onComplete() {
        fail(WebSocketCloseStatus.NORMAL_CLOSURE, "");
    }
}
