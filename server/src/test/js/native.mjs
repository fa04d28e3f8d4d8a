// The native client on an http URL: cursors and pipelines of version 3. node native.mjs URL
import assert from "node:assert/strict";
import Database from "libsql/promise";

const db = new Database(process.argv[2]);
await db.exec("CREATE TABLE n (id INTEGER PRIMARY KEY, a, b)");
const insert = await db.prepare("INSERT INTO n (a, b) VALUES (?, ?)");
await insert.run(["text", Buffer.from([0, 1, 255])]);
await insert.run([0.5, null]);
const select = await db.prepare("SELECT id, a, b FROM n ORDER BY id");
const rows = await select.all([]);
assert.equal(rows.length, 2);
assert.deepEqual([rows[0].id, rows[0].a, Buffer.from(rows[0].b)], [1, "text", Buffer.from([0, 1, 255])]);
assert.deepEqual([rows[1].a, rows[1].b], [0.5, null]);
// It sends no named arguments to an http URL, whatever it is given.
const refused = await db.prepare("SELECT :x AS x");
await assert.rejects(async () => refused.all({ x: "y" }), /ARGS_INVALID/);
await db.exec("WITH RECURSIVE i(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM i WHERE x < 20000) INSERT INTO n (a) SELECT x FROM i");
assert.equal((await (await db.prepare("SELECT a FROM n WHERE id > 2")).all([])).length, 20000);
await assert.rejects(async () => (await db.prepare("INSERT INTO n (id) VALUES (1)")).run([]), /UNIQUE|constraint/);
await db.exec("BEGIN IMMEDIATE; INSERT INTO n (a) VALUES ('gone'); ROLLBACK;");
assert.equal((await (await db.prepare("SELECT count(*) AS c FROM n WHERE a = 'gone'")).all([]))[0].c, 0);
db.close();
console.log("passed");
