package dev.lockstep.server.libsql;

import dev.lockstep.UnavailableException;
import dev.lockstep.server.libsql.v1.ProxyProto.Cond;
import dev.lockstep.server.libsql.v1.ProxyProto.Program;
import dev.lockstep.server.libsql.v1.ProxyProto.Step;
import dev.lockstep.server.sql.NamedValue;
import dev.lockstep.server.sql.Outcome;
import dev.lockstep.server.sql.Query;
import dev.lockstep.server.sql.RowSink;
import dev.lockstep.server.sql.SqlFailure;
import dev.lockstep.server.sql.SqlSession;
import dev.lockstep.server.sql.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** Statements that are run one after the other, some only on a condition. Made once, run once; not thread-safe. */
final class SqlProgram {

    /** Takes the results, step by step: {@code begin}, rows, then {@code finish}, {@code fail} or {@code skip}. */
    interface Results extends RowSink {

        void begin();

        void finish(Outcome outcome);

        void fail(SqlFailure failure);

        /** Instead of all the others, for a step whose condition does not hold. */
        void skip();
    }

    private record Statement(@Nullable Cond cond, Query query) {}

    private enum Result {
        OK,
        ERROR,
        SKIPPED
    }

    private final List<Statement> statements = new ArrayList<>();
    private final List<Result> results = new ArrayList<>();
    private boolean committed;
    private @Nullable Long frameNo;

    /** @throws IllegalArgumentException if a message in it makes no sense */
    SqlProgram(Program program) {
        for (Step step : program.getStepsList()) {
            if (step.hasCond()) {
                requireValid(step.getCond(), statements.size());
            }
            statements.add(new Statement(step.hasCond() ? step.getCond() : null, query(step)));
        }
    }

    private static Query query(Step step) {
        var query = step.getQuery();
        List<Value> args = query.getPositional().getValuesList().stream()
                .map(ValueCodec::decode)
                .toList();
        var named = query.getNamed();
        if (named.getNamesCount() != named.getValuesCount()) {
            throw new IllegalArgumentException(
                    named.getNamesCount() + " names of parameters with " + named.getValuesCount() + " values");
        }
        List<NamedValue> values = new ArrayList<>();
        for (int i = 0; i < named.getNamesCount(); i++) {
            values.add(new NamedValue(named.getNames(i), ValueCodec.decode(named.getValues(i))));
        }
        return new Query(query.getStmt(), args, values, !query.getSkipRows());
    }

    private static void requireValid(Cond cond, int step) {
        switch (cond.getCondCase()) {
            case OK -> requireEarlier(cond.getOk().getStep(), step);
            case ERR -> requireEarlier(cond.getErr().getStep(), step);
            case NOT -> requireValid(cond.getNot().getCond(), step);
            case AND -> cond.getAnd().getCondsList().forEach(one -> requireValid(one, step));
            case OR -> cond.getOr().getCondsList().forEach(one -> requireValid(one, step));
            case IS_AUTOCOMMIT -> {}
            case COND_NOT_SET -> throw new IllegalArgumentException("step " + step + " has a condition of no kind");
        }
    }

    private static void requireEarlier(long asked, int step) {
        if (asked < 0 || asked >= step) {
            throw new IllegalArgumentException(
                    "the condition of step " + step + " asks for step " + asked + ", which does not come before it");
        }
    }

    /**
     * Runs the steps, unless {@code stopped} says that nobody waits for them any more.
     *
     * @return the frame of the last write that it committed, or null
     * @throws UnavailableException if it committed a write whose frame is not known, so that no replica can wait for it
     */
    @Nullable
    Long run(SqlSession session, Results sink, BooleanSupplier stopped) throws UnavailableException {
        for (Statement statement : statements) {
            if (stopped.getAsBoolean()) {
                break;
            }
            if (statement.cond == null || holds(statement.cond, session)) {
                results.add(run(statement, session, sink));
            } else {
                sink.skip();
                results.add(Result.SKIPPED);
            }
        }
        if (committed && frameNo == null) {
            throw new UnavailableException(
                    "the write is committed, but it is not captured, so that replicas do not get it yet;"
                            + " 'lockstep status' tells why");
        }
        return frameNo;
    }

    private Result run(Statement statement, SqlSession session, Results sink) {
        sink.begin();
        try {
            Outcome outcome = session.execute(statement.query, sink);
            if (outcome.committed()) {
                committed = true;
                frameNo = outcome.frameNo();
            }
            sink.finish(outcome);
            return Result.OK;
        } catch (SqlFailure failure) {
            sink.fail(failure);
            return Result.ERROR;
        }
    }

    private boolean holds(Cond cond, SqlSession session) {
        return switch (cond.getCondCase()) {
            case OK -> results.get((int) cond.getOk().getStep()) == Result.OK;
            case ERR -> results.get((int) cond.getErr().getStep()) == Result.ERROR;
            case NOT -> !holds(cond.getNot().getCond(), session);
            case AND -> cond.getAnd().getCondsList().stream().allMatch(one -> holds(one, session));
            case OR -> cond.getOr().getCondsList().stream().anyMatch(one -> holds(one, session));
            case IS_AUTOCOMMIT -> session.isAutocommit();
            case COND_NOT_SET -> throw new IllegalStateException("conditions were checked before");
        };
    }
}
