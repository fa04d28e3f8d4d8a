package dev.lockstep.server.sql;

import static dev.lockstep.server.sql.TestDatabase.failure;
import static dev.lockstep.server.sql.TestDatabase.rows;
import static dev.lockstep.server.sql.TestDatabase.value;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Values and parameters arrive exactly, numbered as SQLite numbers them. */
class ValueTest {

    @TempDir
    static Path directory;

    private static TestDatabase database;

    @BeforeAll
    static void open() throws Exception {
        database = new TestDatabase(directory.resolve("app.db"));
        database.run("CREATE TABLE t (id INTEGER PRIMARY KEY, v)");
    }

    @AfterAll
    static void close() throws Exception {
        database.close();
    }

    @Test
    void everyValueComesBackAsItWasStored() throws Exception {
        List<Value> values = List.of(
                Value.NULL,
                new Value.Int(0),
                new Value.Int(Long.MIN_VALUE),
                new Value.Int(Long.MAX_VALUE),
                new Value.Int((1L << 53) + 1),
                new Value.Real(0.1),
                new Value.Real(Double.MIN_VALUE),
                new Value.Real(Double.MAX_VALUE),
                new Value.Real(Double.POSITIVE_INFINITY),
                new Value.Real(Double.NEGATIVE_INFINITY),
                new Value.Text(""),
                new Value.Text("a\0b\0"),
                new Value.Text("\u00e4\u20ac\uD83D\uDE00"),
                new Value.Blob(new byte[0]),
                new Value.Blob(new byte[] {0, -1, 1}),
                new Value.Blob(new byte[1 << 20]));
        try (SqlSession session = database.session()) {
            for (Value value : values) {
                assertThat(value(session, "SELECT ?", value)).isEqualTo(value);
                assertThat(value(session, "INSERT INTO t(v) VALUES (?) RETURNING v", value))
                        .isEqualTo(value);
            }
            assertThat(value(session, "SELECT ?", new Value.Real(-0.0))).isEqualTo(new Value.Real(-0.0));
            assertThat(value(session, "SELECT ?", new Value.Real(Double.NaN))).isEqualTo(Value.NULL);
            assertThat(value(session, "SELECT CAST(x'61ff62' AS TEXT)")).isEqualTo(new Value.Text("a\uFFFDb"));
        }
    }

    @Test
    void namesAreBoundWithAndWithoutTheirPrefix() throws Exception {
        Query query = new Query(
                "SELECT :a, @b, $c, :a, ?7",
                List.of(),
                List.of(
                        new NamedValue("a", new Value.Int(1)),
                        new NamedValue("@b", new Value.Int(2)),
                        new NamedValue("c", new Value.Int(3)),
                        new NamedValue("?7", new Value.Int(7))),
                true);
        Rows rows = new Rows();
        try (SqlSession session = database.session()) {
            session.execute(query, rows);
        }
        assertThat(rows.rows.get(0))
                .containsExactly(
                        new Value.Int(1), new Value.Int(2), new Value.Int(3), new Value.Int(1), new Value.Int(7));
    }

    @Test
    void valuesThatDoNotFitTheParametersAreRefused() throws Exception {
        try (SqlSession session = database.session()) {
            assertThat(failure(() -> value(session, "SELECT ?, ?", Value.NULL)))
                    .hasMessage("value for parameter 2 not found")
                    .extracting(SqlFailure::code)
                    .isEqualTo(SqlFailure.ARGS_INVALID);
            assertThat(failure(() -> value(session, "SELECT :x"))).hasMessage("value for parameter :x not found");
            assertThat(failure(() -> value(session, "SELECT 1", Value.NULL)))
                    .hasMessage("1 values by position for a statement with 0 parameters");
            assertThat(failure(() -> session.execute(
                            new Query("SELECT :x", List.of(), List.of(new NamedValue("y", Value.NULL)), true),
                            RowSink.NONE)))
                    .hasMessage("there is no parameter named y; there are [:x]");
            assertThat(failure(() -> value(session, "SELECT ?32767", Value.NULL))
                            .primary())
                    .isEqualTo(1);
            assertThat(failure(() -> value(session, "SELECT ?99999999999")).primary())
                    .isEqualTo(1);
        }
    }

    @Test
    void parametersAreNumberedAsSqliteDoes() throws Exception {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        String[] choices = {
            "?",
            "?1",
            "?3",
            "?12",
            ":a",
            ":b",
            "@a",
            "$a",
            "$a::b",
            "$a(x)",
            "@\u00e4_1$",
            "'?'",
            "\"id\"",
            "[:a]",
            "1e5",
            ".5",
            "0x1f",
            "x'3f'"
        };
        String[] gaps = {"", " ", "/* ? :a */", "--?\n", "\t", "/*;'*/"};
        try (SqlSession session = database.session()) {
            for (int round = 0; round < 300; round++) {
                List<String> chosen = new ArrayList<>();
                StringBuilder sql = new StringBuilder("SELECT ");
                for (int i = 0; i <= random.nextInt(8); i++) {
                    String one = choices[random.nextInt(choices.length)];
                    chosen.add(one);
                    sql.append(i == 0 ? "" : ",")
                            .append(gaps[random.nextInt(gaps.length)])
                            .append(one)
                            .append(gaps[random.nextInt(gaps.length)]);
                }
                sql.append(" FROM (SELECT 1 AS id, 2 AS \":a\")");
                checkNumbers(session, sql.toString(), chosen, "seed " + seed + ", " + sql);
            }
        }
    }

    /** The value of each parameter is its number, so SQLite's answer tells which number it gave to each. */
    private static void checkNumbers(SqlSession session, String sql, List<String> chosen, String about)
            throws Exception {
        List<String> names = session.describe(sql).parameters();
        Value[] args = new Value[names.size()];
        for (int i = 0; i < args.length; i++) {
            args[i] = new Value.Int(i + 1);
        }
        List<Value> row = rows(session, sql, args).get(0);
        int highest = 0;
        for (int i = 0; i < chosen.size(); i++) {
            String parameter = chosen.get(i);
            if (":@$?".indexOf(parameter.charAt(0)) >= 0) {
                int number = (int) ((Value.Int) row.get(i)).value();
                if (parameter.matches("\\?\\d+")) {
                    assertThat(number).as(about).isEqualTo(Integer.parseInt(parameter.substring(1)));
                } else {
                    String name = names.get(number - 1);
                    assertThat(name == null || name.equals("?" + number) ? "?" : name)
                            .as(about)
                            .isEqualTo(parameter);
                }
                highest = Math.max(highest, number);
            }
        }
        assertThat(names).as(about).hasSize(highest);
    }
}
