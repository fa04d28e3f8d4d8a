package dev.lockstep.server.hrana;

import dev.lockstep.server.sql.Column;
import dev.lockstep.server.sql.Outcome;
import dev.lockstep.server.sql.Value;
import java.util.List;

/** One piece of what a batch brings, as a cursor hands it out. */
sealed interface CursorEntry {

    record StepBegin(int step, List<Column> columns) implements CursorEntry {}

    record Row(List<Value> values) implements CursorEntry {}

    record StepEnd(Outcome outcome) implements CursorEntry {}

    record StepError(int step, HranaError error) implements CursorEntry {}

    /** The batch ends here, with this reason. */
    record Failed(HranaError error) implements CursorEntry {}
}
