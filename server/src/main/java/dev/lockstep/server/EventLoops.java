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

    private static final EventLoopGroup SHARED = EventLoopGroups.newEventLoopGroup(THREADS, "lockstep-io", true);

    private EventLoops() {}

    static EventLoopGroup shared() {
        return SHARED;
    }
}
