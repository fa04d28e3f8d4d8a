package dev.lockstep.cli;

import dev.lockstep.UnavailableException;
import dev.lockstep.server.ListenAddress;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.UnknownHostException;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Addresses as people write and read them. */
final class Addresses {

    private Addresses() {}

    static final class Converter implements ITypeConverter<InetSocketAddress> {

        @Override
        public InetSocketAddress convert(String text) {
            try {
                return ListenAddress.parse(text);
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException(String.valueOf(e.getMessage()));
            }
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
