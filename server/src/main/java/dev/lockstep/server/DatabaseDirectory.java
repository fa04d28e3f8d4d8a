package dev.lockstep.server;

import dev.lockstep.Primary;
import dev.lockstep.UnavailableException;
import dev.lockstep.UnsupportedException;
import dev.lockstep.io.ExclusiveFile;
import dev.lockstep.io.Storage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The databases of a server that are made and dropped while it runs, in one directory:
 *
 * <pre>
 * NAME/data.db            the database
 * NAME/data.db-lockstep/  its log
 * .dropped-UUID/          one that was being deleted; opening the directory goes on with that
 * </pre>
 *
 * Thread-safe.
 */
final class DatabaseDirectory implements AutoCloseable {

    private static final Logger logger = LoggerFactory.getLogger(DatabaseDirectory.class);

    /** No dot, so that a name is one label of a host; nothing that means something in a path. */
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_-]{0,62}");

    private static final String FILE = "data.db";

    /** What SQLite and Lockstep keep of a database. All else in its directory was put there by others, and is theirs. */
    private static final Set<String> OURS =
            Set.of(FILE, FILE + "-wal", FILE + "-shm", FILE + "-journal", FILE + "-lockstep");

    private static final String DROPPED = ".dropped-";

    private final Path directory;
    private final int limit;
    private final ExclusiveFile lock;

    /** Guarded by this. */
    private final TreeMap<String, Primary> open = new TreeMap<>();

    private DatabaseDirectory(Path directory, int limit, ExclusiveFile lock) {
        this.directory = directory;
        this.limit = limit;
        this.lock = lock;
    }

    /**
     * Opens all that are there, and leaves other directories alone; makes the directory if there is none.
     *
     * @param limit how many there may be
     * @throws UnavailableException if another server has it open
     */
    static DatabaseDirectory open(Path directory, int limit) throws IOException {
        Storage.makeDirectory(directory);
        DatabaseDirectory opened = new DatabaseDirectory(
                directory, limit, ExclusiveFile.open(directory.resolve(".lock"), "serves this directory of databases"));
        try {
            opened.openAll();
            return opened;
        } catch (IOException | RuntimeException e) {
            opened.close();
            throw e;
        }
    }

    private synchronized void openAll() throws IOException {
        for (Path entry : entries(directory)) {
            String name = String.valueOf(entry.getFileName());
            if (name.startsWith(DROPPED)) {
                delete(entry, entry);
            } else if (NAME.matcher(name).matches() && Files.exists(entry.resolve(FILE))) {
                open.put(name, primary(name));
            }
        }
    }

    private static List<Path> entries(Path directory) throws IOException {
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.toList();
        }
    }

    private Primary primary(String name) throws IOException {
        return Primary.of(directory.resolve(name).resolve(FILE)).name(name).open();
    }

    synchronized boolean contains(String name) {
        return open.containsKey(name);
    }

    synchronized List<Primary> all() {
        return List.copyOf(open.values());
    }

    /**
     * Makes an empty database.
     *
     * @throws UnsupportedException if the name cannot be one, or there are as many as there may be
     * @throws IllegalStateException if there is one of that name
     */
    synchronized Primary create(String name) throws IOException {
        if (!NAME.matcher(name).matches()) {
            throw new UnsupportedException(
                    "\"" + name
                            + "\" cannot be a name: letters, digits, - and _ are possible, 63 at most, and a letter or digit first");
        }
        if (open.containsKey(name)) {
            throw new IllegalStateException("there is a database " + name + " already");
        }
        if (open.size() >= limit) {
            throw new UnsupportedException(
                    "there are " + limit + " databases, which is the limit; drop one, or raise the limit");
        }
        Path home = directory.resolve(name);
        Storage.makeDirectory(home);
        if (!ofOthers(home).isEmpty()) {
            throw new UnsupportedException(home + " is there already, with other things in it; choose another name");
        }
        Primary made = primary(name);
        open.put(name, made);
        return made;
    }

    /** Names in a database's directory that neither SQLite nor Lockstep made. */
    private static List<String> ofOthers(Path home) throws IOException {
        return entries(home).stream()
                .map(entry -> String.valueOf(entry.getFileName()))
                .filter(name -> !OURS.contains(name))
                .sorted()
                .toList();
    }

    /** Closes a database and deletes it for good. Nobody may use it any more. Files of others in its directory stay where they are. */
    synchronized void drop(String name) throws IOException {
        Primary dropped = open.remove(name);
        if (dropped != null) {
            dropped.close();
            Path doomed = directory.resolve(DROPPED + UUID.randomUUID());
            Path home = directory.resolve(name);
            Files.move(home, doomed);
            delete(doomed, home);
        }
    }

    /**
     * The database file is emptied first: its descriptor stays open in this process ({@code sqlite.LiveDatabase}), and would keep the
     * space.
     *
     * @param home where the directory goes if others have files in it
     */
    private static void delete(Path doomed, Path home) throws IOException {
        Path database = doomed.resolve(FILE);
        if (Files.exists(database)) {
            Files.newByteChannel(database, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)
                    .close();
        }
        for (Path entry : entries(doomed)) {
            if (OURS.contains(String.valueOf(entry.getFileName()))) {
                deleteAll(entry);
            }
        }
        List<String> ofOthers = ofOthers(doomed);
        if (ofOthers.isEmpty()) {
            Files.delete(doomed);
        } else {
            Files.move(doomed, home);
            logger.warn("{}: the database was dropped; files of others stay: {}", home, String.join(", ", ofOthers));
        }
    }

    private static void deleteAll(Path path) throws IOException {
        try (Stream<Path> all = Files.walk(path)) {
            List<Path> paths = all.toList();
            for (int i = paths.size() - 1; i >= 0; i--) {
                Files.delete(paths.get(i));
            }
        }
    }

    @Override
    public synchronized void close() throws IOException {
        try {
            for (Primary primary : open.values()) {
                primary.close();
            }
        } finally {
            lock.close();
        }
    }
}
