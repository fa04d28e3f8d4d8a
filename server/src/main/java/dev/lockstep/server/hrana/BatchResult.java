package dev.lockstep.server.hrana;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What became of the steps of a batch.
 *
 * @param frameNo the frame that contains all that the batch wrote, or null
 */
record BatchResult(List<StepResult> steps, @Nullable Long frameNo) {

    /** Either a result or an error, or neither if the step was passed over. */
    record StepResult(
            @Nullable StatementResult result, @Nullable HranaError error) {

        static final StepResult SKIPPED = new StepResult(null, null);
    }
}
