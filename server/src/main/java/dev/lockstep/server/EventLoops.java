package dev.lockstep.server;

import com.linecorp.armeria.common.util.EventLoopGroups;
import io.netty.channel.EventLoopGroup;

/**
 * The threads that move bytes, shared by all servers and connections of this process, because ending a group of its own takes seconds.
 * They only ever move bytes; whatever may wait runs elsewhere.
 */
final class EventLoops {

    private static final int THREADS =
            Math.min(4, Math.max(2, Runtime.getRuntime().availableProcessors()));

    /** HTTP/2's default of 16 KiB costs more in headers and calls than in bytes moved. */
    static final int HTTP2_FRAME = 64 << 10;

    /** Apart from each other, so that both ends of a connection within one process never share a thread. */
    private static final EventLoopGroup SERVERS =
            EventLoopGroups.newEventLoopGroup(THREADS, "lockstep-io-server", true);

    private static final EventLoopGroup CLIENTS =
            EventLoopGroups.newEventLoopGroup(THREADS, "lockstep-io-client", true);

    private EventLoops() {}

    static EventLoopGroup servers() {
        return SERVERS;
    }

    static EventLoopGroup clients() {
        return CLIENTS;
    }
}
