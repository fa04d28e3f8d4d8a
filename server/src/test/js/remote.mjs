// libSQL's remote client against a server: node remote.mjs CASE URL. Each case makes tables of its own and throws when something is not so.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "@libsql/client";

const [, , name, url] = process.argv;
const client = createClient({ url, intMode: "bigint" });
const count = async (table) => Number((await client.execute(`SELECT count(*) FROM ${table}`)).rows[0][0]);
const failure = (promise) => promise.then(() => assert.fail("it did not fail"), (e) => e);

const cases = {
    async values() {
        await client.execute("CREATE TABLE v (a ANY) STRICT");
        const blob = Uint8Array.from({ length: 256 }, (_, i) => i);
        const written = [null, 0n, -1n, 9223372036854775807n, -9223372036854775808n, 0.5, -1e300, Number.MIN_VALUE, "",
            "a\u0000b", "žluťoučký \u{1F40E}", "\"\\\n", new Uint8Array(0), blob, 9007199254740993n];
        for (const value of written) {
            await client.execute("INSERT INTO v VALUES (?)", [value]);
        }
        const { rows } = await client.execute("SELECT a FROM v ORDER BY rowid");
        written.forEach((value, i) => {
            const read = rows[i][0] instanceof ArrayBuffer ? new Uint8Array(rows[i][0]) : rows[i][0];
            assert.deepEqual(read, value, `value ${i}`);
        });
        assert.deepEqual([...(await client.execute("SELECT 9e999, -9e999")).rows.map((row) => [row[0], row[1]])], [[Infinity, -Infinity]]);
        const dates = await client.execute({ sql: "SELECT ?, ?, typeof(?)", args: [true, new Date(1234), 3] });
        assert.deepEqual([dates.rows[0][0], dates.rows[0][1], dates.rows[0][2]], [1n, 1234, "real"]);
    },

    async intMode() {
        const largest = { sql: "SELECT ?", args: [9223372036854775807n] };
        const small = { sql: "SELECT -5 AS v" };
        const modes = { number: [-5, RangeError], bigint: [-5n, 9223372036854775807n], string: ["-5", "9223372036854775807"] };
        for (const [intMode, [five, large]] of Object.entries(modes)) {
            const one = createClient({ url, intMode });
            assert.equal((await one.execute(small)).rows[0].v, five);
            if (large === RangeError) {
                assert.ok(await failure(one.execute(largest)) instanceof RangeError);
            } else {
                assert.equal((await one.execute(largest)).rows[0][0], large);
            }
            one.close();
        }
    },

    async args() {
        const named = await client.execute({ sql: "SELECT :a, @b, $c, :a", args: { a: 1n, b: "two", c: null } });
        assert.deepEqual([named.rows[0][0], named.rows[0][1], named.rows[0][2], named.rows[0][3]], [1n, "two", null, 1n]);
        const prefixed = await client.execute({ sql: "SELECT :a, $b", args: { ":a": 1n, $b: 2n } });
        assert.deepEqual([prefixed.rows[0][0], prefixed.rows[0][1]], [1n, 2n]);
        const numbered = await client.execute({ sql: "SELECT ?2, ?1", args: ["x", "y"] });
        assert.deepEqual([numbered.rows[0][0], numbered.rows[0][1]], ["y", "x"]);
        assert.equal((await failure(client.execute({ sql: "SELECT ?", args: [] }))).code !== undefined, true);
        await failure(client.execute({ sql: "SELECT :a", args: { b: 1 } }));
    },

    async execute() {
        await client.execute("CREATE TABLE e (id INTEGER PRIMARY KEY, v TEXT)");
        const inserted = await client.execute({ sql: "INSERT INTO e (v) VALUES (?), (?)", args: ["a", "b"] });
        assert.equal(inserted.rowsAffected, 2);
        assert.equal(inserted.lastInsertRowid, 2n);
        const selected = await client.execute("SELECT id, v AS w, id + 1 FROM e ORDER BY id");
        assert.deepEqual(selected.columns.slice(0, 2), ["id", "w"]);
        assert.deepEqual(selected.columnTypes, ["INTEGER", "TEXT", ""]);
        assert.equal(selected.rows[1].w, "b");
        const returned = await client.execute("UPDATE e SET v = v || '!' RETURNING v");
        assert.deepEqual(returned.rows.map((row) => row.v), ["a!", "b!"]);
    },

    async batch() {
        await client.execute("CREATE TABLE b (id INTEGER PRIMARY KEY, v INT UNIQUE)");
        for (const mode of ["write", "deferred"]) {
            const results = await client.batch(
                [{ sql: "INSERT INTO b (v) VALUES (?)", args: [mode] }, "SELECT count(*) FROM b", ["SELECT ?", [5n]]], mode);
            assert.equal(results[0].rowsAffected, 1);
            assert.equal(results[2].rows[0][0], 5n);
        }
        const read = await client.batch(["SELECT count(*) FROM b", "SELECT 1"], "read");
        assert.equal(read[0].rows[0][0], 2n);
        const refused = await failure(client.batch(["INSERT INTO b (v) VALUES (9)"], "read"));
        assert.equal(refused.code, "SQLITE_READONLY");
        const failed = await failure(client.batch(
            ["INSERT INTO b (v) VALUES (10)", "INSERT INTO b (v) VALUES (10)", "INSERT INTO b (v) VALUES (11)"], "write"));
        assert.equal(failed.code, "SQLITE_CONSTRAINT_UNIQUE");
        assert.equal(failed.statementIndex, 1);
        assert.equal(await count("b"), 2, "a failed batch leaves nothing");
        const many = Array.from({ length: 500 }, (_, i) => ({ sql: "INSERT INTO b (v) VALUES (?)", args: [1000 + i] }));
        assert.equal((await client.batch(many, "write")).length, 500);
        assert.equal(await count("b"), 502);
    },

    async transaction() {
        await client.execute("CREATE TABLE x (v INT)");
        const kept = await client.transaction("write");
        await kept.execute("INSERT INTO x VALUES (1)");
        assert.equal((await kept.execute("SELECT count(*) FROM x")).rows[0][0], 1n);
        assert.equal(await count("x"), 0, "others do not see it yet");
        await kept.batch(["INSERT INTO x VALUES (2)", { sql: "INSERT INTO x VALUES (?)", args: [3] }]);
        await kept.executeMultiple("INSERT INTO x VALUES (4); INSERT INTO x VALUES (5);");
        await kept.commit();
        assert.equal(kept.closed, true);
        assert.equal(await count("x"), 5);

        const dropped = await client.transaction("write");
        await dropped.execute("DELETE FROM x");
        await dropped.rollback();
        assert.equal(await count("x"), 5);

        const closed = await client.transaction("write");
        await closed.execute("DELETE FROM x");
        closed.close();
        await client.execute("INSERT INTO x VALUES (6)"); // waits for the write lock, which close gives back
        assert.equal(await count("x"), 6);

        const failing = await client.transaction("write");
        await failing.execute("INSERT INTO x VALUES (7)");
        assert.equal((await failure(failing.execute("INSERT INTO nothing VALUES (1)"))).code, "SQLITE_ERROR");
        await failing.execute("INSERT INTO x VALUES (8)");
        await failing.commit();
        assert.equal(await count("x"), 8, "an error leaves the transaction open");

        const reading = await client.transaction("read");
        assert.equal((await reading.execute("SELECT count(*) FROM x")).rows[0][0], 8n);
        await client.execute("INSERT INTO x VALUES (9)");
        assert.equal((await reading.execute("SELECT count(*) FROM x")).rows[0][0], 8n, "a snapshot");
        assert.equal((await failure(reading.execute("INSERT INTO x VALUES (10)"))).code, "SQLITE_READONLY");
        reading.close();
        const deferred = await client.transaction("deferred");
        await deferred.execute("SELECT 1");
        await deferred.execute("INSERT INTO x VALUES (11)");
        await deferred.commit();
        assert.equal(await count("x"), 10);
    },

    /** The server is started with a short limit. */
    async timeout() {
        await client.execute("CREATE TABLE slow (v INT)");
        const idle = await client.transaction("write");
        await idle.execute("INSERT INTO slow VALUES (1)");
        await client.execute("INSERT INTO slow VALUES (2)"); // goes on when the idle one was rolled back
        const error = await failure(idle.execute("INSERT INTO slow VALUES (3)"));
        assert.match(error.code, /TRANSACTION_TIMEOUT|STREAM_EXPIRED|TRANSACTION_CLOSED/, `${error.code} ${error.message}`);
        idle.close();
        assert.equal(await count("slow"), 1);
        const busy = await client.transaction("write");
        const busyError = await failure((async () => {
            for (;;) {
                await busy.execute("INSERT INTO slow VALUES (4)"); // never idle
            }
        })());
        assert.match(busyError.code, /TRANSACTION_TIMEOUT|STREAM_EXPIRED/, `${busyError.code} ${busyError.message}`);
        busy.close();
        assert.equal(await count("slow"), 1);
        const endless = await failure(client.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"));
        assert.match(endless.code, /TRANSACTION_TIMEOUT|SQLITE_INTERRUPT/, `${endless.code} ${endless.message}`);
    },

    async multiple() {
        await client.executeMultiple(`
            CREATE TABLE m (v TEXT); -- a comment; with a semicolon
            INSERT INTO m VALUES ('a;b');
            CREATE TRIGGER mt AFTER INSERT ON m BEGIN UPDATE m SET v = v || '.'; SELECT 1; END;
            INSERT INTO m VALUES ('c');`);
        assert.deepEqual((await client.execute("SELECT v FROM m")).rows.map((row) => row.v), ["a;b.", "c."]);
        const failed = await failure(client.executeMultiple("INSERT INTO m VALUES ('d'); INSERT INTO none VALUES (1); DELETE FROM m;"));
        assert.equal(failed.code, "SQLITE_ERROR");
        assert.equal(await count("m"), 3);
    },

    async migrate() {
        await client.executeMultiple("CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (p REFERENCES p); INSERT INTO p VALUES (1);"
            + "INSERT INTO c VALUES (1);");
        await client.migrate([
            "CREATE TABLE p2 (id INTEGER PRIMARY KEY, more TEXT)",
            "INSERT INTO p2 (id) SELECT id FROM p",
            "DROP TABLE p",
            "ALTER TABLE p2 RENAME TO p",
        ]);
        assert.deepEqual((await client.execute("SELECT * FROM p")).columns, ["id", "more"]);
        assert.equal(await count("c"), 1);
        await failure(client.migrate(["CREATE TABLE q (v)", "INSERT INTO none VALUES (1)"]));
        assert.equal((await failure(client.execute("SELECT * FROM q"))).code, "SQLITE_ERROR");
    },

    async errors() {
        await client.executeMultiple("CREATE TABLE f (id INTEGER PRIMARY KEY, u UNIQUE, n NOT NULL, k CHECK (k > 0), r REFERENCES f) ;"
            + "INSERT INTO f VALUES (1, 1, 1, 1, NULL)");
        const expected = {
            "INSERT INTO f VALUES (2, 1, 1, 1, NULL)": "SQLITE_CONSTRAINT_UNIQUE",
            "INSERT INTO f VALUES (1, 2, 1, 1, NULL)": "SQLITE_CONSTRAINT_PRIMARYKEY",
            "INSERT INTO f VALUES (2, 2, NULL, 1, NULL)": "SQLITE_CONSTRAINT_NOTNULL",
            "INSERT INTO f VALUES (2, 2, 1, 0, NULL)": "SQLITE_CONSTRAINT_CHECK",
            "SELECT * FROM missing": "SQLITE_ERROR",
            "SELECT abs(-9223372036854775808)": "SQLITE_ERROR",
            "ATTACH 'other.db' AS o": "SQL_REFUSED",
            "PRAGMA journal_mode = DELETE": "SQL_REFUSED",
            "SELECT 1; SELECT 2": "SQL_MANY_STATEMENTS",
            "": "SQL_NO_STATEMENT",
        };
        for (const [sql, code] of Object.entries(expected)) {
            const error = await failure(client.execute(sql));
            assert.equal(error.code, code, `${sql}: ${error.message}`);
        }
        assert.match((await failure(client.execute("SELEC 1"))).code, /SQLITE_ERROR|SQL_PARSE_ERROR/);
        assert.equal(await count("f"), 1, "the connection goes on");
    },

    async big() {
        await client.execute("CREATE TABLE big (id INTEGER PRIMARY KEY, a TEXT, b REAL)");
        await client.execute("INSERT INTO big WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)"
            + " SELECT i, 'row ' || i, i / 2.0 FROM n");
        const { rows } = await client.execute("SELECT * FROM big ORDER BY id");
        assert.equal(rows.length, 100000);
        assert.deepEqual([rows[99999].id, rows[99999].a, rows[99999].b], [100000n, "row 100000", 50000]);
        const blob = new Uint8Array(10 << 20);
        blob.forEach((_, i) => { blob[i] = (i * 31) >> 3; });
        await client.execute("CREATE TABLE blobs (b BLOB)");
        await client.execute({ sql: "INSERT INTO blobs VALUES (?)", args: [blob] });
        const read = (await client.execute("SELECT b FROM blobs")).rows[0].b;
        assert.equal(Buffer.compare(Buffer.from(read), Buffer.from(blob)), 0);
        const error = await failure(client.execute("SELECT b, b, b FROM blobs"));
        assert.equal(error.code, "RESPONSE_TOO_LARGE");
        assert.equal(await count("big"), 100000);
    },

    /** Clients that each read a counter and write it back plus one, in a transaction, lose nothing. */
    async contended() {
        await client.execute("CREATE TABLE counter (v INT)");
        await client.execute("INSERT INTO counter VALUES (0)");
        const clients = Array.from({ length: 8 }, () => createClient({ url, intMode: "bigint" }));
        await Promise.all(clients.map(async (one) => {
            for (let i = 0; i < 10; i++) {
                const transaction = await one.transaction("write");
                const { rows } = await transaction.execute("SELECT v FROM counter");
                await transaction.execute({ sql: "UPDATE counter SET v = ?", args: [rows[0].v + 1n] });
                await transaction.commit();
                await one.execute("UPDATE counter SET v = v + 1");
            }
        }));
        assert.equal((await client.execute("SELECT v FROM counter")).rows[0].v, 160n);
        clients.forEach((one) => one.close());
    },

    /** Many statements at once over one client, more than it and the server run beside each other. */
    async parallel() {
        await client.execute("CREATE TABLE par (v INT)");
        await Promise.all(Array.from({ length: 200 }, (_, i) => client.execute({ sql: "INSERT INTO par VALUES (?)", args: [i] })));
        assert.equal(await count("par"), 200);
        // Messages of many lengths, one after the other on one connection.
        const texts = await Promise.all(Array.from({ length: 3000 }, (_, i) => client.execute({ sql: "SELECT ?", args: ["x".repeat(i % 300)] })));
        texts.forEach((text, i) => assert.equal(text.rows[0][0].length, i % 300));
        const sums = await Promise.all(Array.from({ length: 200 }, () => client.execute("SELECT sum(v) AS s FROM par")));
        assert.ok(sums.every((sum) => sum.rows[0].s === 19900n));
    },

    /** Begins a transaction, says so, and waits to be killed. */
    async vanish() {
        const transaction = await client.transaction("write");
        await transaction.execute("INSERT INTO gone VALUES (1)");
        console.log("begun");
        await sleep(60_000);
    },
};

await cases[name]();
client.close();
console.log("passed", name);
