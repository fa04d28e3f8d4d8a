package dev.lockstep;

import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Programs of the machine that some tests need: the sqlite3 shell, a C compiler. */
public final class Programs {

    private Programs() {}

    /**
     * Skips the calling test, with a message, when one of the programs is not on the PATH. Where everything was promised to be
     * there ({@code -Dlockstep.requireTools=true}, which {@code ./dev test} passes when CI is set), it fails the test instead.
     */
    public static void require(String... names) {
        List<String> missing = new ArrayList<>();
        for (String name : names) {
            if (!isOnPath(name)) {
                missing.add(name);
            }
        }
        if (!missing.isEmpty()) {
            skip("SKIPPED: this test needs " + missing + " on the PATH");
        }
    }

    /** Does the same where a file or directory is missing. */
    public static void requirePath(Path path, String what) {
        if (!Files.exists(path)) {
            skip("SKIPPED: this test needs the " + what + ", at " + path);
        }
    }

    private static void skip(String message) {
        if (Boolean.getBoolean("lockstep.requireTools")) {
            fail(message + ", and -Dlockstep.requireTools allows no skipping");
        }
        abort(message);
    }

    private static boolean isOnPath(String name) {
        String path = System.getenv("PATH");
        if (path == null) {
            return false;
        }
        for (String directory : path.split(File.pathSeparator)) {
            if (Files.isExecutable(Path.of(directory, name))) {
                return true;
            }
        }
        return false;
    }
}
