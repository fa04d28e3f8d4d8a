package dev.lockstep.server;

import com.linecorp.armeria.client.SessionProtocolNegotiationCache;
import com.linecorp.armeria.client.SessionProtocolNegotiationException;
import com.linecorp.armeria.common.ClosedSessionException;
import dev.lockstep.LockstepException;
import dev.lockstep.RefusedException;
import dev.lockstep.RefusedException.Kind;
import dev.lockstep.UnavailableException;
import dev.lockstep.UnsupportedException;
import io.grpc.Status;
import io.netty.handler.ssl.NotSslRecordException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** What a failed call means for a person. */
final class Failures {

    private Failures() {}

    static LockstepException translate(Throwable failure, String address) {
        Status status = Status.fromThrowable(failure);
        String reason = reason(status);
        return switch (status.getCode()) {
            case NOT_FOUND -> new UnsupportedException(address + ": " + reason);
            case UNIMPLEMENTED -> new UnsupportedException(address + " is no Lockstep server: " + reason);
            case UNAUTHENTICATED ->
                new UnsupportedException(address + " refused this client: " + reason
                        + "; give a token with --auth-token or LOCKSTEP_AUTH_TOKEN");
            case INVALID_ARGUMENT ->
                new UnsupportedException(address + " does not understand this replica: " + reason
                        + "; run versions of Lockstep that fit together");
            case DATA_LOSS -> new RefusedException(Kind.MALFORMED, -1, "a message", reason, address);
            default -> ofConnection(status.getCause(), reason, address);
        };
    }

    private static LockstepException ofConnection(@Nullable Throwable cause, String reason, String address) {
        SessionProtocolNegotiationException negotiation = find(cause, SessionProtocolNegotiationException.class);
        if (negotiation != null) {
            return ofNegotiation(negotiation, address);
        }
        if (find(cause, UnknownHostException.class) != null) {
            return new UnavailableException(address + ": no machine is known by that name; check the URL");
        }
        ConnectException refused = find(cause, ConnectException.class);
        if (refused != null) {
            return new UnavailableException(address + ": " + withoutCall(rootMessage(refused))
                    + "; start 'lockstep primary' there, or check host and port");
        }
        SSLException tls = find(cause, SSLException.class);
        if (tls != null) {
            return ofTls(tls, address);
        }
        if (find(cause, ClosedSessionException.class) != null && address.contains("http://")) {
            return new UnavailableException(
                    address + ": the connection was closed; if that server speaks TLS, its URL begins with https://");
        }
        return new UnavailableException(address + ": " + reason);
    }

    private static UnavailableException ofTls(SSLException failure, String address) {
        return new UnavailableException(
                failure instanceof NotSslRecordException
                        ? address + " does not speak TLS: its URL begins with http://"
                        : address + ": " + rootMessage(failure)
                                + "; --tls-ca names the authority to trust, if it is one of your own");
    }

    /**
     * Armeria's exception stands for an answer that is not HTTP/2, and also for none: a server that hangs, or hangs up. The answer may
     * have been somebody else's, so Armeria must not remember it: it would never ask that address again.
     */
    private static LockstepException ofNegotiation(SessionProtocolNegotiationException failure, String address) {
        SessionProtocolNegotiationCache.clear();
        boolean answered = failure.actual() != null
                && !String.valueOf(failure.getMessage()).contains("too little data"); // before the connection ended
        return answered
                ? new UnsupportedException(address + " is no Lockstep server: it does not speak HTTP/2")
                : new UnavailableException(address + " does not answer, though something listens there");
    }

    /** Why a server cannot listen at the address, and what to do. */
    static UnavailableException ofListening(InetSocketAddress address, Throwable cause) {
        String at = address.getHostString() + ":" + address.getPort();
        String reason = withoutCall(rootMessage(cause));
        String advice = reason.contains("in use")
                ? "another program listens there, which may be another primary; end it, or choose another port"
                : reason.contains("assign") ? address.getHostString() + " is no address of this machine" : reason;
        return new UnavailableException("cannot listen on " + at + ": " + advice);
    }

    /** Netty names the call of the system that failed, and its error number, before the reason. */
    private static String withoutCall(String message) {
        return message.replaceFirst("^\\w+\\(\\.\\.\\) failed with error\\(-\\d+\\): ", "");
    }

    private static String reason(Status status) {
        String description = status.getDescription();
        Throwable cause = status.getCause();
        if (description != null) {
            return Fields.text(description, Fields.TEXT_LENGTH);
        }
        return cause == null ? status.getCode().name() : rootMessage(cause);
    }

    private static <T extends Throwable> @Nullable T find(@Nullable Throwable failure, Class<T> kind) {
        for (Throwable cause = failure; cause != null && cause.getCause() != cause; cause = cause.getCause()) {
            if (kind.isInstance(cause)) {
                return kind.cast(cause);
            }
        }
        return null;
    }

    static String rootMessage(Throwable cause) {
        Throwable root = cause;
        while (root.getCause() != null && root.getCause() != root) {
            root = root.getCause();
        }
        String message = root.getMessage();
        return message == null ? root.getClass().getSimpleName() : message;
    }
}
