package dev.lockstep.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lockstep.Programs;
import dev.lockstep.UnavailableException;
import dev.lockstep.UnsupportedException;
import dev.lockstep.stream.MemoryTarget;
import dev.lockstep.testing.Sqlite3;
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
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Databases that come and go while the server runs. */
class AdminTest {

    private static final Duration LIMIT = Duration.ofSeconds(20);

    @TempDir
    Path directory;

    private final HttpClient client = HttpClient.newHttpClient();
    private LockstepServer server;

    @BeforeEach
    void start() throws IOException {
        server = serve();
    }

    private LockstepServer serve() throws IOException {
        InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        return LockstepServer.builder()
                .listen(any)
                .admin(any)
                .databaseDirectory(directory)
                .maxDatabases(5)
                .start();
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private HttpResponse<String> create(String name) throws Exception {
        return ask("POST", "/v1/namespaces/" + name + "/create");
    }

    private HttpResponse<String> drop(String name) throws Exception {
        return ask("DELETE", "/v1/namespaces/" + name);
    }

    private HttpResponse<String> ask(String method, String path) throws Exception {
        URI uri = URI.create("http://127.0.0.1:" + server.adminPort() + path);
        return client.send(
                HttpRequest.newBuilder(uri)
                        .method(method, BodyPublishers.ofString("{}"))
                        .build(),
                BodyHandlers.ofString());
    }

    private RemotePrimary primary(String name) {
        return RemotePrimary.of("http://127.0.0.1:" + server.port() + "/" + name);
    }

    private Path database(String name) {
        return directory.resolve(name).resolve("data.db");
    }

    @Test
    void aCreatedDatabaseIsServedAlsoAfterARestart() throws Exception {
        Programs.require("sqlite3");
        assertThat(create("one").statusCode()).isEqualTo(200);
        assertThat(create("two").body()).isEqualTo("{}");
        Sqlite3.run(database("one"), "CREATE TABLE t(v);");
        server.close();
        server = serve();
        try (RemotePrimary one = primary("one")) {
            assertThat(one.status().databases().get(0).head().frameNo()).isPositive();
        }
        assertThat(server.status().databases())
                .extracting(ServerStatus.Database::name)
                .containsExactly("one", "two");
    }

    @Test
    void droppingEndsTheSessionsAndFreesTheNameAndTheDisk() throws Exception {
        create("one");
        MemoryTarget target = new MemoryTarget(directory.resolve("spool"));
        try (RemotePrimary one = primary("one");
                Follower follower = new Follower(one, target, "follower")) {
            Awaitility.await().atMost(LIMIT).until(() -> target.applied() >= 0);
            assertThat(drop("one").statusCode()).isEqualTo(200);
            Awaitility.await().atMost(LIMIT).until(() -> follower.stopped() != null);
            assertThat(follower.stopped())
                    .isInstanceOf(UnsupportedException.class)
                    .hasMessageContaining("no database");
        }
        try (Stream<Path> left = Files.list(directory)) {
            assertThat(left.map(path -> path.getFileName().toString())).doesNotContain("one");
        }
        assertThat(create("one").statusCode()).isEqualTo(200);
    }

    @ParameterizedTest
    @ValueSource(strings = {"..%2Fup", "%2e%2e", "a.b", "a%20b", "-a", "a%00", "%C3%A4"})
    void aNameThatMeansSomethingInAPathIsRefused(String name) throws Exception {
        assertThat(create(name).statusCode()).isBetween(400, 499);
        try (Stream<Path> made = Files.list(directory)) {
            assertThat(made).extracting(path -> path.getFileName().toString()).containsExactly(".lock");
        }
    }

    @Test
    void whatCannotBeDoneIsAnsweredWithTheReason() throws Exception {
        create("one");
        assertThat(create("one").statusCode()).isEqualTo(409);
        assertThat(create("one").body()).isEqualTo("{\"error\":\"there is a database one already\"}");
        assertThat(drop("two").statusCode()).isEqualTo(404);
        for (String name : new String[] {"b", "c", "d", "e"}) {
            assertThat(create(name).statusCode()).isEqualTo(200);
        }
        assertThat(create("f").statusCode()).isEqualTo(400);
        assertThat(create("f").body()).contains("limit");
    }

    @Test
    void manyWhoWantTheSameNameGetItOnce() throws Exception {
        AtomicInteger made = new AtomicInteger();
        IntStream.range(0, 8).parallel().forEach(i -> {
            try {
                if (create("same").statusCode() == 200) {
                    made.incrementAndGet();
                }
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
        assertThat(made).hasValue(1);
    }

    @Test
    void aDirectoryOfOthersIsNeitherServedNorDropped() throws Exception {
        Path notes = Files.createDirectory(directory.resolve("theirs")).resolve("notes.txt");
        Files.writeString(notes, "keep");
        server.close();
        server = serve();
        assertThat(drop("theirs").statusCode()).isEqualTo(404);
        assertThat(create("theirs").statusCode()).isEqualTo(400);
        assertThat(create("theirs").body()).contains("other things in it");
        assertThat(notes.resolveSibling("data.db")).doesNotExist();
        assertThat(notes).hasContent("keep");
    }

    @Test
    void droppingLeavesTheFilesOfOthers() throws Exception {
        create("one");
        Path home = directory.resolve("one");
        Files.writeString(home.resolve("notes.txt"), "keep");
        Files.writeString(home.resolve("data.db.bak"), "keep, too");
        assertThat(drop("one").statusCode()).isEqualTo(200);
        try (Stream<Path> left = Files.walk(directory)) {
            assertThat(left.map(path -> directory.relativize(path).toString()))
                    .containsExactlyInAnyOrder("", ".lock", "one", "one/notes.txt", "one/data.db.bak");
        }
        assertThat(home.resolve("notes.txt")).hasContent("keep");
        assertThat(create("one").body()).contains("other things in it");
    }

    @Test
    void aDirectoryIsServedByOneServerOnly() {
        assertThatThrownBy(this::serve)
                .isInstanceOf(UnavailableException.class)
                .hasMessageContaining("serves this directory");
    }
}
