package dev.lockstep.sqlite;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import org.jspecify.annotations.Nullable;

/**
 * Which file stood at a path.
 *
 * @param inode equal for the same file, also under another name
 */
record PlacedFile(Path path, Object inode) {

    /** The one that stands there now. */
    static PlacedFile at(Path path) throws IOException {
        @Nullable
        Object inode = Files.readAttributes(path, BasicFileAttributes.class).fileKey();
        return new PlacedFile(path, inode != null ? inode : path.toRealPath());
    }

    /** Whether it still stands there; no, after it was deleted, renamed or replaced by another. */
    boolean isInPlace() {
        try {
            return at(path).equals(this);
        } catch (IOException e) {
            return false;
        }
    }
}
