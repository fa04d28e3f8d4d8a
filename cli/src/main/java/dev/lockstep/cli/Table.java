package dev.lockstep.cli;

import java.io.PrintWriter;

/** Answers in two columns: a name and what there is to say. */
final class Table {

    private Table() {}

    static void line(PrintWriter out, String name, String value) {
        out.printf("  %-12s  %s%n", name, value);
    }
}
