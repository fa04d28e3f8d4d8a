package dev.lockstep.server;

import dev.lockstep.log.FrameLog;
import dev.lockstep.log.LogStart;
import dev.lockstep.server.auth.Rights;
import dev.lockstep.server.libsql.RequestedDatabase;
import dev.lockstep.server.libsql.UnknownDatabaseException;
import dev.lockstep.server.sql.SqlGrant;
import dev.lockstep.stream.Publication;
import java.util.List;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The databases of one server by name; they come and go. Thread-safe. */
final class Databases {

    /** The database that is meant where none is named and there are several. */
    static final String DEFAULT = "default";

    private final ConcurrentSkipListMap<String, Hosted> byName = new ConcurrentSkipListMap<>();
    private final boolean fixed;

    /**
     * @param fixed whether they stay as they are, so that one alone may be meant by whatever the host says; where databases
     *     come and go, a client of one that was dropped must not get another
     */
    Databases(boolean fixed) {
        this.fixed = fixed;
    }

    /** @throws IllegalArgumentException if there is one of that name */
    void add(Hosted hosted) {
        if (byName.putIfAbsent(hosted.name(), hosted) != null) {
            throw new IllegalArgumentException("two databases are named " + hosted.name() + "; name one of them anew");
        }
    }

    /** Ends the sessions of its clients, and lets nobody find it any more. */
    void remove(String name) {
        Hosted removed = byName.remove(name);
        if (removed != null) {
            removed.close();
        }
    }

    boolean contains(String name) {
        return byName.containsKey(name);
    }

    List<Hosted> all() {
        return List.copyOf(byName.values());
    }

    /**
     * The database of that name; if the name is empty the only one there can be, or the one named {@link #DEFAULT}. Those that a client
     * may not read are not there for it.
     */
    Hosted find(String name, Rights rights) throws UnknownDatabaseException {
        Hosted found = name.isEmpty() ? defaultDatabase() : byName.get(name);
        if (found == null || !rights.mayRead(found.name())) {
            String problem =
                    name.isEmpty() ? "the URL has to name a database" : "there is no database \"" + name + "\"";
            String readable = byName.keySet().stream().filter(rights::mayRead).collect(Collectors.joining(", "));
            throw new UnknownDatabaseException(
                    problem + (readable.isEmpty() ? ", or this token is not for it" : "; served here: " + readable));
        }
        return found;
    }

    /** The database that a request of a libSQL client means. */
    Hosted find(RequestedDatabase request, Rights rights) throws UnknownDatabaseException {
        boolean named = contains(request.name());
        return find(!named && request.fromHost() && isAlone() ? "" : request.name(), rights);
    }

    /** SQL on the database that a request means. */
    SqlGrant findSql(RequestedDatabase request, Rights rights) throws UnknownDatabaseException {
        Hosted found = find(request, rights);
        if (found.sql() == null) {
            throw new UnknownDatabaseException("database \"" + found.name() + "\" takes no SQL here");
        }
        return new SqlGrant(found.sql(), rights.mayWrite(found.name()));
    }

    private @Nullable Hosted defaultDatabase() {
        return isAlone() ? byName.firstEntry().getValue() : byName.get(DEFAULT);
    }

    private boolean isAlone() {
        return fixed && byName.size() == 1;
    }

    /** @param name of one database, or empty for all that may be read */
    ServerStatus status(String name, Rights rights) throws UnknownDatabaseException {
        List<Hosted> asked = name.isEmpty()
                ? all().stream().filter(one -> rights.mayRead(one.name())).toList()
                : List.of(find(name, rights));
        return new ServerStatus(
                LockstepServer.version(),
                System.currentTimeMillis(),
                asked.stream().map(Databases::status).toList());
    }

    private static ServerStatus.Database status(Hosted hosted) {
        Publication publication = hosted.publication();
        FrameLog log = publication.origin().log();
        LogStart start = log.start();
        return new ServerStatus.Database(
                hosted.name(),
                start.logId(),
                start.pageSize(),
                log.head(),
                log.durable(),
                log.extent(),
                hosted.capture().get(),
                publication.replicas(),
                publication.refusals());
    }
}
