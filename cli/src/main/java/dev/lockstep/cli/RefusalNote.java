package dev.lockstep.cli;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/**
 * Why a replica stopped for good, kept beside it ({@code copy.db-lockstep-refused}, a file of properties) until it goes on, so that
 * {@code status} can tell it after the process has ended.
 *
 * @param outcome the kind of failure, as its exit code names it
 */
record RefusalNote(long timeMillis, ExitCode outcome, String message) {

    private static final String SUFFIX = "-lockstep-refused";

    static void write(Path replica, RefusalNote note) throws IOException {
        Properties properties = new Properties();
        properties.setProperty("time", Long.toString(note.timeMillis));
        properties.setProperty("outcome", note.outcome.name());
        properties.setProperty("message", note.message);
        try (BufferedWriter out = Files.newBufferedWriter(file(replica))) {
            properties.store(out, "Why this replica stopped; removed when it goes on");
        }
    }

    /** The note beside a replica, or null if it did not stop for good or has gone on since. */
    static @Nullable RefusalNote read(Path replica) throws IOException {
        if (!Files.exists(file(replica))) {
            return null;
        }
        Properties properties = new Properties();
        try (BufferedReader in = Files.newBufferedReader(file(replica))) {
            properties.load(in);
        }
        return new RefusalNote(
                Long.parseLong(properties.getProperty("time", "0")),
                ExitCode.valueOf(properties.getProperty("outcome", ExitCode.FAILURE.name())),
                properties.getProperty("message", ""));
    }

    static void remove(Path replica) throws IOException {
        Files.deleteIfExists(file(replica));
    }

    /** Beside the replica itself, where its other files are, also if it is named through a symbolic link. */
    private static Path file(Path replica) throws IOException {
        Path real = Files.exists(replica) ? replica.toRealPath() : replica;
        return real.resolveSibling(real.getFileName() + SUFFIX);
    }
}
