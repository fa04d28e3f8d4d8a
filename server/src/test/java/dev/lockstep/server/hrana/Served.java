package dev.lockstep.server.hrana;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.linecorp.armeria.common.CommonPools;
import com.linecorp.armeria.server.Server;
import com.linecorp.armeria.server.ServerBuilder;
import dev.lockstep.Primary;
import dev.lockstep.server.libsql.UnknownDatabaseException;
import dev.lockstep.server.sql.SqlDatabase;
import dev.lockstep.server.sql.SqlGrant;
import dev.lockstep.server.sql.SqlLimits;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** One captured database served over Hrana alone, and plain requests to it. */
final class Served implements AutoCloseable {

    private static final long STOP_MILLIS = 2_000;
    static final JsonMapper JSON = new JsonMapper();

    private final Primary primary;
    private final SqlDatabase sql;
    private final Hrana hrana;
    private final Server server;
    private final HttpClient http = HttpClient.newHttpClient();

    private Served(Primary primary, SqlDatabase sql, Hrana hrana, Server server) {
        this.primary = primary;
        this.sql = sql;
        this.hrana = hrana;
        this.server = server;
    }

    static Served start(Path directory) throws IOException {
        return start(directory, Limits.defaults(), SqlLimits.defaults());
    }

    static Served start(Path directory, Limits limits, SqlLimits sqlLimits) throws IOException {
        Primary primary = Primary.of(directory.resolve("app.db")).open();
        SqlDatabase sql = SqlDatabase.of(primary, sqlLimits);
        ServerBuilder builder = Server.builder()
                .http(0)
                .workerGroup(CommonPools.workerGroup(), false)
                .gracefulShutdownTimeoutMillis(0, STOP_MILLIS);
        Hrana hrana = Hrana.of(
                (request, rights) -> {
                    if (!request.fromHost() && !request.name().equals("app")) {
                        throw new UnknownDatabaseException("there is no database " + request.name());
                    }
                    return new SqlGrant(sql, true);
                },
                CommonPools.workerGroup().next(),
                limits);
        hrana.addTo(builder, "test");
        Server server = builder.build();
        server.start().join();
        return new Served(primary, sql, hrana, server);
    }

    String url() {
        return "http://127.0.0.1:" + server.activeLocalPort();
    }

    Hrana hrana() {
        return hrana;
    }

    Primary primary() {
        return primary;
    }

    HttpResponse<byte[]> post(String path, byte[] body) throws IOException, InterruptedException {
        return http.send(
                HttpRequest.newBuilder(URI.create(url() + path))
                        .POST(BodyPublishers.ofByteArray(body))
                        .build(),
                BodyHandlers.ofByteArray());
    }

    HttpResponse<String> post(String path, String body) throws IOException, InterruptedException {
        return http.send(request(path, body), BodyHandlers.ofString());
    }

    HttpRequest request(String path, String body) {
        return HttpRequest.newBuilder(URI.create(url() + path))
                .POST(BodyPublishers.ofString(body))
                .build();
    }

    HttpClient http() {
        return http;
    }

    HttpResponse<String> get(String path) throws IOException, InterruptedException {
        return http.send(HttpRequest.newBuilder(URI.create(url() + path)).build(), BodyHandlers.ofString());
    }

    /** Runs requests on a new stream and gives the body of the response, which must be good. */
    JsonNode pipeline(String requests) throws IOException, InterruptedException {
        return pipeline(null, requests);
    }

    /** @param requests JSON objects with commas between */
    JsonNode pipeline(@Nullable String baton, String requests) throws IOException, InterruptedException {
        String quoted = baton == null ? "null" : '"' + baton + '"';
        HttpResponse<String> response =
                post("/v2/pipeline", "{\"baton\":" + quoted + ",\"requests\":[" + requests + "]}");
        if (response.statusCode() != 200) {
            throw new AssertionError(response.statusCode() + " " + response.body());
        }
        return JSON.readTree(response.body());
    }

    static String execute(String sql) {
        return "{\"type\":\"execute\",\"stmt\":{\"sql\":"
                + JSON.getNodeFactory().textNode(sql) + "}}";
    }

    /** The first value of the first row of one statement. */
    String query(String sql) throws IOException, InterruptedException {
        return pipeline(execute(sql) + ",{\"type\":\"close\"}")
                .at("/results/0/response/result/rows/0/0/value")
                .asText();
    }

    @Override
    public void close() throws IOException {
        hrana.close();
        // Not awaited: the thread that accepts connections takes two seconds to end.
        CompletableFuture<Void> unused = server.stop();
        sql.close();
        primary.close();
    }
}
