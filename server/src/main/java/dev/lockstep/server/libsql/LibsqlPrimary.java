package dev.lockstep.server.libsql;

import com.linecorp.armeria.client.ClientFactory;
import com.linecorp.armeria.client.ClientFactoryBuilder;
import com.linecorp.armeria.client.grpc.GrpcClientBuilder;
import com.linecorp.armeria.client.grpc.GrpcClients;
import dev.lockstep.DivergedException;
import dev.lockstep.LockstepException;
import dev.lockstep.NeedsSnapshotException;
import dev.lockstep.RefusedException;
import dev.lockstep.RefusedException.Kind;
import dev.lockstep.UnavailableException;
import dev.lockstep.UnsupportedException;
import dev.lockstep.io.Storage;
import dev.lockstep.server.libsql.v1.ReplicationLogGrpc.ReplicationLogBlockingStub;
import dev.lockstep.server.libsql.v1.ReplicationLogGrpc.ReplicationLogStub;
import dev.lockstep.server.libsql.v1.WalLog.Frame;
import dev.lockstep.server.libsql.v1.WalLog.HelloRequest;
import dev.lockstep.server.libsql.v1.WalLog.HelloResponse;
import dev.lockstep.server.libsql.v1.WalLog.LogOffset;
import dev.lockstep.stream.DirectUpstream;
import dev.lockstep.stream.ToPrimary;
import dev.lockstep.stream.ToReplica;
import dev.lockstep.stream.Upstream;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A primary that speaks libSQL's replication protocol only, at {@code libsql+http://HOST:PORT[/NAME]} or {@code libsql+https://...}, followed
 * over gRPC on HTTP/2. A thread takes its frames, verified, into a {@link LibsqlHistory} of our own, and a replica follows that.
 *
 * <pre>
 * each session: Hello; frames after those we have; if there are none yet and the primary's log begins later, its snapshot first
 * lost connection                                --> again, after a pause
 * another log, a frame that does not continue    --> {@link #connect} and connections throw why, for good
 * </pre>
 *
 * Thread-safe.
 */
public final class LibsqlPrimary implements Upstream, AutoCloseable {

    private static final Logger logger = LoggerFactory.getLogger(LibsqlPrimary.class);

    private static final String PREFIX = "libsql+";
    private static final long TICK_NANOS = TimeUnit.MILLISECONDS.toNanos(250);
    private static final long FIRST_RETRY_MILLIS = 100;
    private static final long LAST_RETRY_MILLIS = 10_000;
    private static final long CLOSE_MILLIS = 30_000;
    private static final Duration CONNECT = Duration.ofSeconds(5);

    /** A frame with what is around it. */
    private static final int MAX_MESSAGE = 64 << 10;

    private final String address;
    private final Path directory;
    private final ClientFactory factory;
    private final GrpcClientBuilder client;
    private final ReplicationLogBlockingStub asking;
    private final Thread thread;

    /** Guards the fields below, which the thread writes, and waiting for them. */
    private final Object changed = new Object();

    private volatile @Nullable LibsqlHistory history;
    private volatile @Nullable LockstepException refusal;
    private volatile String problem = "";
    private volatile boolean closed;

    /**
     * Begins to follow.
     *
     * @param directory for the log, whose last part is enough
     * @param fresh whether there is no replica yet, or it is to be made anew: what is in the directory is forgotten
     * @param authorities whose certificates are trusted, in a PEM file; null for those that the JVM trusts
     * @param authToken what shows the primary who asks; null for nothing
     * @throws IllegalArgumentException if it is no URL of that form
     */
    public static LibsqlPrimary follow(
            String url, Path directory, boolean fresh, @Nullable Path authorities, @Nullable String authToken)
            throws IOException {
        PrimaryUrl parsed = PrimaryUrl.parse(url, PREFIX);
        if (fresh) {
            delete(directory);
        }
        Storage.makeDirectory(directory);
        LibsqlPrimary primary = new LibsqlPrimary(url, parsed, directory, authorities, authToken);
        primary.history = LibsqlHistory.open(directory, url);
        primary.thread.start();
        return primary;
    }

    /** Whether a URL has the form that this class is for. */
    public static boolean isUrl(String url) {
        return url.startsWith(PREFIX);
    }

    private static void delete(Path directory) throws IOException {
        try (Stream<Path> all = Files.walk(directory)) {
            List<Path> deepestFirst = all.sorted(Comparator.reverseOrder()).toList();
            for (Path path : deepestFirst) {
                Files.delete(path);
            }
        } catch (NoSuchFileException e) {
            // there is nothing to forget
        }
    }

    private LibsqlPrimary(
            String url, PrimaryUrl parsed, Path directory, @Nullable Path authorities, @Nullable String authToken) {
        this.address = url;
        this.directory = directory;
        ClientFactoryBuilder builder =
                ClientFactory.builder().connectTimeout(CONNECT).pingInterval(Duration.ofSeconds(10));
        this.factory = authorities == null
                ? builder.build()
                : builder.tlsCustomizer(context -> context.trustManager(authorities.toFile()))
                        .build();
        this.client = GrpcClients.builder(parsed.grpc())
                .factory(factory)
                .maxResponseLength(0)
                .maxResponseMessageLength(MAX_MESSAGE)
                .responseTimeoutMillis(0);
        String name = parsed.name();
        if (!name.isEmpty()) {
            byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
            client.addHeader(
                    "x-namespace-bin", Base64.getEncoder().withoutPadding().encodeToString(bytes));
        }
        if (authToken != null) {
            client.addHeader("x-authorization", "Bearer " + authToken);
        }
        this.asking = client.build(ReplicationLogBlockingStub.class);
        this.thread = new Thread(this::run, "lockstep-libsql-" + directory.getFileName());
        thread.setDaemon(true);
    }

    @Override
    public String address() {
        return address;
    }

    /**
     * The last frame that the primary has to send now, or -1.
     *
     * @throws LockstepException if it cannot be asked
     */
    public long head() throws IOException {
        HelloResponse hello = hello();
        return hello.hasCurrentReplicationIndex() ? hello.getCurrentReplicationIndex() : -1;
    }

    private HelloResponse hello() throws IOException {
        try {
            return asking.withDeadlineAfter(2 * CONNECT.toMillis(), TimeUnit.MILLISECONDS)
                    .hello(HelloRequest.getDefaultInstance());
        } catch (StatusRuntimeException e) {
            throw translate(e.getStatus());
        }
    }

    private void run() {
        long delay = FIRST_RETRY_MILLIS;
        while (!closed) {
            try {
                session();
                delay = FIRST_RETRY_MILLIS;
            } catch (StatusException e) {
                lost(translate(e.getStatus()));
            } catch (IOException | RuntimeException e) {
                lost(e);
            } catch (InterruptedException e) {
                return;
            }
            if (refusal != null) {
                return;
            }
            pause(delay);
            delay = Math.min(2 * delay, LAST_RETRY_MILLIS);
        }
    }

    private void lost(Exception cause) {
        if (cause instanceof LockstepException known && !(known instanceof UnavailableException)) {
            synchronized (changed) {
                refusal = known;
                changed.notifyAll();
            }
        } else if (!closed) {
            problem = String.valueOf(cause.getMessage());
            logger.info("{}: {}; trying again", address, problem);
            logger.debug("the session was lost", cause);
        }
    }

    private void pause(long millis) {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        synchronized (changed) {
            try {
                for (long left = deadline - System.nanoTime();
                        !closed && left > 0;
                        left = deadline - System.nanoTime()) {
                    TimeUnit.NANOSECONDS.timedWait(changed, left);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void session() throws IOException, StatusException, InterruptedException {
        HelloResponse hello = hello();
        UUID logId = logId(hello);
        ReplicationLogStub stub = client.build(ReplicationLogStub.class)
                .withInterceptors(new SessionToken(hello.getSessionToken().toStringUtf8()));
        LibsqlHistory known = history;
        if (known == null) {
            begin(logId, stub);
        } else {
            requireContinuing(known, logId, hello);
            follow(known, stub);
        }
    }

    private UUID logId(HelloResponse hello) throws RefusedException {
        try {
            return UUID.fromString(hello.getLogId());
        } catch (IllegalArgumentException e) {
            throw new RefusedException(Kind.MALFORMED, -1, "a UUID as log_id", "'" + hello.getLogId() + "'", address);
        }
    }

    private void requireContinuing(LibsqlHistory known, UUID logId, HelloResponse hello) throws LockstepException {
        UUID ours = known.log().start().logId();
        if (!ours.equals(logId)) {
            throw new RefusedException(Kind.FOREIGN_LOG, known.frameNo(), "log " + ours, "log " + logId, address);
        }
        if (!hello.hasCurrentReplicationIndex() || hello.getCurrentReplicationIndex() < known.frameNo()) {
            throw new DivergedException(
                    address + " has frames up to " + hello.getCurrentReplicationIndex()
                            + ", and this replica has frame " + known.frameNo()
                            + ": the primary has lost transactions; find out which side is right, or copy it anew with --force");
        }
    }

    private void begin(UUID logId, ReplicationLogStub stub) throws IOException, StatusException, InterruptedException {
        try (FrameQueue frames = new FrameQueue()) {
            stub.logEntries(LogOffset.getDefaultInstance(), frames);
            Frame first = null;
            while (first == null && !frames.isEnded() && !closed) {
                first = frames.next(TICK_NANOS);
            }
            if (first != null) {
                publish(LibsqlHistory.begin(
                        directory, address, logId)); // and the next session has the frames sent again
            }
        } catch (StatusException e) {
            if (!isNeedSnapshot(e.getStatus())) {
                throw e;
            }
            publish(takeSnapshot(logId, stub));
        }
    }

    private LibsqlHistory takeSnapshot(UUID logId, ReplicationLogStub stub)
            throws IOException, StatusException, InterruptedException {
        logger.info("{}: its log begins later; fetching a snapshot", address);
        try (FrameQueue frames = new FrameQueue();
                ReceivedSnapshot snapshot = new ReceivedSnapshot(LibsqlHistory.snapshotFile(directory), address)) {
            stub.snapshot(LogOffset.getDefaultInstance(), frames);
            while (!frames.isEnded()) {
                Frame frame = frames.next(TICK_NANOS);
                if (frame != null) {
                    snapshot.take(bytes(frame));
                } else if (closed) {
                    throw new UnavailableException("closed");
                }
            }
            snapshot.end();
            return LibsqlHistory.begin(directory, address, logId, snapshot);
        }
    }

    private void publish(LibsqlHistory begun) {
        synchronized (changed) {
            history = begun;
            changed.notifyAll();
        }
    }

    private void follow(LibsqlHistory known, ReplicationLogStub stub)
            throws IOException, StatusException, InterruptedException {
        try (FrameQueue frames = new FrameQueue()) {
            stub.logEntries(
                    LogOffset.newBuilder().setNextOffset(known.frameNo() + 1).build(), frames);
            while (!closed && !frames.isEnded()) {
                Frame frame = frames.next(0);
                if (frame == null) {
                    known.flush();
                    frame = frames.next(TICK_NANOS);
                }
                if (frame != null) {
                    known.take(bytes(frame), frame.getTimestamp());
                }
            }
            throw new UnavailableException(address + " ended the stream");
        } finally {
            known.backToCommit();
        }
    }

    private static ByteBuffer bytes(Frame frame) {
        return frame.getData().asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }

    private static boolean isNeedSnapshot(Status status) {
        return status.getCode() == Status.Code.FAILED_PRECONDITION && "NEED_SNAPSHOT".equals(status.getDescription());
    }

    private LockstepException translate(Status status) {
        String description = String.valueOf(status.getDescription());
        if (isNeedSnapshot(status)) {
            return new NeedsSnapshotException(
                    address + ": its log no longer reaches back to this replica; copy it anew with --force");
        }
        return switch (status.getCode()) {
            case FAILED_PRECONDITION ->
                "NO_HELLO".equals(description)
                        ? new UnavailableException(address + " was restarted")
                        : new UnsupportedException(address + ": " + description);
            case OUT_OF_RANGE -> new DivergedException(address + ": " + description);
            case UNIMPLEMENTED, UNAUTHENTICATED, PERMISSION_DENIED ->
                new UnsupportedException(address + ": " + description);
            default -> {
                Throwable cause = status.getCause();
                yield new UnavailableException(
                        address + ": " + (cause == null || status.getDescription() != null ? description : cause));
            }
        };
    }

    /** @throws UnavailableException if the primary has sent nothing yet */
    @Override
    public Connection connect() throws IOException, InterruptedException {
        long deadline = System.nanoTime() + CONNECT.toNanos();
        synchronized (changed) {
            for (long left = CONNECT.toNanos();
                    history == null && refusal == null && left > 0;
                    left = deadline - System.nanoTime()) {
                TimeUnit.NANOSECONDS.timedWait(changed, left);
            }
        }
        requireNotRefused();
        LibsqlHistory there = history;
        if (there == null) {
            throw new UnavailableException(
                    problem.isEmpty() ? address + " has sent nothing yet; its database may be empty" : problem);
        }
        return new Watched(there, new DirectUpstream(there, address).connect());
    }

    private void requireNotRefused() throws LockstepException {
        LockstepException cause = refusal;
        if (cause != null) {
            throw cause;
        }
    }

    /** What was good before a refusal still arrives. */
    private final class Watched implements Connection {

        private final LibsqlHistory followed;
        private final Connection connection;

        Watched(LibsqlHistory followed, Connection connection) {
            this.followed = followed;
            this.connection = connection;
        }

        @Override
        public void send(ToPrimary message) {
            connection.send(message);
        }

        @Override
        public @Nullable ToReplica receive(long timeoutNanos) throws IOException, InterruptedException {
            boolean refused = refusal != null;
            ToReplica message = connection.receive(timeoutNanos);
            if (message instanceof ToReplica.Welcome) {
                followed.resumed();
            }
            if (message == null && refused && timeoutNanos > 0) {
                requireNotRefused();
            }
            return message;
        }

        @Override
        public void close() {
            connection.close();
        }
    }

    /** Ends the session. The replica must be closed before. */
    @Override
    public void close() throws IOException {
        closed = true;
        synchronized (changed) {
            changed.notifyAll();
        }
        try {
            thread.join(CLOSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        factory.close();
        LibsqlHistory open = history;
        if (open != null) {
            open.close();
        }
    }
}
