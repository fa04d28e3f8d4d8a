package dev.lockstep.cli;

import dev.lockstep.UnsupportedException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;

/** Finds the log that a person means by a path. */
final class LogPath {

    private static final String SUFFIX = "-lockstep";
    private static final String LOG = "log";

    /** How every SQLite database begins. */
    private static final byte[] DATABASE = "SQLite format 3\0".getBytes(StandardCharsets.US_ASCII);

    private LogPath() {}

    /**
     * The directory of segments, or the file, that {@code path} stands for: itself; a primary's data directory stands for the log
     * in it, and a primary's database for its data directory.
     *
     * @throws UnsupportedException if there is something else
     */
    static Path resolve(Path path) throws IOException {
        if (Files.isDirectory(path)) {
            if (hasSegments(path)) {
                return path;
            }
            if (hasSegments(path.resolve(LOG))) {
                return path.resolve(LOG);
            }
            throw new UnsupportedException(
                    path + " holds no log: there is no .wallog file in it, nor in a directory " + LOG + " below it");
        }
        if (!Files.exists(path)) {
            throw new NoSuchFileException(path.toString());
        }
        Path data = dataDirectory(path);
        if (Files.isDirectory(data)) {
            return resolve(data);
        }
        if (Files.isRegularFile(data)) {
            throw new UnsupportedException(path + " is a replica, which keeps no log; verify the primary's, and see"
                    + " 'lockstep status " + path + "'");
        }
        if (isDatabase(path)) {
            throw new UnsupportedException(path + " is a database with no log beside it (" + data.getFileName()
                    + "); 'lockstep primary " + path + "' begins one. If --data put it elsewhere, name that directory");
        }
        Path replica = path.resolveSibling(String.valueOf(path.getFileName()).replaceFirst(SUFFIX + "$", ""));
        if (!replica.equals(path) && Files.exists(replica)) {
            throw new UnsupportedException(path + " is what makes " + replica
                    + " a replica, and no log; see 'lockstep status " + replica + "'");
        }
        return path;
    }

    private static boolean isDatabase(Path path) throws IOException {
        try (InputStream in = Files.newInputStream(path)) {
            return Arrays.equals(in.readNBytes(DATABASE.length), DATABASE);
        }
    }

    /** Where the primary of a database keeps its log, unless told otherwise; a replica has a file of that name. */
    static Path dataDirectory(Path database) {
        return database.resolveSibling(database.getFileName() + SUFFIX);
    }

    /** Whether a directory holds a log's segments. */
    static boolean hasSegments(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            return false;
        }
        try (Stream<Path> files = Files.list(directory)) {
            return files.anyMatch(file -> file.toString().endsWith(".wallog"));
        }
    }
}
