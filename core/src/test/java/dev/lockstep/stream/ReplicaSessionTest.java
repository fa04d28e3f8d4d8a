package dev.lockstep.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.lockstep.stream.ToPrimary.Hello;
import dev.lockstep.stream.ToPrimary.Refusal;
import dev.lockstep.stream.ToReplica.Frames;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReplicaSessionTest {

    @TempDir
    Path directory;

    @Test
    void anErrorOfTheMachineEndsTheSessionAndFreesItsPlace() throws Exception {
        ExecutorService executor = Executors.newSingleThreadExecutor();
        try (HistoryOrigin origin = new HistoryOrigin("app", directory.resolve("log"), 512, 1);
                Publication publication = new Publication(origin, SenderOptions.defaults(), executor)) {
            Link failing = new ReadyLink(message -> {
                throw new NoClassDefFoundError("gone/Missing");
            });
            ReplicaSession session = publication.open(failing, "here");
            assertThat(publication.replicas()).hasSize(1);
            session.received(new Hello(ToPrimary.PROTOCOL, new UUID(1, 1), "unlucky", null, -1, 1 << 20));
            await().atMost(Duration.ofSeconds(20))
                    .until(() -> publication.replicas().isEmpty());
        } finally {
            executor.shutdown();
        }
    }

    @Test
    void aRefusalThatComesWithTheEndOfTheConnectionIsHeard() throws Exception {
        Refusal refusal = new Refusal("SEAL", 5, "one", "another", "it does not fit");
        try (HistoryOrigin origin = new HistoryOrigin("app", directory.resolve("log"), 512, 1);
                Publication publication = new Publication(origin, SenderOptions.defaults(), Runnable::run)) {
            LastWords link = new LastWords(refusal);
            ReplicaSession session = publication.open(link, "here");
            link.session = session;
            session.received(new Hello(ToPrimary.PROTOCOL, new UUID(1, 1), "refusing", null, -1, 1 << 20));
            assertThat(publication.refusals())
                    .extracting(RefusalReport::message)
                    .containsExactly(refusal.message());
        }
    }

    @Test
    void whatIsCommittedIsSentThoughTheReplicaSaysNothing() throws Exception {
        try (HistoryOrigin origin = new HistoryOrigin("app", directory.resolve("log"), 512, 1);
                Publication publication = new Publication(origin, SenderOptions.defaults(), Runnable::run)) {
            Queue<ToReplica> sent = new ConcurrentLinkedQueue<>();
            ReplicaSession session = publication.open(new ReadyLink(sent::add), "here");
            session.received(new Hello(ToPrimary.PROTOCOL, new UUID(1, 1), "silent", null, -1, 1 << 20));
            assertThat(sent).noneMatch(Frames.class::isInstance);
            origin.commit(1, 3);
            await().atMost(Duration.ofSeconds(20)).until(() -> sent.stream().anyMatch(Frames.class::isInstance));
        }
    }

    /** Never busy, and says nothing of its own. */
    private record ReadyLink(Consumer<ToReplica> sending) implements Link {

        @Override
        public boolean isReady() {
            return true;
        }

        @Override
        public void send(ToReplica message) {
            sending.accept(message);
        }

        @Override
        public void readNext() {}

        @Override
        public void end() {}
    }

    /** The replica's last message and its end come as soon as the session reads on. */
    private static final class LastWords implements Link {

        private final Refusal last;
        private @Nullable ReplicaSession session;

        LastWords(Refusal last) {
            this.last = last;
        }

        @Override
        public boolean isReady() {
            return true;
        }

        @Override
        public void send(ToReplica message) {}

        @Override
        public void readNext() {
            ReplicaSession reading = Objects.requireNonNull(session);
            reading.received(last);
            reading.disconnected();
        }

        @Override
        public void end() {}
    }
}
