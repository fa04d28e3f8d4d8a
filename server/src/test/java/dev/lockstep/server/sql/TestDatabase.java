package dev.lockstep.server.sql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.lockstep.Primary;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/** A primary with SQL on it, and short ways to ask it. */
final class TestDatabase implements AutoCloseable {

    final Path path;
    final Primary primary;
    final SqlDatabase sql;

    TestDatabase(Path path) throws IOException {
        this(path, SqlLimits.defaults());
    }

    TestDatabase(Path path, SqlLimits limits) throws IOException {
        this.path = path;
        this.primary = Primary.of(path).open();
        this.sql = SqlDatabase.of(primary, limits);
    }

    SqlSession session() {
        return sql.session();
    }

    /** Runs a script in a session of its own. */
    void run(String script) throws SqlFailure {
        try (SqlSession session = session()) {
            session.sequence(script);
        }
    }

    /** The first value of the first row, in a session of its own. */
    Value value(String sql, Value... args) throws SqlFailure {
        try (SqlSession session = session()) {
            return value(session, sql, args);
        }
    }

    /** The failure that {@code call} ends with. */
    static SqlFailure failure(ThrowingCallable call) {
        SqlFailure failure = catchThrowableOfType(SqlFailure.class, call);
        assertThat(failure).as("it succeeded").isNotNull();
        return failure;
    }

    static Outcome execute(SqlSession session, String sql, Value... args) throws SqlFailure {
        return session.execute(Query.of(sql, args), RowSink.NONE);
    }

    static List<List<Value>> rows(SqlSession session, String sql, Value... args) throws SqlFailure {
        Rows rows = new Rows();
        session.execute(Query.of(sql, args), rows);
        return rows.rows;
    }

    static Value value(SqlSession session, String sql, Value... args) throws SqlFailure {
        return rows(session, sql, args).get(0).get(0);
    }

    @Override
    public void close() throws IOException {
        sql.close();
        primary.close();
    }
}
