package dev.lockstep.cli;

import dev.lockstep.UnavailableException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.UnknownHostException;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Addresses as people write and read them. */
final class Addresses {

    private static final int LAST_PORT = 65535;

    private Addresses() {}

    /** {@code HOST:PORT}; {@code :PORT} for all interfaces; a port alone for this machine; an IPv6 address in brackets. */
    static final class Converter implements ITypeConverter<InetSocketAddress> {

        @Override
        public InetSocketAddress convert(String text) {
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
                throw new TypeConversionException("'" + text + "': write an IPv6 address as [ADDRESS]:PORT");
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
            throw new TypeConversionException(
                    "'" + text + "' is not HOST:PORT with a port from 0 (any) to " + LAST_PORT);
        }
    }

    /** @throws UnavailableException if no machine has that name */
    static InetSocketAddress requireResolved(InetSocketAddress address) throws UnavailableException {
        if (address.isUnresolved()) {
            throw new UnavailableException("no machine is known by the name " + address.getHostString());
        }
        return address;
    }

    /** The URL by which replicas reach a database that is served at the address. */
    static String url(String scheme, InetSocketAddress address, int port, String database) {
        String host = address.getAddress().isAnyLocalAddress()
                ? localName()
                : address.getAddress().getHostAddress();
        try {
            return new URI(scheme, null, host, port, "/" + database, null, null).toASCIIString();
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException(e);
        }
    }

    private static String localName() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "localhost";
        }
    }
}
