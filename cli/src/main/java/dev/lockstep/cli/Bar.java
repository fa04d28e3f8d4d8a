package dev.lockstep.cli;

import java.util.Locale;

/** How far something of known size is, in one line. */
final class Bar {

    private static final int MAX_WIDTH = 24;

    private Bar() {}

    /**
     * @param columns of the terminal; 0 where there is none to draw a bar on, and the numbers are enough
     * @param bytesPerSecond 0 where it is not known
     */
    static String line(String what, int columns, long done, long total, double bytesPerSecond) {
        double part = total <= 0 ? 1 : Math.min(1.0, (double) done / total);
        long left = Math.max(0, total - done);
        String numbers = String.format(
                Locale.ROOT,
                "%3d%%   %s of %s   %s%s",
                (int) (100 * part),
                Formats.bytes(Math.min(done, total)),
                Formats.bytes(total),
                Formats.perSecond(bytesPerSecond),
                left > 0 && bytesPerSecond > 0
                        ? "   " + Formats.duration(1000 * (long) Math.ceil(left / bytesPerSecond)) + " left"
                        : "");
        String name = String.format("%-10s ", what);
        int space = columns - 1 - name.length() - numbers.length() - "[] ".length();
        return name + (space > 0 ? drawing(part, Math.min(space, MAX_WIDTH)) + " " : "") + numbers;
    }

    private static String drawing(double part, int width) {
        int full = (int) (width * part);
        return "[" + "=".repeat(full) + (full < width ? ">" + " ".repeat(width - full - 1) : "") + "]";
    }
}
