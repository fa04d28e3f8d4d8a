package dev.lockstep.testing;

import java.util.List;

/** Statements for an empty database that change it in every way there is. */
public final class EveryKind {

    /** In order, in auto-commit mode. With the small cache, large transactions spill into the WAL before they are committed. */
    public static final List<String> TRANSACTIONS = List.of(
            "PRAGMA cache_size=10",
            "CREATE TABLE a (id INTEGER PRIMARY KEY, v BLOB)",
            "CREATE TABLE w (k TEXT PRIMARY KEY, v) WITHOUT ROWID",
            "CREATE VIRTUAL TABLE f USING fts5(body)",
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n LIMIT 3000)"
                    + " INSERT INTO a SELECT i, randomblob(900) FROM n",
            "INSERT INTO w SELECT hex(randomblob(8)), id FROM a",
            "INSERT INTO f SELECT 'lorem ipsum ' || id FROM a",
            "INSERT INTO a VALUES (9999, zeroblob(3000000))",
            "BEGIN",
            "UPDATE a SET v = randomblob(1000)",
            "ROLLBACK",
            "BEGIN",
            "DELETE FROM a WHERE id % 3 = 0",
            "SAVEPOINT s",
            "UPDATE a SET v = randomblob(1100)",
            "ROLLBACK TO s",
            "INSERT INTO a SELECT id + 10000, v FROM a LIMIT 500",
            "COMMIT",
            "CREATE INDEX a_v ON a (substr(v, 1, 8))",
            "DELETE FROM f WHERE rowid % 2 = 0",
            "INSERT INTO f(f) VALUES ('optimize')",
            "DROP TABLE w",
            "ALTER TABLE a ADD COLUMN extra DEFAULT 7",
            "DELETE FROM a WHERE id > 100",
            "VACUUM",
            "PRAGMA page_size=2048", // without effect on a database in WAL mode, here and in the copies
            "VACUUM",
            "REINDEX",
            "PRAGMA user_version=42");

    private EveryKind() {}
}
