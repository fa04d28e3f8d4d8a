package dev.lockstep.server;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** A TCP proxy on the loopback interface between a replica and its primary that can flip bits, cut, stall and forget. Thread-safe. */
final class BadNetwork implements Closeable {

    private final ServerSocket entry;
    private volatile int exit;
    private final Random random;
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
    private volatile int flipOneIn;
    private volatile boolean stalled;
    private final Set<Socket> abandoned = ConcurrentHashMap.newKeySet();

    BadNetwork(int exit, long seed) throws IOException {
        this.entry = new ServerSocket(0, 0, InetAddress.getLoopbackAddress());
        this.exit = exit;
        this.random = new Random(seed);
        start(this::accept);
    }

    int port() {
        return entry.getLocalPort();
    }

    /** Where new connections lead from now on. */
    void exit(int port) {
        exit = port;
    }

    /** Flips a random bit in one of so many reads on their way to the replica; 0 for none. */
    void flipOneIn(int reads) {
        flipOneIn = reads;
    }

    /** Stops or continues to move bytes; connections stay open. */
    void stall(boolean on) {
        stalled = on;
    }

    /** Moves no more bytes on the connections that there are, and tells nobody; new ones work. */
    void abandon() {
        abandoned.addAll(sockets);
    }

    /** Ends all connections. */
    void cut() {
        sockets.forEach(BadNetwork::close);
    }

    private static void start(Runnable task) {
        Thread thread = new Thread(task, "bad-network");
        thread.setDaemon(true);
        thread.start();
    }

    private void accept() {
        try {
            while (true) {
                Socket replica = entry.accept();
                sockets.add(replica);
                try {
                    Socket primary = new Socket(InetAddress.getLoopbackAddress(), exit);
                    sockets.add(primary);
                    start(() -> pass(replica, primary, false));
                    start(() -> pass(primary, replica, true));
                } catch (IOException unreachable) {
                    close(replica);
                }
            }
        } catch (IOException closed) {
            cut();
        }
    }

    private void pass(Socket from, Socket to, boolean mayFlip) {
        byte[] buffer = new byte[4096];
        try (from;
                to) {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            for (int length = in.read(buffer); length >= 0; length = in.read(buffer)) {
                while ((stalled || abandoned.contains(from)) && !to.isClosed()) {
                    Thread.sleep(5);
                }
                if (mayFlip) {
                    flip(buffer, length);
                }
                out.write(buffer, 0, length);
            }
        } catch (IOException gone) {
            // closing both sockets tells both sides
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            sockets.remove(from);
            sockets.remove(to);
        }
    }

    private void flip(byte[] buffer, int length) {
        int one = flipOneIn;
        synchronized (random) {
            if (one > 0 && random.nextInt(one) == 0) {
                buffer[random.nextInt(length)] ^= (byte) (1 << random.nextInt(8));
            }
        }
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException ignored) {
            // it is gone either way
        }
    }

    @Override
    public void close() throws IOException {
        entry.close();
        cut();
    }
}
