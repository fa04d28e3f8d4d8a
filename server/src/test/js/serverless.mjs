// Turso's serverless client: cursors and pipelines of version 3. node serverless.mjs URL
import assert from "node:assert/strict";
import { connect } from "@tursodatabase/serverless";

const db = connect({ url: process.argv[2], authToken: "" });
await db.exec("CREATE TABLE s (id INTEGER PRIMARY KEY, a); INSERT INTO s (a) VALUES ('one')");
const insert = await db.prepare("INSERT INTO s (a) VALUES (?)");
await insert.run(["two"]);
const rows = await (await db.prepare("SELECT id, a FROM s ORDER BY id")).all();
assert.deepEqual(rows.map((row) => row.a), ["one", "two"]);
assert.equal((await (await db.prepare("SELECT a FROM s WHERE id = ?")).get([2])).a, "two");
await db.batch(["INSERT INTO s (a) VALUES ('three')", "INSERT INTO s (a) VALUES ('four')"]);
let seen = 0;
for await (const row of (await db.prepare("SELECT * FROM s")).iterate()) {
    seen += row.id > 0 ? 1 : 0;
}
assert.equal(seen, 4);
await assert.rejects(async () => (await db.prepare("SELECT * FROM missing")).all(), /no such table/);
await db.close();
console.log("passed");
