package dev.lockstep.examples.notes;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lockstep.server.LockstepServer;
import java.net.CookieManager;
import java.net.CookiePolicy;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;

/** A primary and a replica as their profiles start them, asked over HTTP. */
class NotesApplicationTest {

    @TempDir
    static Path directory;

    private static ConfigurableApplicationContext primary;
    private static ConfigurableApplicationContext replica;

    /** A browser: it carries cookies from one to the other, as they are of the same host. */
    private final HttpClient client = HttpClient.newBuilder()
            .cookieHandler(new CookieManager(null, CookiePolicy.ACCEPT_ALL))
            .build();

    @BeforeAll
    static void start() {
        primary = startPrimary(0);
        replica = start("replica", "copy.db", "--lockstep.primary=http://127.0.0.1:" + port() + "/notes");
    }

    private static ConfigurableApplicationContext startPrimary(int port) {
        return start("primary", "notes.db", "--lockstep.listen=127.0.0.1:" + port);
    }

    /** Where the primary serves replicas. */
    private static int port() {
        return primary.getBean(LockstepServer.class).port();
    }

    @AfterAll
    static void stop() {
        replica.close();
        primary.close();
    }

    private static ConfigurableApplicationContext start(String profile, String database, String lockstep) {
        return new SpringApplicationBuilder(NotesApplication.class)
                .profiles(profile)
                .run(
                        "--server.port=0",
                        "--logging.level.root=warn",
                        "--lockstep.database=" + directory.resolve(database),
                        lockstep);
    }

    private static URI uri(ConfigurableApplicationContext application, String path) {
        String port = application.getEnvironment().getProperty("local.server.port");
        return URI.create("http://127.0.0.1:" + port + path);
    }

    private HttpResponse<String> get(ConfigurableApplicationContext application, String path) throws Exception {
        return client.send(HttpRequest.newBuilder(uri(application, path)).build(), BodyHandlers.ofString());
    }

    private HttpResponse<String> post(ConfigurableApplicationContext application, String text) throws Exception {
        return client.send(
                HttpRequest.newBuilder(uri(application, "/notes"))
                        .header("Content-Type", "text/plain")
                        .POST(HttpRequest.BodyPublishers.ofString(text))
                        .build(),
                BodyHandlers.ofString());
    }

    @Test
    void whoWroteOnThePrimaryReadsItOnTheReplica() throws Exception {
        for (int i = 0; i < 20; i++) {
            HttpResponse<String> added = post(primary, "primary " + i);
            assertThat(added.statusCode()).isEqualTo(201);
            assertThat(get(replica, "/notes").body()).contains("\"text\":\"primary " + i + "\"");
        }
    }

    @Test
    void whoWroteOnTheReplicaReadsItOnBoth() throws Exception {
        HttpResponse<String> added = post(replica, "from the replica");
        assertThat(added.statusCode()).isEqualTo(201);
        assertThat(get(replica, "/notes").body()).contains(added.body());
        assertThat(get(primary, "/notes").body()).contains(added.body());
    }

    @Test
    void withoutThePrimaryTheReplicaReadsAndAWriteIsForLater() throws Exception {
        assertThat(post(replica, "before").statusCode()).isEqualTo(201);
        int port = port();
        primary.close();
        assertThat(get(replica, "/notes").body()).contains("before");
        HttpResponse<String> refused = post(replica, "meanwhile");
        assertThat(refused.statusCode()).isEqualTo(503);
        assertThat(refused.body()).contains("cannot be reached; nothing was done there");
        assertThat(get(replica, "/actuator/health").statusCode()).isEqualTo(200);
        primary = startPrimary(port);
        assertThat(post(replica, "after").statusCode()).isEqualTo(201);
        assertThat(get(replica, "/notes").body()).contains("after").doesNotContain("meanwhile");
    }

    @Test
    void aPositionOfAnotherDatabaseIsPassedOver() throws Exception {
        HttpResponse<String> answer = client.send(
                HttpRequest.newBuilder(uri(replica, "/notes"))
                        .header("Cookie", "position=ls1.nonsense")
                        .build(),
                BodyHandlers.ofString());
        assertThat(answer.statusCode()).isEqualTo(200);
    }

    @Test
    void healthAndMetricsTellOfBoth() throws Exception {
        HttpResponse<String> health = get(primary, "/actuator/health");
        assertThat(health.statusCode()).isEqualTo(200);
        assertThat(health.body()).contains("lockstepPrimary", "\"state\":\"CAPTURING\"");
        assertThat(get(replica, "/actuator/health").body()).contains("lockstepReplica", "\"connected\":true");
        assertThat(get(primary, "/actuator/metrics/lockstep.primary.replicas").body())
                .contains("\"value\":1");
        assertThat(get(replica, "/actuator/metrics/lockstep.replica.lag").body())
                .contains("\"baseUnit\":\"seconds\"");
    }
}
