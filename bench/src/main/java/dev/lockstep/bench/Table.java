package dev.lockstep.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What was measured, as Markdown rows: a baseline, Lockstep, their ratio, and the target for it. */
final class Table {

    private final List<String> rows = new ArrayList<>();

    Table() {
        rows.add("| Measured | Baseline | Lockstep | Ratio | Target |");
        rows.add("|---|---|---|---|---|");
    }

    /** Adds a comparison; the ratio is Lockstep's figure divided by the baseline's. */
    void row(String what, String format, double baseline, double lockstep, String target) {
        add(what, number(format, baseline), number(format, lockstep), number("%.2f", lockstep / baseline), target);
    }

    /** Adds a figure that stands alone. */
    void row(String what, String format, double lockstep, String target) {
        add(what, "", number(format, lockstep), "", target);
    }

    private static String number(String format, double value) {
        return String.format(Locale.ROOT, format, value);
    }

    private void add(String what, String baseline, String lockstep, String ratio, String target) {
        String row = "| " + String.join(" | ", what, baseline, lockstep, ratio, target) + " |";
        rows.add(row);
        System.err.println(row);
    }

    @Override
    public String toString() {
        return String.join("\n", rows);
    }
}
