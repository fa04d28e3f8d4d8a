package dev.lockstep.cli;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The way from a primary to a replica, with a fault in it: a proxy on the loopback interface that passes all bytes, and on request
 * flips one bit in a text that is on its way to the replica, once. What a failing switch, disk controller or memory module does.
 *
 * <p>Thread-safe.
 */
final class BadCable implements Closeable {

    private static final int BUFFER = 64 << 10;

    private final ServerSocket entry;
    private final InetSocketAddress exit;
    private final byte[] marked;
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean armed = new AtomicBoolean();
    private final AtomicInteger flipped = new AtomicInteger();

    /**
     * @param port where the primary listens on the loopback interface
     * @param marked the text, in which no beginning may occur a second time; its last character's lowest bit is the one
     */
    BadCable(int port, String marked) throws IOException {
        this.entry = new ServerSocket(0, 0, InetAddress.getLoopbackAddress());
        this.exit = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
        this.marked = marked.getBytes(StandardCharsets.US_ASCII);
        start(this::accept);
    }

    /** Where the replica connects to. */
    int port() {
        return entry.getLocalPort();
    }

    /** Whether the next such text is to be changed. */
    void arm(boolean on) {
        armed.set(on);
    }

    /** How many bits were flipped. */
    int flipped() {
        return flipped.get();
    }

    private static void start(Runnable task) {
        Thread thread = new Thread(task, "lockstep-demo-cable");
        thread.setDaemon(true);
        thread.start();
    }

    private void accept() {
        try {
            while (true) {
                Socket replica = entry.accept();
                Socket primary = new Socket();
                sockets.add(replica);
                sockets.add(primary);
                primary.connect(exit);
                start(() -> pass(replica, primary, false));
                start(() -> pass(primary, replica, true));
            }
        } catch (IOException closed) {
            close();
        }
    }

    private void pass(Socket from, Socket to, boolean damage) {
        byte[] buffer = new byte[BUFFER];
        int matched = 0;
        try (from;
                to) {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            for (int length; (length = in.read(buffer)) >= 0; ) {
                for (int i = 0; damage && i < length; i++) {
                    matched = buffer[i] == marked[matched] ? matched + 1 : buffer[i] == marked[0] ? 1 : 0;
                    if (matched == marked.length) {
                        buffer[i] ^= (byte) (armed.compareAndSet(true, false) ? flip() : 0);
                        matched = 0;
                    }
                }
                out.write(buffer, 0, length);
            }
        } catch (IOException gone) {
            // One side has ended the connection; closing both tells the other.
        } finally {
            sockets.remove(from);
            sockets.remove(to);
        }
    }

    private int flip() {
        flipped.incrementAndGet();
        return 1;
    }

    @Override
    public void close() {
        closeQuietly(entry);
        sockets.forEach(BadCable::closeQuietly);
    }

    private static void closeQuietly(Closeable socket) {
        try {
            socket.close();
        } catch (IOException e) {
            // Nothing is lost: no byte waits in a socket of ours.
        }
    }
}
