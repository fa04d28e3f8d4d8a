package dev.lockstep.server.hrana;

import dev.lockstep.server.hrana.v3.HranaProto;
import dev.lockstep.server.sql.NamedValue;
import dev.lockstep.server.sql.Value;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Requests in Protobuf: from the messages of hrana.proto, whose rules these methods check. */
final class ProtobufReader {

    private interface Element<P, T> {
        T read(P message) throws ProtocolException;
    }

    private ProtobufReader() {}

    static Pipeline.Request pipelineRequest(HranaProto.PipelineReqBody body) throws ProtocolException {
        return new Pipeline.Request(
                body.hasBaton() ? body.getBaton() : null, all(body.getRequestsList(), ProtobufReader::streamRequest));
    }

    static Pipeline.CursorRequest cursorRequest(HranaProto.CursorReqBody body) throws ProtocolException {
        require(body.hasBatch(), "batch");
        return new Pipeline.CursorRequest(body.hasBaton() ? body.getBaton() : null, batch(body.getBatch()));
    }

    static ClientMessage clientMessage(HranaProto.ClientMsg message) throws ProtocolException {
        return switch (message.getMsgCase()) {
            case HELLO ->
                new ClientMessage.Hello(
                        message.getHello().hasJwt() ? message.getHello().getJwt() : null);
            case REQUEST -> request(message.getRequest());
            case MSG_NOT_SET -> throw missing("hello or request");
        };
    }

    private static ClientMessage request(HranaProto.RequestMsg request) throws ProtocolException {
        return new ClientMessage.Request(request.getRequestId(), body(request));
    }

    private static ClientMessage.Body body(HranaProto.RequestMsg request) throws ProtocolException {
        return switch (request.getRequestCase()) {
            case OPEN_STREAM ->
                new ClientMessage.OpenStream(request.getOpenStream().getStreamId());
            case CLOSE_STREAM ->
                new ClientMessage.CloseStream(request.getCloseStream().getStreamId());
            case EXECUTE -> execute(request.getExecute());
            case BATCH -> batch(request.getBatch());
            case OPEN_CURSOR -> openCursor(request.getOpenCursor());
            case CLOSE_CURSOR ->
                new ClientMessage.CloseCursor(request.getCloseCursor().getCursorId());
            case FETCH_CURSOR ->
                new ClientMessage.FetchCursor(
                        request.getFetchCursor().getCursorId(),
                        uint32(request.getFetchCursor().getMaxCount()));
            case SEQUENCE ->
                new ClientMessage.OnStream(
                        request.getSequence().getStreamId(), new StreamRequest.Sequence(text(request.getSequence())));
            case DESCRIBE ->
                new ClientMessage.OnStream(
                        request.getDescribe().getStreamId(), new StreamRequest.Describe(text(request.getDescribe())));
            case STORE_SQL -> new ClientMessage.OnConnection(storeSql(request.getStoreSql()));
            case CLOSE_SQL -> new ClientMessage.OnConnection(closeSql(request.getCloseSql()));
            case GET_AUTOCOMMIT ->
                new ClientMessage.OnStream(request.getGetAutocommit().getStreamId(), new StreamRequest.GetAutocommit());
            case REQUEST_NOT_SET -> throw missing("request");
        };
    }

    private static ClientMessage.Body execute(HranaProto.StmtOnStream request) throws ProtocolException {
        require(request.hasStmt(), "stmt");
        return new ClientMessage.OnStream(
                request.getStreamId(), new StreamRequest.Execute(statement(request.getStmt())));
    }

    private static ClientMessage.Body batch(HranaProto.BatchOnStream request) throws ProtocolException {
        require(request.hasBatch(), "batch");
        return new ClientMessage.OnStream(request.getStreamId(), new StreamRequest.RunBatch(batch(request.getBatch())));
    }

    private static ClientMessage.Body openCursor(HranaProto.OpenCursorReq request) throws ProtocolException {
        require(request.hasBatch(), "batch");
        return new ClientMessage.OpenCursor(request.getStreamId(), request.getCursorId(), batch(request.getBatch()));
    }

    private static SqlText text(HranaProto.SqlOnStream request) throws ProtocolException {
        return SqlText.of(
                request.hasSql() ? request.getSql() : null, request.hasSqlId() ? (Integer) request.getSqlId() : null);
    }

    private static StreamRequest streamRequest(HranaProto.StreamRequest request) throws ProtocolException {
        return switch (request.getRequestCase()) {
            case CLOSE -> new StreamRequest.Close();
            case EXECUTE -> {
                require(request.getExecute().hasStmt(), "stmt");
                yield new StreamRequest.Execute(statement(request.getExecute().getStmt()));
            }
            case BATCH -> {
                require(request.getBatch().hasBatch(), "batch");
                yield new StreamRequest.RunBatch(batch(request.getBatch().getBatch()));
            }
            case SEQUENCE -> new StreamRequest.Sequence(text(request.getSequence()));
            case DESCRIBE -> new StreamRequest.Describe(text(request.getDescribe()));
            case STORE_SQL -> storeSql(request.getStoreSql());
            case CLOSE_SQL -> closeSql(request.getCloseSql());
            case GET_AUTOCOMMIT -> new StreamRequest.GetAutocommit();
            case REQUEST_NOT_SET -> throw missing("request");
        };
    }

    private static SqlText text(HranaProto.SqlText text) throws ProtocolException {
        return SqlText.of(text.hasSql() ? text.getSql() : null, text.hasSqlId() ? (Integer) text.getSqlId() : null);
    }

    private static StreamRequest storeSql(HranaProto.StoreSqlReq request) {
        return new StreamRequest.StoreSql(request.getSqlId(), request.getSql());
    }

    private static StreamRequest closeSql(HranaProto.CloseSqlReq request) {
        return new StreamRequest.CloseSql(request.getSqlId());
    }

    private static Statement statement(HranaProto.Stmt statement) throws ProtocolException {
        SqlText text = SqlText.of(
                statement.hasSql() ? statement.getSql() : null,
                statement.hasSqlId() ? (Integer) statement.getSqlId() : null);
        return new Statement(
                text,
                all(statement.getArgsList(), ProtobufReader::value),
                all(statement.getNamedArgsList(), ProtobufReader::namedValue),
                !statement.hasWantRows() || statement.getWantRows());
    }

    private static NamedValue namedValue(HranaProto.NamedArg argument) throws ProtocolException {
        require(argument.hasValue(), "value");
        return new NamedValue(argument.getName(), value(argument.getValue()));
    }

    private static Value value(HranaProto.Value value) throws ProtocolException {
        return switch (value.getValueCase()) {
            case NULL -> new Value.Null();
            case INTEGER -> new Value.Int(value.getInteger());
            case FLOAT -> new Value.Real(value.getFloat());
            case TEXT -> new Value.Text(value.getText());
            case BLOB -> new Value.Blob(value.getBlob().toByteArray());
            case VALUE_NOT_SET -> throw missing("value");
        };
    }

    private static Batch batch(HranaProto.Batch batch) throws ProtocolException {
        return new Batch(all(batch.getStepsList(), ProtobufReader::step));
    }

    private static Batch.Step step(HranaProto.BatchStep step) throws ProtocolException {
        require(step.hasStmt(), "stmt");
        @Nullable Condition condition = step.hasCondition() ? condition(step.getCondition()) : null;
        return new Batch.Step(condition, statement(step.getStmt()));
    }

    private static Condition condition(HranaProto.BatchCond condition) throws ProtocolException {
        return switch (condition.getCondCase()) {
            case OK -> new Condition.Ok(uint32(condition.getOk()));
            case ERROR -> new Condition.Failed(uint32(condition.getError()));
            case NOT -> new Condition.Not(condition(condition.getNot()));
            case AND -> new Condition.And(all(condition.getAnd().getCondsList(), ProtobufReader::condition));
            case OR -> new Condition.Or(all(condition.getOr().getCondsList(), ProtobufReader::condition));
            case IS_AUTOCOMMIT -> new Condition.IsAutocommit();
            case COND_NOT_SET -> throw missing("cond");
        };
    }

    /** The largest int stands for all above it, which Protobuf for Java shows as negative. */
    private static int uint32(int value) {
        return value < 0 ? Integer.MAX_VALUE : value;
    }

    private static <P, T> List<T> all(List<P> messages, Element<P, T> element) throws ProtocolException {
        List<T> elements = new ArrayList<>(messages.size());
        for (P message : messages) {
            elements.add(element.read(message));
        }
        return elements;
    }

    private static void require(boolean there, String field) throws ProtocolException {
        if (!there) {
            throw missing(field);
        }
    }

    private static ProtocolException missing(String field) {
        return new ProtocolException("'" + field + "' is missing");
    }
}
