package dev.lockstep.server.hrana;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Statements that run one after the other, each if its condition holds. */
record Batch(List<Step> steps) {

    record Step(@Nullable Condition condition, Statement statement) {}
}
