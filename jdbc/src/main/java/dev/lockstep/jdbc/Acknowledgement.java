package dev.lockstep.jdbc;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a commit on a primary waits for, beyond what SQLite itself does.
 *
 * @param durable whether Lockstep's log has it on disk here
 * @param replicas how many replicas must have applied it to their files, which may not be on disk there yet
 */
public record Acknowledgement(boolean durable, int replicas) {

    /** Waits for nothing. */
    public static final Acknowledgement NONE = new Acknowledgement(false, 0);

    /** Waits until the transaction is in the log on disk. */
    public static final Acknowledgement DURABLE = new Acknowledgement(true, 0);

    private static final Pattern REPLICAS = Pattern.compile("replicas\\(([1-9][0-9]{0,2})\\)");

    public Acknowledgement {
        if (replicas < 0 || (replicas > 0 && !durable)) {
            throw new IllegalArgumentException("what replicas have is durable here as well");
        }
    }

    /** Waits until the transaction is in the log on disk, and {@code n} replicas, at least one, have applied it. */
    public static Acknowledgement replicas(int n) {
        if (n < 1) {
            throw new IllegalArgumentException(n + " replicas: at least 1 is needed");
        }
        return new Acknowledgement(true, n);
    }

    /** @throws IllegalArgumentException if the text is none of {@code none}, {@code durable}, {@code replicas(N)} */
    public static Acknowledgement parse(String text) {
        Matcher several = REPLICAS.matcher(text);
        if (several.matches()) {
            return replicas(Integer.parseInt(several.group(1)));
        }
        return switch (text) {
            case "none" -> NONE;
            case "durable" -> DURABLE;
            default ->
                throw new IllegalArgumentException(
                        "ack=" + text + " is none of none, durable, replicas(N) with N from 1");
        };
    }

    @Override
    public String toString() {
        return replicas > 0 ? "replicas(" + replicas + ")" : durable ? "durable" : "none";
    }
}
