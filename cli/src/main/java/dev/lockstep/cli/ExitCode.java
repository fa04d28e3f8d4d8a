package dev.lockstep.cli;

import dev.lockstep.CorruptException;
import dev.lockstep.DivergedException;
import dev.lockstep.NeedsSnapshotException;
import dev.lockstep.NotAReplicaException;
import dev.lockstep.RefusedException;
import dev.lockstep.UnavailableException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/** How a command ends, for the scripts that call it. Each code calls for another action of the caller. */
enum ExitCode {
    OK(0, "Success; a command that serves until it is stopped was stopped"),
    FAILURE(1, "It failed, and the message says why"),
    USAGE(2, "The command line is wrong"),
    REFUSED(3, "Damage was found, or a replica refused what it was sent"),
    DIVERGED(4, "The replica's history is not the primary's"),
    NOT_A_REPLICA(5, "The target is not a replica of this log; nothing was changed"),
    UNAVAILABLE(6, "The other side, or a lock, could not be had; trying again may succeed"),
    NEEDS_COPY(7, "The primary's log no longer reaches back to the replica; --force copies anew");

    private final int code;
    private final String meaning;

    ExitCode(int code, String meaning) {
        this.code = code;
        this.meaning = meaning;
    }

    int code() {
        return code;
    }

    static ExitCode of(Throwable failure) {
        if (failure instanceof RefusedException refused) {
            return refused.kind() == RefusedException.Kind.FOREIGN_LOG ? NOT_A_REPLICA : REFUSED;
        }
        if (failure instanceof CorruptException) {
            return REFUSED;
        }
        if (failure instanceof DivergedException) {
            return DIVERGED;
        }
        if (failure instanceof NotAReplicaException) {
            return NOT_A_REPLICA;
        }
        if (failure instanceof UnavailableException) {
            return UNAVAILABLE;
        }
        return failure instanceof NeedsSnapshotException ? NEEDS_COPY : FAILURE;
    }

    /** Codes and meanings, in order, as the help texts show them. */
    static Map<String, String> meanings() {
        Map<String, String> meanings = new LinkedHashMap<>();
        Arrays.stream(values()).forEach(value -> meanings.put(" " + value.code, value.meaning));
        return meanings;
    }
}
