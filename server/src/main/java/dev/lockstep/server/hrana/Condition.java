package dev.lockstep.server.hrana;

import java.util.List;

/** BatchCond: whether a step of a batch is to run, by what became of the steps before it. */
sealed interface Condition {

    /** The step ran and succeeded. */
    record Ok(int step) implements Condition {}

    /** The step ran and failed. */
    record Failed(int step) implements Condition {}

    record Not(Condition condition) implements Condition {}

    record And(List<Condition> conditions) implements Condition {}

    record Or(List<Condition> conditions) implements Condition {}

    /** No transaction is open. */
    record IsAutocommit() implements Condition {}
}
