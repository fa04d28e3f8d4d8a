package dev.lockstep.server.libsql;

import dev.lockstep.server.sql.SqlGrant;
import dev.lockstep.server.sql.SqlSession;
import io.grpc.Status;
import io.grpc.StatusException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** The sessions of clients that name themselves in each call. One that does not call for a while is forgotten. Thread-safe. */
final class ProxyClients {

    static final int MAX_CLIENTS = 1024;
    private static final int MAX_ID_LENGTH = 128;
    private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(30);

    private record Key(SqlGrant granted, String id) {}

    /** One client. Its calls are served one at a time. */
    static final class Client {

        private final SqlSession session;

        /** Held by the call that is being served, or by whoever forgets the client; guards the fields below. */
        private final Semaphore turn = new Semaphore(1, true);

        private long usedNanos;
        private boolean forgotten;

        private Client(SqlSession session) {
            this.session = session;
        }

        SqlSession session() {
            return session;
        }

        /** Lets the next call in. */
        void leave() {
            usedNanos = System.nanoTime();
            turn.release();
        }
    }

    private final Map<Key, Client> clients = new ConcurrentHashMap<>();

    /** The client of that name, for this thread alone until it {@link Client#leave leaves}. */
    Client enter(SqlGrant granted, String id) throws StatusException {
        if (id.isEmpty() || id.length() > MAX_ID_LENGTH) {
            throw Status.INVALID_ARGUMENT
                    .withDescription("a client_id has 1 to " + MAX_ID_LENGTH + " characters, not " + id.length())
                    .asException();
        }
        Key key = new Key(granted, id);
        while (true) {
            if (clients.size() >= MAX_CLIENTS && !clients.containsKey(key)) {
                throw Status.RESOURCE_EXHAUSTED
                        .withDescription(MAX_CLIENTS + " clients are being served, which is the limit; try later")
                        .asException();
            }
            Client client = clients.computeIfAbsent(key, absent -> new Client(granted.session()));
            client.turn.acquireUninterruptibly();
            if (!client.forgotten) {
                return client;
            }
            client.turn.release();
        }
    }

    /** Ends the client's session at once, whatever it does. */
    void disconnect(SqlGrant granted, String id) {
        Client client = clients.remove(new Key(granted, id));
        if (client != null) {
            client.session.close();
        }
    }

    /** Ends the sessions of clients that did not call for a while. */
    void forgetIdle() {
        long now = System.nanoTime();
        clients.forEach((key, client) -> {
            if (client.turn.tryAcquire()) {
                try {
                    if (now - client.usedNanos >= IDLE_NANOS) {
                        client.forgotten = true;
                        client.session.close();
                        clients.remove(key, client);
                    }
                } finally {
                    client.turn.release();
                }
            }
        });
    }

    void close() {
        clients.values().forEach(client -> client.session.close());
        clients.clear();
    }
}
