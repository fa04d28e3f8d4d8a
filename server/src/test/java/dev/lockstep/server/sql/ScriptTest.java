package dev.lockstep.server.sql;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lockstep.Programs;
import dev.lockstep.server.sql.SqlStatement.Kind;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Statements end where SQLite ends them, and are what they are. */
class ScriptTest {

    @TempDir
    Path directory;

    private static List<String> split(String sql) throws SqlFailure {
        List<String> statements = new ArrayList<>();
        Script script = new Script(sql);
        for (SqlStatement one = script.next(); one != null; one = script.next()) {
            statements.add(one.sql());
        }
        return statements;
    }

    @Test
    void semicolonsInTextsCommentsAndTriggersEndNothing() throws Exception {
        String trigger = "CREATE TEMP TRIGGER r AFTER INSERT ON t WHEN CASE 1 WHEN 1 THEN 1 END BEGIN"
                + " SELECT CASE 1 WHEN 2 THEN 3 END; UPDATE t SET a = ';END;'; END";
        assertThat(split("SELECT ';', \";\", [;], `;` -- ;\n, /* ; */ 1 ; ;" + trigger + ";\n SELECT 2"))
                .containsExactly("SELECT ';', \";\", [;], `;` -- ;\n, /* ; */ 1", trigger, "SELECT 2");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "SELECT 1 | QUERY",
                "values (1) | QUERY",
                "WITH a AS (SELECT 1), b(x, y) AS NOT MATERIALIZED (SELECT (1), 2) SELECT * FROM a | QUERY",
                "WITH RECURSIVE a(i) AS (VALUES (1)) INSERT INTO t SELECT * FROM a | CHANGE",
                "with replace as (select 1) delete from t | CHANGE",
                "WITH \"as\" AS (SELECT ')') UPDATE t SET v = 1 | CHANGE",
                "REPLACE INTO t VALUES (1) | CHANGE",
                "CREATE TABLE u (a) | DEFINITION",
                "ALTER TABLE t RENAME TO u | DEFINITION",
                "BEGIN | BEGIN",
                "BEGIN DEFERRED TRANSACTION | BEGIN",
                "/* x */ begin/**/immediate | BEGIN_WRITE",
                "BEGIN EXCLUSIVE TRANSACTION | BEGIN_WRITE",
                "BEGIN TRANSACTION READONLY | BEGIN_READ_ONLY",
                "END TRANSACTION | COMMIT",
                "ROLLBACK | ROLLBACK",
                "ROLLBACK TRANSACTION TO SAVEPOINT a | SAVEPOINT",
                "RELEASE a | SAVEPOINT",
                "NONSENSE | OTHER",
            })
    void kinds(String sql, Kind kind) throws Exception {
        assertThat(Script.single(sql).kind()).isEqualTo(kind);
    }

    /** Python's sqlite3 module has SQLite's own sqlite3_complete(). */
    @Test
    void splitsWhereSqliteSaysThatAStatementIsComplete() throws Exception {
        Programs.require("python3");
        long seed = System.nanoTime();
        Random random = new Random(seed);
        String[] pieces = {
            ";",
            "; ",
            ";",
            ";\n",
            "SELECT",
            "1",
            "'a;b'",
            "'it''s'",
            "\"x;\"\"\"",
            "[y;]",
            "`z;`",
            "-- c;\n",
            "/* ; */",
            "CREATE",
            "TEMP",
            "TEMPORARY",
            "TRIGGER",
            "BEGIN",
            "END",
            "end",
            "CASE",
            "EXPLAIN",
            "x'00'",
            ":a ", // not ":a(;", of which SQLite's parser makes one token, and its complete_statement three
            "$b::c(d;e)",
            "?1",
            "-",
            "/",
            "*",
            "(",
            ")",
            "ENDING",
            "creates",
            "\u00e4"
        };
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < 3000; i++) {
            StringBuilder text = new StringBuilder(random.nextInt(3) == 0 ? "CREATE TRIGGER x BEGIN " : "");
            for (int n = random.nextInt(12); n >= 0; n--) {
                text.append(pieces[random.nextInt(pieces.length)]).append(random.nextBoolean() ? " " : "");
            }
            texts.add(text.toString());
        }
        List<Boolean> complete = askSqlite(texts);
        for (int i = 0; i < texts.size(); i++) {
            String text = texts.get(i);
            List<String> statements = split(text + "\nmarker");
            boolean swallowsNothing = !statements.isEmpty()
                    && statements.get(statements.size() - 1).equals("marker");
            boolean hasSemicolon = split("a " + text + "\nmarker").size() > 1;
            boolean ends = swallowsNothing && hasSemicolon;
            assertThat(ends).as("seed %d: %s", seed, text).isEqualTo(complete.get(i));
        }
    }

    private List<Boolean> askSqlite(List<String> texts) throws Exception {
        Path input = directory.resolve("texts");
        Files.write(input, String.join("\0", texts).getBytes(StandardCharsets.UTF_8));
        Process python = new ProcessBuilder(
                        "python3",
                        "-c",
                        "import sqlite3, sys\nfor t in open(sys.argv[1], encoding='utf-8', newline='').read().split('\\0'):"
                                + " print(int(sqlite3.complete_statement(t)))",
                        input.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        List<Boolean> answers = new ArrayList<>();
        new String(python.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                .lines()
                .forEach(line -> answers.add(line.equals("1")));
        assertThat(answers).hasSameSizeAs(texts);
        return answers;
    }
}
