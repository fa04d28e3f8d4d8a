package dev.lockstep.server.hrana;

import dev.lockstep.server.sql.Column;
import dev.lockstep.server.sql.Outcome;
import dev.lockstep.server.sql.RowSink;
import dev.lockstep.server.sql.SqlFailure;
import dev.lockstep.server.sql.SqlSession;
import dev.lockstep.server.sql.Value;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One stream: requests and their responses, whatever the transport. Requests run one at a time, on threads that may block; cancel and close
 * may be called by others.
 */
final class SqlStream implements AutoCloseable {

    /** Takes the entries of a cursor, one by one; it may block, and it throws when nobody wants more. */
    interface EntrySink {
        void entry(CursorEntry entry) throws SqlFailure;
    }

    private static final Logger logger = LoggerFactory.getLogger(SqlStream.class);

    private final SqlSession session;
    private final StoredTexts texts;
    private final Limits limits;

    /** As the last request left it. Asking the session would wait for a request that runs. */
    private volatile boolean inTransaction;

    SqlStream(SqlSession session, StoredTexts texts, Limits limits) {
        this.session = session;
        this.texts = texts;
        this.limits = limits;
    }

    /**
     * Does what is asked; a failure is a response too.
     *
     * @param lease counts what the response holds
     */
    StreamResponse run(StreamRequest request, Memory.Lease lease) {
        try {
            return respond(request, lease);
        } catch (SqlFailure e) {
            return new StreamResponse.Failed(HranaError.of(e));
        } catch (RuntimeException e) {
            logger.error("a request failed unexpectedly", e);
            return new StreamResponse.Failed(HranaError.internal());
        } finally {
            inTransaction = !session.isAutocommit();
        }
    }

    private StreamResponse respond(StreamRequest request, Memory.Lease lease) throws SqlFailure {
        if (request instanceof StreamRequest.Execute execute) {
            CollectedRows rows = new CollectedRows(lease, limits.responseBytes());
            Outcome outcome = session.execute(BatchRun.query(execute.statement(), texts), rows);
            return new StreamResponse.Executed(new StatementResult(rows.columns(), rows.rows(), outcome));
        }
        if (request instanceof StreamRequest.RunBatch batch) {
            return new StreamResponse.BatchDone(collect(batch.batch(), lease));
        }
        if (request instanceof StreamRequest.Sequence sequence) {
            return new StreamResponse.SequenceDone(session.sequence(texts.resolve(sequence.text())));
        }
        if (request instanceof StreamRequest.Describe describe) {
            return new StreamResponse.Described(session.describe(texts.resolve(describe.text())));
        }
        if (request instanceof StreamRequest.StoreSql store) {
            texts.store(store.id(), store.sql());
            return new StreamResponse.Done(StreamResponse.Kind.STORE_SQL);
        }
        if (request instanceof StreamRequest.CloseSql close) {
            texts.close(close.id());
            return new StreamResponse.Done(StreamResponse.Kind.CLOSE_SQL);
        }
        if (request instanceof StreamRequest.GetAutocommit) {
            return new StreamResponse.Autocommit(session.isAutocommit());
        }
        session.close();
        return new StreamResponse.Done(StreamResponse.Kind.CLOSE);
    }

    private BatchResult collect(Batch batch, Memory.Lease lease) throws SqlFailure {
        Collector collector = new Collector(batch.steps().size(), lease);
        new BatchRun(session, texts, batch, limits).run(collector);
        return new BatchResult(collector.results, collector.frameNo);
    }

    /** Runs a batch and hands out what it brings while it runs. What goes wrong is an entry too. */
    void cursor(Batch batch, EntrySink sink) {
        try {
            try {
                new BatchRun(session, texts, batch, limits).run(new CursorFeeder(sink));
            } catch (SqlFailure e) {
                sink.entry(new CursorEntry.Failed(HranaError.of(e)));
            }
        } catch (RuntimeException e) {
            logger.error("a cursor failed unexpectedly", e);
            fail(sink);
        } catch (SqlFailure nobodyListens) {
            // The reader has gone, and it was the reader who was to be told.
        } finally {
            inTransaction = !session.isAutocommit();
        }
    }

    private static void fail(EntrySink sink) {
        try {
            sink.entry(new CursorEntry.Failed(HranaError.internal()));
        } catch (SqlFailure nobodyListens) {
            // As above.
        }
    }

    /** Whether a transaction is open, which others may wait for. From any thread, without waiting. */
    boolean holdsTransaction() {
        return inTransaction;
    }

    /** Interrupts what runs now. */
    void cancel() {
        session.cancel();
    }

    /** Ends the stream; what was not committed is rolled back. */
    @Override
    public void close() {
        session.close();
    }

    private final class Collector implements BatchRun.Sink {

        private final Memory.Lease lease;
        private final List<BatchResult.StepResult> results;
        private CollectedRows rows;
        private @Nullable Long frameNo;

        Collector(int steps, Memory.Lease lease) {
            this.lease = lease;
            results = new ArrayList<>(Collections.nCopies(steps, BatchResult.StepResult.SKIPPED));
            rows = new CollectedRows(lease, limits.responseBytes());
        }

        @Override
        public RowSink rows(int step) {
            rows = new CollectedRows(lease, limits.responseBytes());
            return rows;
        }

        @Override
        public void succeeded(int step, Outcome outcome) {
            if (outcome.frameNo() != null) {
                frameNo = outcome.frameNo();
            }
            StatementResult result = new StatementResult(rows.columns(), rows.rows(), outcome);
            results.set(step, new BatchResult.StepResult(result, null));
        }

        @Override
        public void failed(int step, HranaError error) {
            results.set(step, new BatchResult.StepResult(null, error));
        }
    }

    private static final class CursorFeeder implements BatchRun.Sink {

        private final EntrySink sink;

        CursorFeeder(EntrySink sink) {
            this.sink = sink;
        }

        @Override
        public RowSink rows(int step) {
            return new RowSink() {
                @Override
                public void columns(List<Column> columns) throws SqlFailure {
                    sink.entry(new CursorEntry.StepBegin(step, columns));
                }

                @Override
                public void row(List<Value> row) throws SqlFailure {
                    sink.entry(new CursorEntry.Row(row));
                }
            };
        }

        @Override
        public void succeeded(int step, Outcome outcome) throws SqlFailure {
            sink.entry(new CursorEntry.StepEnd(outcome));
        }

        @Override
        public void failed(int step, HranaError error) throws SqlFailure {
            sink.entry(new CursorEntry.StepError(step, error));
        }
    }
}
