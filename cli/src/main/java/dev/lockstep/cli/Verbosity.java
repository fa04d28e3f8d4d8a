package dev.lockstep.cli;

/**
 * How often {@code -v} was given to this process. Logging starts with the first logger, after the command line was read; until then
 * nothing of it is loaded.
 */
final class Verbosity {

    private static volatile int level;

    private Verbosity() {}

    static void set(int times) {
        level = times;
    }

    /** Without -v nothing is logged at all, for a command that says itself what went wrong. */
    static void hush() {
        if (level == 0) {
            level = -1;
        }
    }

    static int level() {
        return level;
    }

    /** Whether stack traces and what is merely informative are wanted. */
    static boolean isVerbose() {
        return level > 0;
    }
}
