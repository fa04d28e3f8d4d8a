package dev.lockstep.server.libsql;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lockstep.server.LockstepServer;
import dev.lockstep.server.ServerStatus;
import dev.lockstep.server.libsql.v1.WalLog.Frames;
import dev.lockstep.server.libsql.v1.WalLog.HelloResponse;
import dev.lockstep.server.libsql.v1.WalLog.LogOffset;
import dev.lockstep.stream.HistoryOrigin;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Calls that no client makes: each gets an answer in the protocol's form, and the next client is served. */
class WrongInputTest {

    private static final long SEED = Long.getLong("seed", System.nanoTime());
    private static final List<String> METHODS = List.of("Hello", "BatchLogEntries", "Snapshot");
    private static final String WEB = "application/grpc-web";

    @TempDir
    Path directory;

    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private HistoryOrigin origin;
    private LockstepServer server;

    @BeforeEach
    void start() throws IOException {
        origin = new HistoryOrigin("app", directory.resolve("app"), 4096, 1);
        origin.commit(30, 10);
        server = LockstepServer.builder()
                .listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .database(origin, () -> new ServerStatus.Capture("CAPTURING", ""))
                .start();
    }

    @AfterEach
    void stop() throws IOException {
        server.close();
        origin.close();
    }

    private HttpResponse<byte[]> call(String path, String contentType, byte[] body, String... headers)
            throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path))
                .timeout(Duration.ofSeconds(20))
                .header("content-type", contentType)
                .POST(BodyPublishers.ofByteArray(body));
        if (headers.length > 0) {
            request.headers(headers);
        }
        return client.send(request.build(), BodyHandlers.ofByteArray());
    }

    private static byte[] framed(byte[] message) {
        return ByteBuffer.allocate(5 + message.length)
                .put((byte) 0)
                .putInt(message.length)
                .put(message)
                .array();
    }

    private static byte[] message(HttpResponse<byte[]> response) {
        ByteBuffer body = ByteBuffer.wrap(response.body());
        assertThat(body.get()).isZero();
        byte[] message = new byte[body.getInt()];
        body.get(message);
        return message;
    }

    /** The status of a failed call: in the headers, or in the trailers' frame. */
    private static String status(HttpResponse<byte[]> response) {
        String trailers = new String(response.body(), StandardCharsets.ISO_8859_1);
        return response.headers()
                        .firstValue("grpc-status")
                        .map(code -> "grpc-status:" + code)
                        .orElse(trailers) + " "
                + response.headers().firstValue("grpc-message").orElse("");
    }

    private HelloResponse hello() throws Exception {
        return HelloResponse.parseFrom(message(call("/wal_log.ReplicationLog/Hello", WEB, framed(new byte[0]))));
    }

    private HttpResponse<byte[]> batch(long next, String token) throws Exception {
        byte[] offset = LogOffset.newBuilder().setNextOffset(next).build().toByteArray();
        return call("/wal_log.ReplicationLog/BatchLogEntries", WEB, framed(offset), "x-session-token", token);
    }

    private void assertServed() throws Exception {
        HelloResponse hello = hello();
        assertThat(hello.getCurrentReplicationIndex())
                .isEqualTo(origin.log().durable().frameNo());
        byte[] frames = message(batch(0, hello.getSessionToken().toStringUtf8()));
        assertThat(Frames.parseFrom(frames).getFramesCount()).isPositive();
    }

    @Test
    void withoutTheTokenOfAHelloOrAheadOfTheLogTheStatusSaysWhatToDo() throws Exception {
        assertThat(status(batch(0, "none"))).contains("grpc-status:9", "NO_HELLO");
        String token = hello().getSessionToken().toStringUtf8();
        long end = origin.log().durable().frameNo() + 1;
        assertThat(Frames.parseFrom(message(batch(end, token))).getFramesCount())
                .isZero();
        assertThat(status(batch(end + 1, token))).contains("grpc-status:11");
        assertThat(status(batch(-1, token))).contains("grpc-status:11");
        assertServed();
    }

    @Test
    void databasesThatAreNotThereAreToldApartFromTheOneThatIs() throws Exception {
        byte[] hello = framed(new byte[0]);
        assertThat(status(call("/no/wal_log.ReplicationLog/Hello", WEB, hello)))
                .contains("grpc-status:9", "NAMESPACE_DOESNT_EXIST");
        String path = "/wal_log.ReplicationLog/Hello";
        for (String name : List.of("bm8", "/////w")) {
            assertThat(status(call(path, WEB, hello, "x-namespace-bin", name)))
                    .contains("grpc-status:9", "NAMESPACE_DOESNT_EXIST");
        }
        assertThat(status(call(path, WEB, hello, "x-namespace-bin", "%%%"))).contains("grpc-status:3");
        assertServed();
    }

    @Test
    void aMessageThatSaysItIsLongerThanAnyIsRefused() throws Exception {
        byte[] endless = ByteBuffer.allocate(5).putInt(1, Integer.MAX_VALUE).array();
        assertThat(status(call("/wal_log.ReplicationLog/Hello", WEB, endless))).contains("grpc-status:8");
        byte[] tooLong = framed(new byte[1 << 20]);
        HttpResponse<byte[]> answer = call("/wal_log.ReplicationLog/Hello", WEB, tooLong);
        assertThat(answer.statusCode() == 413 || status(answer).contains("grpc-status:8"))
                .as("%s %s", answer.statusCode(), status(answer))
                .isTrue();
        assertServed();
    }

    @Test
    void randomBytesGetAnAnswerAndDoNoHarm() throws Exception {
        Random random = new Random(SEED);
        String token = hello().getSessionToken().toStringUtf8();
        List<String> types = List.of(WEB, "application/grpc-web+proto", "application/grpc", "application/json", "x/y");
        for (int i = 0; i < 400; i++) {
            byte[] body = randomBody(random);
            String type = types.get(random.nextInt(types.size()));
            String method = METHODS.get(random.nextInt(METHODS.size()));
            List<String> headers = new ArrayList<>();
            if (random.nextBoolean()) {
                headers.addAll(List.of("x-session-token", token));
            }
            if (random.nextInt(8) == 0) {
                headers.addAll(List.of("grpc-encoding", "gzip"));
            }
            HttpResponse<byte[]> answer =
                    call("/wal_log.ReplicationLog/" + method, type, body, headers.toArray(new String[0]));
            assertThat(answer.statusCode()).as("call %d, seed %d", i, SEED).isNotEqualTo(500);
        }
        assertThat(status(call("/wal_log.ReplicationLog/Nothing", WEB, framed(new byte[0]))) + " ")
                .doesNotContain("grpc-status:0");
        assertServed();
    }

    /** Random bytes, random bytes in a frame, or a good message with something wrong. */
    private static byte[] randomBody(Random random) {
        byte[] bytes = new byte[random.nextInt(40)];
        random.nextBytes(bytes);
        int kind = random.nextInt(3);
        if (kind == 0) {
            return bytes;
        }
        byte[] body = kind == 1
                ? framed(bytes)
                : framed(LogOffset.newBuilder()
                        .setNextOffset(random.nextLong())
                        .build()
                        .toByteArray());
        if (random.nextBoolean() && body.length > 0) {
            body[random.nextInt(body.length)] ^= (byte) (1 << random.nextInt(8));
        }
        return body;
    }
}
