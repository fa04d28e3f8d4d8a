package dev.lockstep.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Compares databases page by page, as a foreign SQLite reads them. */
public final class Databases {

    private Databases() {}

    /** Fails at the first page that differs. Both may be open and have a WAL; SQLite's online backup reads them. */
    public static void assertSamePages(Path actual, Path expected) throws IOException {
        Path actualPages = backup(actual);
        Path expectedPages = backup(expected);
        try {
            long difference = Files.mismatch(actualPages, expectedPages);
            if (Files.size(actualPages) != Files.size(expectedPages)) {
                throw new AssertionError(actual + " has " + Files.size(actualPages) + " bytes, " + expected + " "
                        + Files.size(expectedPages));
            }
            if (difference >= 0) {
                int pageSize = Integer.parseInt(Sqlite3.run(expected, "PRAGMA page_size;"));
                throw new AssertionError(actual + " differs from " + expected + " in page "
                        + (difference / pageSize + 1) + ", offset " + difference % pageSize);
            }
        } finally {
            Files.delete(actualPages);
            Files.delete(expectedPages);
        }
    }

    /** Runs SQLite's own check, and that of the workload's invariant; returns the workload's counter. */
    public static long assertSound(Path database) throws IOException {
        String answer = Sqlite3.run(database, "PRAGMA integrity_check;");
        if (!answer.equals("ok")) {
            throw new AssertionError(database + ": " + answer);
        }
        return Workload.check(Sqlite3.run(database, Workload.STATE + ";"));
    }

    /** All pages, but for counters in page 1 that a backup sets to the same values always. */
    private static Path backup(Path database) throws IOException {
        Path file = Files.createTempFile("lockstep-test-", ".db");
        Sqlite3.run(database, ".backup '" + file + "'");
        return file;
    }
}
