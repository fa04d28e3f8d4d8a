package dev.lockstep.server.hrana;

import dev.lockstep.server.sql.Outcome;
import dev.lockstep.server.sql.Query;
import dev.lockstep.server.sql.RowSink;
import dev.lockstep.server.sql.SqlFailure;
import dev.lockstep.server.sql.SqlSession;
import java.util.List;

/** Runs the steps of one batch in order, each if its condition holds. Not thread-safe. */
final class BatchRun {

    /** Takes what the steps bring. What it throws ends the batch, except from the rows, where it fails the step. */
    interface Sink {

        RowSink rows(int step);

        void succeeded(int step, Outcome outcome) throws SqlFailure;

        void failed(int step, HranaError error) throws SqlFailure;
    }

    private enum State {
        NOT_RUN,
        SUCCEEDED,
        FAILED
    }

    private final SqlSession session;
    private final StoredTexts texts;
    private final List<Batch.Step> steps;
    private final State[] states;

    BatchRun(SqlSession session, StoredTexts texts, Batch batch, Limits limits) throws SqlFailure {
        this.session = session;
        this.texts = texts;
        steps = batch.steps();
        if (steps.size() > limits.statements()) {
            throw SqlFailure.of(
                    "BATCH_TOO_LARGE",
                    "a batch of " + steps.size() + " steps; at most " + limits.statements() + " run");
        }
        states = new State[steps.size()];
        for (int i = 0; i < states.length; i++) {
            states[i] = State.NOT_RUN;
            Condition condition = steps.get(i).condition();
            if (condition != null) {
                requireEarlier(condition, i);
            }
        }
    }

    private static void requireEarlier(Condition condition, int step) throws SqlFailure {
        if (condition instanceof Condition.Ok ok) {
            requireEarlier(ok.step(), step);
        } else if (condition instanceof Condition.Failed failed) {
            requireEarlier(failed.step(), step);
        } else if (condition instanceof Condition.Not not) {
            requireEarlier(not.condition(), step);
        } else if (condition instanceof Condition.And and) {
            requireEarlier(and.conditions(), step);
        } else if (condition instanceof Condition.Or or) {
            requireEarlier(or.conditions(), step);
        }
    }

    private static void requireEarlier(List<Condition> conditions, int step) throws SqlFailure {
        for (Condition one : conditions) {
            requireEarlier(one, step);
        }
    }

    private static void requireEarlier(int referred, int step) throws SqlFailure {
        if (referred >= step) {
            throw SqlFailure.of(
                    "BATCH_COND_BAD_STEP",
                    "the condition of step " + step + " refers to step " + Integer.toUnsignedString(referred)
                            + ", which does not run before it");
        }
    }

    /** @throws SqlFailure what the sink threw */
    void run(Sink sink) throws SqlFailure {
        for (int i = 0; i < states.length; i++) {
            Condition condition = steps.get(i).condition();
            if (condition == null || holds(condition)) {
                run(i, sink);
            }
        }
    }

    private void run(int step, Sink sink) throws SqlFailure {
        Outcome outcome;
        try {
            outcome = session.execute(query(steps.get(step).statement(), texts), sink.rows(step));
        } catch (SqlFailure e) {
            states[step] = State.FAILED;
            sink.failed(step, HranaError.of(e));
            return;
        }
        states[step] = State.SUCCEEDED;
        sink.succeeded(step, outcome);
    }

    static Query query(Statement statement, StoredTexts texts) throws SqlFailure {
        return new Query(texts.resolve(statement.text()), statement.args(), statement.named(), statement.wantRows());
    }

    private boolean holds(Condition condition) {
        if (condition instanceof Condition.Ok ok) {
            return states[ok.step()] == State.SUCCEEDED;
        }
        if (condition instanceof Condition.Failed failed) {
            return states[failed.step()] == State.FAILED;
        }
        if (condition instanceof Condition.Not not) {
            return !holds(not.condition());
        }
        if (condition instanceof Condition.And and) {
            return and.conditions().stream().allMatch(this::holds);
        }
        if (condition instanceof Condition.Or or) {
            return or.conditions().stream().anyMatch(this::holds);
        }
        return session.isAutocommit();
    }
}
