package dev.lockstep.server;

import dev.lockstep.log.FrameLog;
import dev.lockstep.log.LogStart;
import dev.lockstep.stream.Publication;
import io.grpc.Status;
import io.grpc.StatusException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The databases of one server by name. Immutable. */
final class Databases {

    private final Map<String, Hosted> byName = new TreeMap<>();

    Databases(List<Hosted> hosted) {
        for (Hosted one : hosted) {
            if (byName.put(one.name(), one) != null) {
                throw new IllegalArgumentException("two databases are named " + one.name() + "; name one of them anew");
            }
        }
    }

    /**
     * The database of that name, or the only one if the name is empty.
     *
     * @throws StatusException NOT_FOUND, which tells the names there are
     */
    Hosted find(String name) throws StatusException {
        Hosted found = name.isEmpty() && byName.size() == 1
                ? byName.values().iterator().next()
                : byName.get(name);
        if (found == null) {
            String problem =
                    name.isEmpty() ? "the URL has to name a database" : "there is no database \"" + name + "\"";
            throw Status.NOT_FOUND
                    .withDescription(problem + "; served here: " + String.join(", ", byName.keySet()))
                    .asException();
        }
        return found;
    }

    /** @param name of one database, or empty for all */
    ServerStatus status(String name) throws StatusException {
        List<Hosted> asked = name.isEmpty() ? List.copyOf(byName.values()) : List.of(find(name));
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
