package dev.lockstep.server.libsql;

import com.linecorp.armeria.common.RequestHeaders;
import com.linecorp.armeria.server.ServiceRequestContext;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/**
 * Which database a request means, whatever its protocol. The first of these that is there decides:
 *
 * <pre>
 * 1 the path's first segment, where the route has one: /NAME/v2/pipeline
 * 2 header x-namespace-bin, base64 without padding
 * 3 header x-namespace
 * 4 the host's first label: NAME.example.com
 * </pre>
 *
 * An address (127.0.0.1, localhost, any host of one label) names no database. libSQL's embedded replicas always send
 * x-namespace-bin, made from the host by themselves; so one that says only what the host says counts as the host.
 *
 * @param name empty for the default database
 * @param fromHost whether only the host says so; a server with one database then need not be called by its name
 */
public record RequestedDatabase(String name, boolean fromHost) {

    /** The path parameter of those routes that begin with a database's name. */
    public static final String PATH_PARAMETER = "database";

    private static final RequestedDatabase DEFAULT = new RequestedDatabase("", true);

    /** What clients write for hosts of one label. */
    private static final String DEFAULT_NAMESPACE = "default";

    /** Of a request being served. */
    public static RequestedDatabase of(ServiceRequestContext context) {
        return of(context.pathParam(PATH_PARAMETER), context.request().headers());
    }

    static RequestedDatabase of(@Nullable String pathSegment, RequestHeaders headers) {
        if (pathSegment != null) {
            return new RequestedDatabase(pathSegment, false);
        }
        RequestedDatabase byHost = ofHost(headers.authority());
        String encoded = headers.get("x-namespace-bin");
        String named = encoded != null ? decode(encoded) : headers.get("x-namespace");
        if (named == null || (encoded != null && named.equals(clientsNameOf(headers.authority())))) {
            return byHost;
        }
        return new RequestedDatabase(named, false);
    }

    /** Bytes that are no base64 become a name that no database can have. */
    private static String decode(String encoded) {
        try {
            return new String(Base64.getDecoder().decode(encoded), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            return "x-namespace-bin: " + encoded;
        }
    }

    private static RequestedDatabase ofHost(@Nullable String authority) {
        String host = host(authority);
        int dot = host.indexOf('.');
        boolean address = dot < 0 || host.chars().allMatch(c -> c == '.' || (c >= '0' && c <= '9'));
        return address ? DEFAULT : new RequestedDatabase(host.substring(0, dot), true);
    }

    /** What an embedded replica makes of a host. */
    private static String clientsNameOf(@Nullable String authority) {
        String host = host(authority);
        int dot = host.indexOf('.');
        return dot < 0 ? DEFAULT_NAMESPACE : host.substring(0, dot);
    }

    /** Without the port. An IPv6 address, in brackets, has no dot in it or begins with its bracket, and is no label either way. */
    private static String host(@Nullable String authority) {
        if (authority == null || authority.startsWith("[")) {
            return "";
        }
        int colon = authority.indexOf(':');
        return colon < 0 ? authority : authority.substring(0, colon);
    }
}
