package dev.lockstep.server.libsql;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.Locale;

/**
 * Where a primary is reached: {@code http://HOST:PORT[/NAME]} or {@code https://...}, behind the prefix of its protocol.
 * Immutable.
 */
public final class PrimaryUrl {

    private static final int LAST_PORT = 65535;

    private final URI uri;

    private PrimaryUrl(URI uri) {
        this.uri = uri;
    }

    /**
     * @param prefix of the protocol, with which the text begins; empty for Lockstep's own
     * @throws IllegalArgumentException if it is no URL of that form
     */
    public static PrimaryUrl parse(String text, String prefix) {
        String noScheme = "it does not begin with " + prefix + "http:// or " + prefix + "https://";
        try {
            URI uri = new URI(text.substring(prefix.length()));
            String why = problem(uri, noScheme);
            if (why.isEmpty()) {
                return new PrimaryUrl(uri);
            }
            throw notAPrimary(text, prefix, why);
        } catch (URISyntaxException e) {
            String why = text.contains("://") ? e.getReason().toLowerCase(Locale.ROOT) : noScheme;
            throw notAPrimary(text, prefix, why);
        }
    }

    private static String problem(URI uri, String noScheme) {
        if (!"http".equals(uri.getScheme()) && !"https".equals(uri.getScheme())) {
            return noScheme;
        }
        if (uri.getRawUserInfo() != null || uri.getRawQuery() != null || uri.getRawFragment() != null) {
            return "it has more in it than host, port and name; a token is given by itself";
        }
        if (uri.getHost() == null) {
            return "it names no host that can be";
        }
        if (uri.getPort() < 1 || uri.getPort() > LAST_PORT) {
            return uri.getPort() < 0 ? "the port is missing" : "there is no such port";
        }
        return new PrimaryUrl(uri).name().indexOf('/') >= 0 ? "a name has no '/' in it" : "";
    }

    private static IllegalArgumentException notAPrimary(String text, String prefix, String why) {
        return new IllegalArgumentException("'" + text + "' is no address of a primary: " + why + ". It has the form "
                + prefix + "http://HOST:PORT/NAME" + (prefix.isEmpty() ? ", as 'lockstep primary' prints it" : ""));
    }

    /** Of the database; empty where none is named. A slash may follow it, as in the URLs of libSQL's clients. */
    public String name() {
        return uri.getPath().replaceAll("^/|/$", "");
    }

    /** Without the prefix. */
    @Override
    public String toString() {
        return uri.toString();
    }

    /** The address for a client of gRPC over HTTP/2. */
    public String grpc() {
        return "gproto+" + (uri.getScheme().equals("https") ? "h2" : "h2c") + "://" + uri.getRawAuthority();
    }
}
