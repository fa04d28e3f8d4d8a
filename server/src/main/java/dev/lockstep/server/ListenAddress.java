package dev.lockstep.server;

import java.net.InetAddress;
import java.net.InetSocketAddress;

/** Where to listen, as people write it. */
public final class ListenAddress {

    private static final int LAST_PORT = 65535;

    private ListenAddress() {}

    /**
     * {@code HOST:PORT}; {@code :PORT} for all interfaces; a port alone for this machine; an IPv6 address in brackets.
     *
     * @throws IllegalArgumentException if it is none of these
     */
    public static InetSocketAddress parse(String text) {
        int colon = text.lastIndexOf(':');
        int port = port(text, text.substring(colon + 1));
        String host = colon < 0 ? "" : text.substring(0, colon);
        if (colon < 0) {
            return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
        }
        if (host.isEmpty() || host.equals("*")) {
            return new InetSocketAddress(port);
        }
        boolean bracketed = host.startsWith("[") && host.endsWith("]");
        if (!bracketed && host.indexOf(':') >= 0) {
            throw new IllegalArgumentException("'" + text + "': write an IPv6 address as [ADDRESS]:PORT");
        }
        return new InetSocketAddress(bracketed ? host.substring(1, host.length() - 1) : host, port);
    }

    private static int port(String text, String digits) {
        try {
            int port = Integer.parseInt(digits);
            if (port >= 0 && port <= LAST_PORT) {
                return port;
            }
        } catch (NumberFormatException e) {
            // The message is the same.
        }
        throw new IllegalArgumentException("'" + text + "' is not HOST:PORT with a port from 0 (any) to " + LAST_PORT);
    }
}
