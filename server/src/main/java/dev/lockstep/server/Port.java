package dev.lockstep.server;

import com.linecorp.armeria.common.util.EventLoopGroups;
import com.linecorp.armeria.server.Server;
import com.linecorp.armeria.server.ServerBuilder;
import dev.lockstep.UnavailableException;
import io.netty.channel.EventLoopGroup;
import io.netty.util.concurrent.SingleThreadEventExecutor;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;

/**
 * A port that is served. Armeria's last step, when all connections are closed, is to end the thread that accepted them, which Netty has
 * look out for more work for two seconds; nobody needs to wait for that.
 *
 * <p>Thread-safe.
 */
final class Port {

    private static final long STOP_MILLIS = 2_000;

    private final CompletableFuture<Void> closed = new CompletableFuture<>();
    private final Server server;

    /** Requests that still run when it stops have a second, then they are ended; a time to drain after that would serve nobody. */
    Port(ServerBuilder builder) {
        server = builder.bossGroupFactory(this::acceptor)
                .workerGroup(EventLoops.servers(), false)
                .gracefulShutdownTimeoutMillis(0, STOP_MILLIS)
                .connectionDrainDurationMicros(0)
                .build();
    }

    private EventLoopGroup acceptor(String name) {
        EventLoopGroup group = EventLoopGroups.newEventLoopGroup(1, name);
        ((SingleThreadEventExecutor) group.next()).addShutdownHook(() -> closed.complete(null));
        return group;
    }

    /** Finds out whether all of the addresses could be listened on together, by doing so for a moment in which nobody is answered. */
    static void requireFree(List<InetSocketAddress> addresses) throws IOException {
        List<ServerSocket> taken = new ArrayList<>();
        try {
            for (InetSocketAddress address : addresses) {
                ServerSocket socket = new ServerSocket();
                taken.add(socket);
                try {
                    socket.bind(address);
                } catch (IOException e) {
                    throw Failures.ofListening(address, e);
                }
            }
        } finally {
            for (ServerSocket socket : taken) {
                socket.close();
            }
        }
    }

    /** @param address for the message of the exception */
    void listen(InetSocketAddress address) throws UnavailableException {
        try {
            server.start().join();
        } catch (CompletionException e) {
            throw Failures.ofListening(address, e);
        }
    }

    int number() {
        return server.activeLocalPort();
    }

    /** Stops listening and closes the connections. What it gives never fails, and comes after a few seconds at the latest. */
    CompletableFuture<Void> stop() {
        CompletableFuture<?> unused = server.closeAsync().whenComplete((done, failure) -> closed.complete(null));
        return closed.completeOnTimeout(null, 2 * STOP_MILLIS, TimeUnit.MILLISECONDS);
    }
}
