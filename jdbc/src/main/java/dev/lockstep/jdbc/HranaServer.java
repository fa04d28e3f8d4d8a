package dev.lockstep.jdbc;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.sql.SQLException;
import java.sql.SQLInvalidAuthorizationSpecException;
import java.sql.SQLNonTransientConnectionException;
import java.sql.SQLTimeoutException;
import java.sql.SQLTransientConnectionException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A server that speaks Hrana 3 over HTTP: ours, or another of libSQL's (https://github.com/tursodatabase/libsql, docs/HRANA_3_SPEC.md).
 *
 * <p>Thread-safe.
 */
final class HranaServer {

    static final ObjectMapper JSON = new ObjectMapper();

    /** One for all servers: it keeps connections open between requests. */
    private static final HttpClient HTTP = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(5))
            .executor(Executors.newCachedThreadPool(HranaServer::thread))
            .build();

    private static final long RETRY_MILLIS = 100;
    private static final int DESCRIPTIONS = 512;

    private final URI base;
    private final String authToken;
    private final Duration timeout;
    private final boolean waits;

    /** By SQL text, the least recently used first. Guarded by itself. */
    private final Map<String, Description> descriptions = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Description> eldest) {
            return size() > DESCRIPTIONS;
        }
    };

    HranaServer(Settings settings) throws SQLException {
        this.base = settings.server();
        this.authToken = settings.text(Option.AUTH_TOKEN);
        this.timeout = settings.duration(Option.TIMEOUT);
        this.waits = settings.waitsForServer();
    }

    /** Names it in messages. */
    String address() {
        return base.toString();
    }

    Duration timeout() {
        return timeout;
    }

    @Nullable
    Description described(String sql) {
        synchronized (descriptions) {
            return descriptions.get(sql);
        }
    }

    void remember(String sql, Description description) {
        synchronized (descriptions) {
            descriptions.put(sql, description);
        }
    }

    /** Holds no class loader of the web application that happens to make the first request. */
    private static Thread thread(Runnable task) {
        Thread thread = new Thread(task, "lockstep-jdbc-http");
        thread.setDaemon(true);
        thread.setContextClassLoader(HranaServer.class.getClassLoader());
        return thread;
    }

    /**
     * Posts a request and waits for the answer.
     *
     * @param origin where the conversation goes on, as the server said; null for the address of this server
     * @param running is told the request while it runs; cancelling that ends the wait
     * @throws CancellationException if it was cancelled
     * @throws SQLTransientConnectionException if the server cannot be reached: nothing was done
     * @throws SQLNonTransientConnectionException if no answer came: it is unknown what was done
     */
    JsonNode post(@Nullable URI origin, JsonNode request, Consumer<@Nullable CompletableFuture<?>> running)
            throws SQLException {
        byte[] body = bytes(request);
        long deadline = System.nanoTime() + timeout.toNanos();
        while (true) {
            try {
                return post(origin, body, deadline, running);
            } catch (ConnectException | HttpConnectTimeoutException e) {
                if (!waits || System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(RETRY_MILLIS) >= deadline) {
                    throw new SQLTransientConnectionException(
                            address() + " cannot be reached" + (waits ? " for " + timeout.toMillis() + " ms" : "")
                                    + "; nothing was done there. Reads of a replica go on; for writes, try again, or set"
                                    + " whenUnreachable=wait",
                            "08001",
                            e);
                }
                pause();
            }
        }
    }

    private JsonNode post(
            @Nullable URI origin, byte[] body, long deadline, Consumer<@Nullable CompletableFuture<?>> running)
            throws SQLException, ConnectException, HttpConnectTimeoutException {
        CompletableFuture<HttpResponse<byte[]>> answer =
                HTTP.sendAsync(request(origin, body), BodyHandlers.ofByteArray());
        running.accept(answer);
        try {
            return accepted(answer.get(Math.max(1, deadline - System.nanoTime()), TimeUnit.NANOSECONDS));
        } catch (ExecutionException e) {
            if (e.getCause() instanceof ConnectException connect) {
                throw connect;
            } else if (e.getCause() instanceof HttpConnectTimeoutException connect) {
                throw connect;
            } else if (e.getCause() instanceof CancellationException cancelled) {
                throw cancelled;
            }
            throw new SQLNonTransientConnectionException(
                    address() + " did not answer: " + e.getCause()
                            + ". It is unknown whether the statement was executed",
                    "08007",
                    e.getCause());
        } catch (TimeoutException e) {
            answer.cancel(true);
            throw new SQLTimeoutException(
                    address() + " did not answer within " + timeout.toMillis()
                            + " ms (option timeout). It is unknown whether the statement was executed",
                    "08007",
                    e);
        } catch (InterruptedException e) {
            answer.cancel(true);
            throw interrupted(e);
        } finally {
            running.accept(null);
        }
    }

    /** Posts a request whose answer nobody needs. */
    void send(@Nullable URI origin, JsonNode request) {
        CompletableFuture<?> unused = HTTP.sendAsync(request(origin, bytes(request)), BodyHandlers.discarding());
    }

    private HttpRequest request(@Nullable URI origin, byte[] body) {
        HttpRequest.Builder request = HttpRequest.newBuilder(pipeline(origin))
                .header("content-type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofByteArray(body));
        if (!authToken.isEmpty()) {
            request.header("authorization", "Bearer " + authToken);
        }
        return request.build();
    }

    private URI pipeline(@Nullable URI origin) {
        String text = (origin == null ? base : origin).toString();
        return URI.create(text.replaceFirst("/$", "") + "/v3/pipeline");
    }

    private JsonNode accepted(HttpResponse<byte[]> answer) throws SQLException {
        if (answer.statusCode() == 200) {
            try {
                return JSON.readTree(answer.body());
            } catch (IOException e) {
                throw new SQLNonTransientConnectionException(
                        address() + " answered with what is no JSON: " + e.getMessage(), "08P01", e);
            }
        }
        String said = new String(answer.body(), java.nio.charset.StandardCharsets.UTF_8);
        String problem = address() + " refused the request with HTTP status " + answer.statusCode() + ": " + said;
        if (answer.statusCode() == 401 || answer.statusCode() == 403) {
            throw new SQLInvalidAuthorizationSpecException(problem + "; check option authToken", "28000");
        }
        if (said.contains("STREAM_EXPIRED")) {
            throw new SQLNonTransientConnectionException(
                    problem + ". The transaction was open too long without a statement, and was rolled back", "40001");
        }
        throw new SQLNonTransientConnectionException(problem, "08004");
    }

    private static byte[] bytes(JsonNode request) {
        try {
            return JSON.writeValueAsBytes(request);
        } catch (JsonProcessingException impossible) {
            throw new IllegalStateException("a tree can be written", impossible);
        }
    }

    private static void pause() throws SQLException {
        try {
            Thread.sleep(RETRY_MILLIS);
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }

    private static SQLException interrupted(InterruptedException e) {
        Thread.currentThread().interrupt();
        return new SQLException("the thread was interrupted while it waited for the server", "57014", e);
    }
}
