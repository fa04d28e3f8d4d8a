package dev.lockstep.io;

import java.io.IOException;
import java.nio.file.Path;

/**
 * Absolute paths that name what the operating system takes the given one for. {@link Path#normalize} is not for that: it drops
 * {@code link/..}, which is the directory above the one that the link leads to.
 */
public final class RealPath {

    private RealPath() {}

    /** The path with its directory resolved, while the file itself may be absent, or a link whose own name counts. */
    public static Path of(Path file) {
        try {
            return resolved(file);
        } catch (IOException e) {
            return file.toAbsolutePath(); // opening it will say what is wrong with the directory
        }
    }

    /**
     * The same.
     *
     * @throws IOException if its directory cannot be resolved
     */
    public static Path resolved(Path file) throws IOException {
        Path absolute = file.toAbsolutePath();
        Path directory = absolute.getParent();
        return directory == null ? absolute : directory.toRealPath().resolve(absolute.getFileName());
    }
}
