package dev.lockstep.cli;

import java.io.PrintStream;
import java.util.concurrent.TimeUnit;

/**
 * Standard error, where progress and reports go: on a terminal one line is kept up to date in place; elsewhere (a file, a
 * journal) the same line is printed only now and then.
 *
 * <p>Thread-safe.
 */
final class Terminal {

    /** Set by the launcher to the terminal's width, when standard error is one; a JVM cannot tell. */
    private static final String COLUMNS = "lockstep.columns";

    private static final String ERASE = "\r\u001b[K";
    private static final long PLAIN_EVERY_NANOS = TimeUnit.SECONDS.toNanos(10);

    private static final Terminal STANDARD_ERROR = new Terminal(System.err, Integer.getInteger(COLUMNS, 0));

    private final PrintStream err;
    private final int columns;
    private String shown = "";
    private String plain = "";
    private long plainAt = System.nanoTime();

    /** @param columns the width, or 0 if it is not a terminal */
    Terminal(PrintStream err, int columns) {
        this.err = err;
        this.columns = columns;
    }

    /** The process's own; one for all, so that reports do not run into the progress line. */
    static Terminal standardError() {
        return STANDARD_ERROR;
    }

    boolean isTerminal() {
        return columns > 0;
    }

    /** Its width, or 0 if it is not a terminal. */
    int columns() {
        return columns;
    }

    /**
     * Shows the state of things: in place of what was shown before, or elsewhere as a line, if the last one is some seconds old and
     * said something else.
     */
    synchronized void show(String line) {
        if (isTerminal()) {
            String fitting = line.length() < columns ? line : line.substring(0, columns - 1);
            if (!fitting.equals(shown)) {
                shown = fitting;
                err.print(ERASE + shown);
                err.flush();
            }
        } else if (System.nanoTime() - plainAt >= PLAIN_EVERY_NANOS && !line.equals(plain)) {
            plain = line;
            plainAt = System.nanoTime();
            err.println(line);
        }
    }

    /** Removes what is shown, so that other output can follow. */
    synchronized void clear() {
        if (!shown.isEmpty()) {
            err.print(ERASE);
            err.flush();
            shown = "";
        }
    }

    /** Prints a line that stays, above the one that is kept up to date. */
    synchronized void report(String line) {
        String kept = shown;
        clear();
        err.println(line);
        if (!kept.isEmpty()) {
            show(kept);
        }
    }
}
