package dev.lockstep.server.hrana;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** A WebSocket spoken by hand. Requests are numbered from 1 as they are sent; answers are found by their number. */
final class Talk implements WebSocket.Listener, AutoCloseable {

    private static final int SECONDS = 20;

    private final Map<Integer, CompletableFuture<JsonNode>> answers = new ConcurrentHashMap<>();
    private final CompletableFuture<JsonNode> hello = new CompletableFuture<>();
    private final CompletableFuture<Integer> closed = new CompletableFuture<>();
    private final CompletableFuture<String> pong = new CompletableFuture<>();
    private final BlockingQueue<byte[]> binary = new LinkedBlockingQueue<>();
    private final StringBuilder text = new StringBuilder();
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private @Nullable WebSocket socket;
    private int requests;

    private Talk() {}

    static Talk open(HttpClient http, URI url, String... subprotocols) {
        Talk talk = new Talk();
        WebSocket.Builder builder = http.newWebSocketBuilder();
        if (subprotocols.length > 0) {
            String[] others = new String[subprotocols.length - 1];
            System.arraycopy(subprotocols, 1, others, 0, others.length);
            builder.subprotocols(subprotocols[0], others);
        }
        talk.socket = builder.buildAsync(url, talk).join();
        return talk;
    }

    private WebSocket socket() {
        if (socket == null) {
            throw new IllegalStateException("not open");
        }
        return socket;
    }

    String subprotocol() {
        return socket().getSubprotocol();
    }

    void hello() {
        send("{\"type\":\"hello\",\"jwt\":null}", false);
        if (!get(hello).get("type").asText().equals("hello_ok")) {
            throw new AssertionError(hello);
        }
    }

    /** Sends a request under the next number. */
    void send(String request) {
        requests++;
        send("{\"type\":\"request\",\"request_id\":" + requests + ",\"request\":" + request + "}", true);
    }

    void send(String message, boolean mustBeSent) {
        CompletableFuture<WebSocket> sent = socket().sendText(message, true);
        if (mustBeSent) {
            sent.join();
        }
    }

    void send(byte[] message) {
        socket().sendBinary(ByteBuffer.wrap(message), true).join();
    }

    /** One message in parts; the other side may hang up before the last. */
    void sendParts(String part, int count) {
        try {
            for (int i = 0; i < count; i++) {
                socket().sendText(part, i == count - 1).join();
            }
        } catch (CompletionException hungUp) {
            // The close code tells.
        }
    }

    /** For messages that may make the other side hang up. */
    void sendUnlessClosed(byte[] message, boolean asBinary) {
        try {
            if (asBinary) {
                send(message);
            } else {
                socket().sendText(new String(message, StandardCharsets.ISO_8859_1), true)
                        .join();
            }
        } catch (CompletionException hungUp) {
            // So it did.
        }
    }

    JsonNode answer(int request) {
        return get(answers.computeIfAbsent(request, number -> new CompletableFuture<>()));
    }

    byte[] binary() throws InterruptedException {
        byte[] message = binary.poll(SECONDS, TimeUnit.SECONDS);
        if (message == null) {
            throw new AssertionError("no message");
        }
        return message;
    }

    int closeCode() {
        return get(closed);
    }

    void ping() {
        socket().sendPing(ByteBuffer.wrap("ping".getBytes(StandardCharsets.UTF_8)))
                .join();
    }

    String pong() {
        return get(pong);
    }

    void abort() {
        socket().abort();
    }

    private static <T> T get(CompletableFuture<T> future) {
        try {
            return future.get(SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException | ExecutionException | TimeoutException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public @Nullable CompletionStage<?> onText(WebSocket from, CharSequence data, boolean last) {
        text.append(data);
        if (last) {
            try {
                JsonNode message = Served.JSON.readTree(text.toString());
                if (message.has("request_id")) {
                    answers.computeIfAbsent(message.get("request_id").asInt(), number -> new CompletableFuture<>())
                            .complete(message);
                } else {
                    hello.complete(message);
                }
            } catch (IOException e) {
                throw new AssertionError(e);
            }
            text.setLength(0);
        }
        from.request(1);
        return null;
    }

    @Override
    public @Nullable CompletionStage<?> onBinary(WebSocket from, ByteBuffer data, boolean last) {
        byte[] part = new byte[data.remaining()];
        data.get(part);
        bytes.writeBytes(part);
        if (last) {
            binary.add(bytes.toByteArray());
            bytes.reset();
        }
        from.request(1);
        return null;
    }

    @Override
    public @Nullable CompletionStage<?> onPong(WebSocket from, ByteBuffer message) {
        pong.complete(StandardCharsets.UTF_8.decode(message).toString());
        from.request(1);
        return null;
    }

    @Override
    public @Nullable CompletionStage<?> onClose(WebSocket from, int statusCode, String reason) {
        closed.complete(statusCode);
        return null;
    }

    @Override
    public void onError(WebSocket from, Throwable error) {
        closed.completeExceptionally(error);
    }

    @Override
    public void close() {
        socket().abort();
    }
}
