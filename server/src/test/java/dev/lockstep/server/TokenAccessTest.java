package dev.lockstep.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.linecorp.armeria.client.grpc.GrpcClients;
import dev.lockstep.Primary;
import dev.lockstep.Replica;
import dev.lockstep.UnsupportedException;
import dev.lockstep.server.libsql.LibsqlPrimary;
import dev.lockstep.server.libsql.v1.ProxyGrpc.ProxyBlockingStub;
import dev.lockstep.server.libsql.v1.ProxyProto.ExecuteResults;
import dev.lockstep.server.libsql.v1.ProxyProto.ProgramReq;
import dev.lockstep.server.libsql.v1.ReplicationLogGrpc.ReplicationLogBlockingStub;
import dev.lockstep.server.libsql.v1.WalLog.HelloRequest;
import dev.lockstep.server.sql.SqlLimits;
import dev.lockstep.testing.JwtSigner;
import dev.lockstep.testing.Sqlite3;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A server with two databases that asks for tokens, over each protocol. */
class TokenAccessTest {

    private static final JwtSigner SIGNER = JwtSigner.ed25519();
    private static final String READ_WRITE = SIGNER.sign("{\"p\":{\"rw\":{\"ns\":[\"app\"]}}}");
    private static final String READ_ONLY = SIGNER.sign("{\"id\":\"app\",\"a\":\"ro\"}");
    private static final String OTHER = SIGNER.sign("{\"id\":\"default\"}");
    private static final String ALL = SIGNER.sign("{}");
    private static final String EXPIRED = SIGNER.sign("{\"exp\":1000000000}");
    private static final String FOREIGN = JwtSigner.ed25519().sign("{}");
    private static final Duration LIMIT = Duration.ofSeconds(20);

    @TempDir
    static Path directory;

    private static final HttpClient HTTP = HttpClient.newHttpClient();
    private static Primary app;
    private static Primary other;
    private static LockstepServer server;

    @BeforeAll
    static void serve() throws Exception {
        app = Primary.of(directory.resolve("app.db")).open();
        other = Primary.of(directory.resolve("other.db")).name("default").open();
        server = LockstepServer.builder()
                .listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .database(app)
                .database(other)
                .sql(SqlLimits.defaults())
                .authJwtKey(SIGNER.writePem(directory))
                .start();
        assertThat(run(ALL, "CREATE TABLE t (v)").body()).contains("\"ok\"");
    }

    @AfterAll
    static void stop() throws IOException {
        server.close();
        app.close();
        other.close();
    }

    private static String url() {
        return "http://127.0.0.1:" + server.port();
    }

    private static HttpRequest.Builder request(String path, String token) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url() + path));
        return token.isEmpty() ? request : request.header("authorization", "Bearer " + token);
    }

    private static HttpResponse<String> send(HttpRequest.Builder request) throws IOException, InterruptedException {
        return HTTP.send(request.build(), BodyHandlers.ofString());
    }

    private static HttpResponse<String> pipeline(String path, String token, String body) throws Exception {
        return send(request(path + "/v2/pipeline", token).POST(BodyPublishers.ofString(body)));
    }

    /** One statement on database app, by a stream that stays open. */
    private static HttpResponse<String> run(String token, String sql) throws Exception {
        return pipeline("/app", token, "{\"requests\":[{\"type\":\"execute\",\"stmt\":{\"sql\":\"" + sql + "\"}}]}");
    }

    private static RemotePrimary primary(String path, String token) {
        return RemotePrimary.builder(url() + path).authToken(token).build();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/",
                "/v1/execute",
                "/app/v1/batch",
                "/v2/pipeline",
                "/app/v3/cursor",
                "/v3-protobuf/pipeline",
                "/wal_log.ReplicationLog/Hello",
                "/proxy.Proxy/Execute",
                "/info",
                "/app/info",
                "/v3",
                "/nothing"
            })
    void nothingIsThereWithoutAToken(String path) throws Exception {
        for (String token : new String[] {"", "nonsense", EXPIRED, FOREIGN}) {
            for (String method : new String[] {"GET", "POST"}) {
                HttpResponse<String> answer =
                        send(request(path, token).method(method, BodyPublishers.ofString("{\"statements\":[]}")));
                assertThat(answer.statusCode()).as("%s %s", method, path).isEqualTo(401);
                assertThat(answer.body()).contains("\"error\"", "\"message\"", "\"code\":\"AUTH_JWT_");
            }
        }
    }

    @Test
    void healthAndVersionAreForEveryone() throws Exception {
        assertThat(send(request("/health", "")).statusCode()).isEqualTo(200);
        assertThat(send(request("/version", "")).body()).startsWith("lockstep");
    }

    @Test
    void onlyBearerTokensAreTaken() throws Exception {
        HttpRequest.Builder basic = HttpRequest.newBuilder(URI.create(url() + "/info"));
        assertThat(send(basic.header("authorization", "Basic " + ALL)).body())
                .contains("AUTH_HTTP_HEADER_UNSUPPORTED_SCHEME");
        HttpRequest.Builder embedded = HttpRequest.newBuilder(URI.create(url() + "/info"));
        assertThat(send(embedded.header("x-authorization", "bearer " + ALL)).statusCode())
                .isEqualTo(404); // as embedded replicas want it
    }

    @Test
    void aRequestThatClaimsToBeAWebSocketGetsNothing() throws Exception {
        String body = "{\"requests\":[{\"type\":\"execute\",\"stmt\":{\"sql\":\"SELECT 1\"}}]}";
        HttpRequest.Builder request = request("/app/v2/pipeline", "").header("sec-websocket-version", "13");
        HttpResponse<String> answer = send(request.POST(BodyPublishers.ofString(body)));
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(404);
        assertThat(answer.body()).contains("NAMESPACE_DOESNT_EXIST").doesNotContain("app,");
    }

    @Test
    void aReadOnlyTokenReadsAndDoesNotWrite() throws Exception {
        assertThat(run(READ_ONLY, "SELECT count(*) FROM t").body()).contains("\"ok\"");
        for (String sql : new String[] {
            "INSERT INTO t VALUES (1)",
            "CREATE TEMP TABLE x (v)",
            "BEGIN IMMEDIATE",
            "PRAGMA user_version = 9",
            "WITH a AS (SELECT 1) DELETE FROM t"
        }) {
            assertThat(run(READ_ONLY, sql).body()).as(sql).contains("SQLITE_READONLY", "for reading only");
        }
        String script = "{\"requests\":[{\"type\":\"sequence\",\"sql\":\"BEGIN; INSERT INTO t VALUES (1); COMMIT\"}]}";
        assertThat(pipeline("/app", READ_ONLY, script).body()).contains("SQLITE_READONLY");
        assertThat(run(ALL, "SELECT count(*) FROM t").body()).contains("\"value\":\"0\"");
    }

    @Test
    void aStreamIsForTheRightsItWasOpenedWith() throws Exception {
        String writing = run(READ_WRITE, "BEGIN IMMEDIATE").body();
        String baton = writing.replaceFirst("(?s).*\"baton\":\"([^\"]+)\".*", "$1");
        String close = "{\"baton\":\"" + baton + "\",\"requests\":[{\"type\":\"close\"}]}";
        HttpResponse<String> stolen = pipeline("/app", READ_ONLY, close);
        assertThat(stolen.statusCode()).isEqualTo(400);
        assertThat(stolen.body()).contains("BATON_INVALID");
        assertThat(pipeline("/app", READ_WRITE, close).statusCode()).isEqualTo(200);
    }

    @Test
    void aTokenForOneDatabaseDoesNotShowTheOther() throws Exception {
        assertThat(pipeline("/app", OTHER, "{\"requests\":[]}").body())
                .contains("NAMESPACE_DOESNT_EXIST", "served here: default")
                .doesNotContain("app,");
        assertThat(pipeline("/default", OTHER, "{\"requests\":[]}").statusCode())
                .isEqualTo(200);
        try (RemotePrimary one = primary("", OTHER);
                RemotePrimary forbidden = primary("/app", OTHER)) {
            assertThat(one.status().databases())
                    .extracting(ServerStatus.Database::name)
                    .containsExactly("default");
            assertThatThrownBy(forbidden::status)
                    .isInstanceOf(UnsupportedException.class)
                    .hasMessageContaining("no database \"app\"");
        }
    }

    @Test
    void grpcCallsAreRefusedWithStatus16() {
        for (String protocol : new String[] {"gproto", "gproto-web"}) {
            ReplicationLogBlockingStub log = GrpcClients.builder(protocol + "+" + url() + "/app/")
                    .addHeader("x-authorization", "Bearer " + EXPIRED)
                    .build(ReplicationLogBlockingStub.class);
            assertThatThrownBy(() -> log.hello(HelloRequest.getDefaultInstance()))
                    .as(protocol)
                    .isInstanceOfSatisfying(StatusRuntimeException.class, e -> {
                        assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.UNAUTHENTICATED);
                        assertThat(e.getStatus().getDescription()).contains("the token has expired");
                    });
        }
    }

    private static ExecuteResults forwarded(String token, String sql) {
        ProgramReq.Builder program = ProgramReq.newBuilder().setClientId("the same");
        program.getPgmBuilder().addStepsBuilder().getQueryBuilder().setStmt(sql);
        return GrpcClients.builder("gproto+" + url() + "/app/")
                .addHeader("authorization", "Bearer " + token)
                .build(ProxyBlockingStub.class)
                .execute(program.build());
    }

    @Test
    void aClientsSessionIsForTheRightsItWasOpenedWith() {
        assertThat(forwarded(READ_WRITE, "BEGIN IMMEDIATE").getState().name()).isEqualTo("TXN");
        ExecuteResults reader = forwarded(READ_ONLY, "ROLLBACK");
        assertThat(reader.getResults(0).getError().getMessage()).contains("no transaction is active");
        assertThat(forwarded(READ_ONLY, "DELETE FROM t")
                        .getResults(0)
                        .getError()
                        .getExtendedCode())
                .isEqualTo(8);
        assertThat(forwarded(READ_WRITE, "ROLLBACK").getState().name()).isEqualTo("INIT");
    }

    @Test
    void replicasFollowWithATokenForReading() throws Exception {
        Path copy = directory.resolve("copy.db");
        Path second = directory.resolve("second.db");
        try (RemotePrimary remote = primary("/app", READ_ONLY);
                Replica replica = Replica.of(copy, remote).open();
                LibsqlPrimary libsql = LibsqlPrimary.follow(
                        "libsql+" + url() + "/app", directory.resolve("second.db-libsql"), true, null, READ_ONLY);
                Replica follower = Replica.of(second, libsql).open()) {
            long head = app.log().sync().frameNo();
            assertThat(replica.awaitFrame(head, LIMIT)).isTrue();
            assertThat(follower.awaitFrame(head, LIMIT)).isTrue();
        }
        assertThat(Sqlite3.run(copy, "SELECT name FROM sqlite_schema;")).isEqualTo("t");
        assertThat(Sqlite3.run(second, "SELECT name FROM sqlite_schema;")).isEqualTo("t");
    }

    @Test
    void aReplicaWithoutATokenIsToldWhatItNeeds() throws Exception {
        for (String token : new String[] {"", FOREIGN}) {
            try (RemotePrimary remote = primary("/app", token);
                    Replica replica =
                            Replica.of(directory.resolve("none.db"), remote).open()) {
                assertThatThrownBy(remote::status)
                        .isInstanceOf(UnsupportedException.class)
                        .hasMessageContaining("LOCKSTEP_AUTH_TOKEN");
                assertThat(replica.awaitFrame(0, LIMIT)).isFalse(); // as soon as it has given up
                assertThat(replica.refusal())
                        .isInstanceOf(UnsupportedException.class)
                        .hasMessageContaining("LOCKSTEP_AUTH_TOKEN");
            }
        }
    }

    @Test
    void unmodifiedClientsSendTheirTokensAndShowWhatIsWrongWithThem() throws Exception {
        Path own = Files.createDirectory(directory.resolve("clients"));
        String all = SIGNER.sign("{\"exp\":4000000000}");
        String reading = SIGNER.sign("{\"a\":\"ro\"}");
        assertThat(Node.run("auth.mjs", own.toString(), url(), all, reading, EXPIRED))
                .endsWith("all well\n");
    }
}
