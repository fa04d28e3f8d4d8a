package dev.lockstep.log;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;

/** Files of libSQL that are handed around beside the project: LOCKSTEP_SHARED, or a directory "shared" above this one. */
final class SharedFiles {

    private SharedFiles() {}

    /** The file, or a skipped test that says why. */
    static Path libsql(String name) {
        Path file = directory().resolve("testdata/libsql").resolve(name);
        assumeTrue(Files.exists(file), () -> "SKIPPED: " + file + " is absent (set LOCKSTEP_SHARED)");
        return file;
    }

    private static Path directory() {
        String named = System.getProperty("lockstep.shared", System.getenv("LOCKSTEP_SHARED"));
        if (named != null) {
            return Path.of(named);
        }
        for (Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
            if (Files.isDirectory(at.resolve("shared/testdata"))) {
                return at.resolve("shared");
            }
        }
        return Path.of("shared");
    }
}
