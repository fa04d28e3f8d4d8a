package dev.lockstep.cli;

import java.util.Locale;

/** How far something of known size is, in one line. */
final class Bar {

    private static final int WIDTH = 24;

    private Bar() {}

    /**
     * @param drawn whether there is a terminal to draw a bar on; elsewhere the numbers are enough
     * @param bytesPerSecond 0 where it is not known
     */
    static String line(String what, boolean drawn, long done, long total, double bytesPerSecond) {
        double part = total <= 0 ? 1 : Math.min(1.0, (double) done / total);
        long left = Math.max(0, total - done);
        return String.format(
                Locale.ROOT,
                "%-10s %s%3d%%   %s of %s   %s%s",
                what,
                drawn ? drawing(part) + " " : "",
                (int) (100 * part),
                Formats.bytes(Math.min(done, total)),
                Formats.bytes(total),
                Formats.perSecond(bytesPerSecond),
                left > 0 && bytesPerSecond > 0
                        ? "   " + Formats.duration(1000 * (long) Math.ceil(left / bytesPerSecond)) + " left"
                        : "");
    }

    private static String drawing(double part) {
        int full = (int) (WIDTH * part);
        return "[" + "=".repeat(full) + (full < WIDTH ? ">" + " ".repeat(WIDTH - full - 1) : "") + "]";
    }
}
