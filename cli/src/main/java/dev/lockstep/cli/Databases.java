package dev.lockstep.cli;

import dev.lockstep.Primary;
import dev.lockstep.UnsupportedException;
import dev.lockstep.io.RealPath;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** How databases are opened, and what is refused before SQLite gets to see a path, so that a slip of the keyboard makes no files. */
final class Databases {

    private Databases() {}

    static void requireExists(Path database) throws UnsupportedException {
        if (!Files.exists(database)) {
            throw new UnsupportedException(
                    database + ": no such database; check the path. 'lockstep primary --create' begins an empty one");
        }
        requireNoDirectory(database);
    }

    private static void requireNoDirectory(Path file) throws UnsupportedException {
        if (Files.isDirectory(file)) {
            throw new UnsupportedException(file + " is a directory; name the database file");
        }
    }

    /** Shows how far it is where the whole database has to be read. */
    static Primary open(Primary.Builder builder, Path database, Terminal terminal) throws IOException {
        String what = "opening " + database;
        terminal.show(what);
        try (ProgressBar bar = new ProgressBar(terminal, what)) {
            return builder.progress(bar).open();
        }
    }

    static void requireDifferent(Path database, Path copy) throws IOException {
        boolean same = RealPath.of(database).equals(RealPath.of(copy))
                || (Files.exists(database) && Files.exists(copy) && Files.isSameFile(database, copy));
        if (same) {
            throw new UnsupportedException(copy + " is the database itself; choose another path for the copy");
        }
    }

    /** The directory that a new file is to stand in must be there: a mistyped one is not to be made. */
    static void requireDirectoryFor(Path file) throws UnsupportedException {
        Path directory = file.toAbsolutePath().getParent();
        requireNoDirectory(file);
        if (directory != null && !Files.isDirectory(directory)) {
            throw new UnsupportedException(file + ": there is no directory " + directory + "; make it first");
        }
        if (directory != null && !Files.isWritable(directory)) {
            throw new UnsupportedException(
                    file + ": you may not write into " + directory + ", where it needs files beside it");
        }
    }
}
