package dev.lockstep.server.libsql;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;

/** Puts what a primary's Hello gave into the calls that follow it. Immutable. */
final class SessionToken implements ClientInterceptor {

    private static final Metadata.Key<String> KEY =
            Metadata.Key.of(ReplicationLogService.SESSION_TOKEN, Metadata.ASCII_STRING_MARSHALLER);

    private final String token;

    SessionToken(String token) {
        this.token = token;
    }

    @Override
    public <Q, A> ClientCall<Q, A> interceptCall(MethodDescriptor<Q, A> method, CallOptions options, Channel next) {
        return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
            @Override
            public void start(Listener<A> listener, Metadata headers) {
                headers.put(KEY, token);
                super.start(listener, headers);
            }
        };
    }
}
