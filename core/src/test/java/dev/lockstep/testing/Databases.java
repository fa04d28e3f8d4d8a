package dev.lockstep.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** Compares databases page by page, as a foreign SQLite reads them. */
public final class Databases {

    private Databases() {}

    /** Fails at the first page that differs. Both may be open and have a WAL; SQLite's online backup reads them. */
    public static void assertSamePages(Path actual, Path expected) throws IOException {
        byte[] actualBytes = backup(actual);
        byte[] expectedBytes = backup(expected);
        if (actualBytes.length != expectedBytes.length) {
            throw new AssertionError(
                    actual + " has " + actualBytes.length + " bytes, " + expected + " " + expectedBytes.length);
        }
        int difference = Arrays.mismatch(actualBytes, expectedBytes);
        if (difference >= 0) {
            int stored = (expectedBytes[16] & 0xff) << 8 | (expectedBytes[17] & 0xff);
            int pageSize = stored == 1 ? 65536 : stored;
            throw new AssertionError(actual + " differs from " + expected + " in page " + (difference / pageSize + 1)
                    + ", offset " + difference % pageSize);
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
    private static byte[] backup(Path database) throws IOException {
        Path file = Files.createTempFile("lockstep-test-", ".db");
        try {
            Sqlite3.run(database, ".backup '" + file + "'");
            return Files.readAllBytes(file);
        } finally {
            Files.delete(file);
        }
    }
}
