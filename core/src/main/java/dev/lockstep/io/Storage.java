package dev.lockstep.io;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * The one seam between the log and the disk: a flat directory of files, so that tests can put a disk there that fails, tears
 * and forgets.
 */
public interface Storage {

    /** The files of a directory, which is made when the first file is created. */
    static Storage directory(Path directory) {
        return new DirectoryStorage(directory);
    }

    /** Makes a directory and those above it where they are missing, durably: otherwise a power loss could take it with all that it holds. */
    static void makeDirectory(Path directory) throws IOException {
        DirectoryStorage.make(directory.toAbsolutePath());
    }

    /** The full path or address of a file of that name, for messages. */
    String path(String name);

    /** The names of all files, in ascending order; empty when the directory does not exist. */
    List<String> list() throws IOException;

    /** Creates a file for reading and writing; fails when it exists. Its name is durable after {@link #syncDirectory}. */
    StoredFile create(String name) throws IOException;

    /** Opens an existing file for reading and writing. */
    StoredFile open(String name) throws IOException;

    /** Opens an existing file for reading. */
    StoredFile openForReading(String name) throws IOException;

    /** Deletes a file, durably after {@link #syncDirectory}. Those who have it open can go on reading. */
    void delete(String name) throws IOException;

    /** Makes two files of this storage durable, as {@link StoredFile#sync} does, in any order: both are synced when one fails, too. */
    void sync(StoredFile one, StoredFile other) throws IOException;

    /** Makes creations and deletions durable. */
    void syncDirectory() throws IOException;
}
