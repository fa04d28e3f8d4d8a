// @libsql/client as an embedded replica: node replica.mjs DIRECTORY URL. Ends with 0 if all is as it should be. Each case has a replica
// and tables of its own. The client works synchronously, so nothing else of this process happens while it waits.
import assert from "node:assert/strict";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "@libsql/client";

const [directory, syncUrl] = process.argv.slice(2);
const remote = createClient({ url: syncUrl, intMode: "bigint" });
let replicas = 0;
const open = (options = {}) => createClient(
    { url: `file:${join(directory, `copy${replicas++}.db`)}`, syncUrl, intMode: "bigint", ...options });
const failure = (promise) => promise.then(() => assert.fail("it did not fail"), (e) => e);
const plain = (row) => Array.from(row, (v) => v instanceof ArrayBuffer ? Buffer.from(v) : v);
const values = async (client, sql, args = []) => (await client.execute({ sql, args })).rows.map((row) => plain(row));
const value = async (client, sql, args) => (await values(client, sql, args))[0][0];

const cases = {
    async sync() {
        const client = open();
        await remote.execute("CREATE TABLE s (v)");
        await remote.execute("INSERT INTO s VALUES (1)");
        const first = await client.sync();
        assert.ok(first.frame_no >= 2 && first.frames_synced >= 0, JSON.stringify(first));
        assert.equal(await value(client, "SELECT count(*) FROM s"), 1n);
        await remote.execute("INSERT INTO s VALUES (2)");
        assert.equal(await value(client, "SELECT count(*) FROM s"), 1n, "it does not follow by itself");
        const second = await client.sync();
        assert.ok(second.frame_no > first.frame_no);
        assert.equal(await value(client, "SELECT count(*) FROM s"), 2n);
        assert.equal((await client.sync()).frame_no, second.frame_no);
        client.close();
    },

    async interval() {
        const client = open({ syncInterval: 0.1 });
        await remote.execute("CREATE TABLE i (v)");
        for (let n = 1n; n <= 3n; n++) {
            await remote.execute("INSERT INTO i VALUES (1)");
            await until(async () => await value(client, "SELECT count(*) FROM sqlite_schema WHERE name = 'i'") === 1n
                && await value(client, "SELECT count(*) FROM i") === n);
        }
        client.close();
    },

    async readYourWrites() {
        const client = open();
        await client.execute("CREATE TABLE r (v)");
        for (let n = 1n; n <= 20n; n++) {
            await client.execute("INSERT INTO r VALUES (1)");
            assert.equal(await value(client, "SELECT count(*) FROM r"), n);
        }
        client.close();
        const other = open({ readYourWrites: false });
        await other.sync();
        await other.execute("INSERT INTO r VALUES (1)");
        assert.equal(await value(other, "SELECT count(*) FROM r"), 20n);
        assert.equal(await value(remote, "SELECT count(*) FROM r"), 21n);
        await other.sync();
        assert.equal(await value(other, "SELECT count(*) FROM r"), 21n);
        other.close();
    },

    async values() {
        const client = open();
        await client.execute("CREATE TABLE v (a ANY) STRICT");
        const written = [null, 0n, -1n, 9007199254740993n, 9223372036854775807n, -9223372036854775808n, 0.5, -0.1, 1e300, -1e300,
            Number.MIN_VALUE, Number.MAX_VALUE, -Number.MAX_VALUE, 2.2250738585072014e-308, "", "h\u00e4\u20ac\u{1f600}", "\"'\\\n",
            Buffer.alloc(0), Buffer.from([0, 1, 255])];
        for (const one of written) {
            await client.execute({ sql: "INSERT INTO v VALUES (?)", args: [one] });
        }
        const expected = written.map((one) => [one]);
        assert.deepEqual(await values(client, "SELECT a FROM v ORDER BY rowid"), expected);
        assert.deepEqual(await values(remote, "SELECT a FROM v ORDER BY rowid"), expected);
        client.close();
    },

    async largeBlobs() {
        const client = open();
        await client.execute("CREATE TABLE l (id INTEGER PRIMARY KEY, b BLOB, t TEXT)");
        const blob = Buffer.alloc(5 << 20);
        blob.forEach((_, i) => { blob[i] = (i * 31) >> 3; });
        await client.execute({ sql: "INSERT INTO l (b, t) VALUES (?, ?)", args: [blob, "\u{1f40e}".repeat(1 << 18)] });
        for (const one of [client, remote]) {
            const [[read, text]] = await values(one, "SELECT b, t FROM l");
            assert.equal(Buffer.compare(read, blob), 0);
            assert.equal(text, "\u{1f40e}".repeat(1 << 18));
        }
        client.close();
    },

    async args() {
        const client = open();
        await client.execute("CREATE TABLE a (x, y, z)");
        await client.execute({ sql: "INSERT INTO a VALUES (:x, @y, $z)", args: { x: 1n, "@y": "two", $z: null } });
        await client.execute({ sql: "INSERT INTO a VALUES (?2, ?1, ?2)", args: ["one", "two"] });
        await client.execute("INSERT INTO a VALUES (?, ?, 5)", [true, new Date(1234)]);
        const expected = [[1n, "two", null], ["two", "one", "two"], [1n, 1234, 5n]];
        assert.deepEqual(await values(client, "SELECT * FROM a"), expected);
        assert.deepEqual(await values(client, "SELECT z FROM a WHERE y = :y", { y: "two" }), [[null]]);
        client.close();
    },

    async results() {
        const client = open();
        await client.execute("CREATE TABLE e (id INTEGER PRIMARY KEY, v TEXT)");
        const inserted = await client.execute({ sql: "INSERT INTO e (v) VALUES (?), (?)", args: ["a", "b"] });
        assert.deepEqual([inserted.rowsAffected, inserted.lastInsertRowid], [2, 2n]);
        const selected = await client.execute("SELECT id, v AS w, id + 1 FROM e ORDER BY id");
        assert.deepEqual([selected.columns.slice(0, 2), selected.columnTypes], [["id", "w"], ["INTEGER", "TEXT", ""]]);
        assert.equal(selected.rows[1].w, "b");
        const returned = await client.execute("UPDATE e SET v = v || '!' RETURNING v, id");
        assert.deepEqual(returned.rows.map((row) => [row.v, row.id]), [["a!", 1n], ["b!", 2n]]);
        client.close();
    },

    async batch() {
        const client = open();
        await client.execute("CREATE TABLE b (id INTEGER PRIMARY KEY, v UNIQUE)");
        for (const mode of ["write", "deferred"]) {
            const results = await client.batch(
                [{ sql: "INSERT INTO b (v) VALUES (?)", args: [mode] }, "SELECT count(*) FROM b", ["SELECT ?", [5n]]], mode);
            assert.equal(results[0].rowsAffected, 1);
            assert.equal(results[1].rows[0][0], mode === "write" ? 1n : 2n);
            assert.equal(results[2].rows[0][0], 5n);
        }
        const read = await client.batch(["SELECT count(*) FROM b", "SELECT 1"], "read");
        assert.equal(read[0].rows[0][0], 2n);
        await failure(client.batch(["INSERT INTO b (v) VALUES (9)"], "read"));
        const failed = await failure(client.batch(["INSERT INTO b (v) VALUES (10)", "INSERT INTO b (v) VALUES (10)"], "write"));
        assert.match(failed.message, /2067.*UNIQUE constraint failed: b.v/);
        const many = Array.from({ length: 100 }, (_, i) => ({ sql: "INSERT INTO b (v) VALUES (?)", args: [1000 + i] }));
        assert.equal((await client.batch(many, "write")).length, 100);
        for (const one of [client, remote]) {
            assert.equal(await value(one, "SELECT count(*) FROM b"), 102n);
        }
        client.close();
    },

    async transaction() {
        const client = open();
        await client.execute("CREATE TABLE x (v)");
        const kept = await client.transaction("write");
        await kept.execute("INSERT INTO x VALUES (1)");
        assert.equal((await kept.execute("SELECT count(*) FROM x")).rows[0][0], 1n);
        assert.equal(await value(remote, "SELECT count(*) FROM x"), 0n, "others do not see it yet");
        await kept.batch(["INSERT INTO x VALUES (2)", { sql: "INSERT INTO x VALUES (?)", args: [3] }]);
        await kept.executeMultiple("INSERT INTO x VALUES (4); INSERT INTO x VALUES (5);");
        await kept.commit();
        for (const one of [client, remote]) {
            assert.equal(await value(one, "SELECT count(*) FROM x"), 5n);
        }

        for (const end of ["rollback", "close"]) {
            const dropped = await client.transaction("write");
            await dropped.execute("DELETE FROM x");
            await dropped[end]();
            await remote.execute("INSERT INTO x VALUES (6)"); // waits for the turn to write, which is free again
        }
        await client.sync();
        assert.equal(await value(client, "SELECT count(*) FROM x"), 7n);

        const failing = await client.transaction("write");
        await failing.execute("INSERT INTO x VALUES (7)");
        assert.match((await failure(failing.execute("INSERT INTO missing VALUES (1)"))).message, /no such table: missing/);
        await failing.execute("INSERT INTO x VALUES (8)");
        await failing.commit();
        assert.equal(await value(client, "SELECT count(*) FROM x"), 9n, "an error leaves the transaction open");

        const reading = await client.transaction("read");
        assert.equal((await reading.execute("SELECT count(*) FROM x")).rows[0][0], 9n);
        await remote.execute("INSERT INTO x VALUES (9)");
        assert.equal((await reading.execute("SELECT count(*) FROM x")).rows[0][0], 9n, "a snapshot");
        reading.close();
        const deferred = await client.transaction("deferred");
        await deferred.execute("SELECT 1");
        await deferred.execute("INSERT INTO x VALUES (10)");
        await deferred.commit();
        assert.equal(await value(client, "SELECT count(*) FROM x"), 11n);
        client.close();
    },

    async multiple() {
        const client = open();
        await client.executeMultiple(`
            CREATE TABLE m (v TEXT); -- a comment; with a semicolon
            INSERT INTO m VALUES ('a;b');
            CREATE TRIGGER mt AFTER INSERT ON m BEGIN UPDATE m SET v = v || '.'; SELECT 1; END;
            INSERT INTO m VALUES ('c');`);
        assert.deepEqual(await values(client, "SELECT v FROM m"), [["a;b."], ["c."]]);
        // The client sends the statements without conditions, so those after one that failed run as well.
        const failed = await failure(client.executeMultiple("INSERT INTO m VALUES ('d'); INSERT INTO none VALUES (1); INSERT INTO m VALUES ('e');"));
        assert.match(failed.message, /no such table: none/);
        assert.deepEqual((await values(client, "SELECT v FROM m")).flat(), ["a;b...", "c...", "d..", "e."]);
        client.close();
    },

    async migrate() {
        const client = open();
        await client.executeMultiple("CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (p REFERENCES p); INSERT INTO p VALUES (1);"
            + "INSERT INTO c VALUES (1);");
        await client.migrate([
            "CREATE TABLE p2 (id INTEGER PRIMARY KEY, more TEXT)",
            "INSERT INTO p2 (id) SELECT id FROM p",
            "DROP TABLE p",
            "ALTER TABLE p2 RENAME TO p",
        ]);
        assert.deepEqual((await client.execute("SELECT * FROM p")).columns, ["id", "more"]);
        assert.equal(await value(client, "SELECT count(*) FROM c"), 1n);
        assert.match((await failure(client.migrate(["CREATE TABLE q (v)", "INSERT INTO none VALUES (1)"]))).message, /no such table: none/);
        assert.match((await failure(client.execute("SELECT * FROM q"))).message, /no such table: q/);
        client.close();
    },

    /** The client has no place but the message for the code of a forwarded statement that fails while it runs. */
    async errors() {
        const client = open();
        await client.executeMultiple("CREATE TABLE f (id INTEGER PRIMARY KEY, u UNIQUE, n NOT NULL, k CHECK (k > 0), r REFERENCES f) ;"
            + "INSERT INTO f VALUES (1, 1, 1, 1, NULL); PRAGMA foreign_keys = on");
        const expected = {
            "INSERT INTO f VALUES (2, 1, 1, 1, NULL)": /2067.*UNIQUE/,
            "INSERT INTO f VALUES (1, 2, 1, 1, NULL)": /1555.*UNIQUE/,
            "INSERT INTO f VALUES (2, 2, NULL, 1, NULL)": /1299.*NOT NULL/,
            "INSERT INTO f VALUES (2, 2, 1, 0, NULL)": /275.*CHECK/,
            "INSERT INTO f VALUES (2, 2, 1, 1, 7)": /787.*FOREIGN KEY/,
            "INSERT INTO f VALUES ('text', 2, 1, 1, 7)": /20.*datatype mismatch/,
        };
        for (const [sql, message] of Object.entries(expected)) {
            assert.match((await failure(client.execute(sql))).message, message, sql);
        }
        for (const sql of ["INSERT INTO missing VALUES (1)", "CREATE TABLE f (x)", "SELECT * FROM missing",
            "SELECT abs(-9223372036854775808)"]) {
            const error = await failure(client.execute(sql));
            assert.deepEqual([error.code, error.rawCode], ["SQLITE_ERROR", 1], sql);
        }
        assert.match((await failure(client.execute("SELEC 1"))).message, /SELEC/);
        assert.equal(await value(client, "SELECT count(*) FROM f"), 1n, "the connection goes on");
        client.close();
    },

    /** Two replicas and a remote client see what any of them wrote. */
    async each() {
        const one = open();
        const two = open();
        await one.execute("CREATE TABLE h (who TEXT)");
        for (const [name, client] of Object.entries({ one, two, remote })) {
            await client.execute({ sql: "INSERT INTO h VALUES (?)", args: [name] });
        }
        for (const replica of [one, two]) {
            await replica.sync();
            assert.deepEqual(await values(replica, "SELECT who FROM h"), [["one"], ["two"], ["remote"]]);
        }
        assert.deepEqual(await values(remote, "SELECT who FROM h"), [["one"], ["two"], ["remote"]]);
        one.close();
        two.close();
    },

    /** A file that was a replica goes on being one. */
    async reopened() {
        const client = open();
        await client.execute("CREATE TABLE o (v)");
        await client.reconnect();
        await remote.execute("INSERT INTO o VALUES (1)");
        await client.sync();
        assert.equal(await value(client, "SELECT count(*) FROM o"), 1n);
        client.close();
    },
};

async function until(condition) {
    while (!await condition()) {
        await sleep(5);
    }
}

for (const [name, run] of Object.entries(cases)) {
    console.log(name);
    await run();
}
remote.close();
console.log("all well");
