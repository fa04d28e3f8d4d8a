// Unmodified clients with tokens: node auth.mjs DIRECTORY URL READ_WRITE READ_ONLY EXPIRED. Ends with 0 if all is as it should be.
import assert from "node:assert/strict";
import { join } from "node:path";
import { createClient } from "@libsql/client";
import { connect } from "@tursodatabase/serverless";
import Database from "libsql";
import AsyncDatabase from "libsql/promise";

const [directory, url, readWrite, readOnly, expired] = process.argv.slice(2);
const bad = { missing: undefined, expired, foreign: readWrite.slice(0, -8) + "AAAAAAAA", nonsense: "nonsense" };
const failure = async (action) => {
    try {
        await action();
    } catch (e) {
        return e;
    }
    throw new Error("it succeeded");
};
const reason = { missing: /asks for a token/, expired: /expired/, foreign: /no key of this server/, nonsense: /three parts/ };
const codes = { missing: "AUTH_JWT_MISSING", expired: "AUTH_JWT_EXPIRED", foreign: "AUTH_JWT_INVALID", nonsense: "AUTH_JWT_INVALID" };

// Over http and ws.
for (const remote of [url, url.replace("http:", "ws:")]) {
    const writer = createClient({ url: remote, authToken: readWrite });
    await writer.execute("CREATE TABLE IF NOT EXISTS t (v)");
    await writer.batch(["INSERT INTO t VALUES (1)"], "write");
    const reader = createClient({ url: remote, authToken: readOnly });
    assert.ok((await reader.execute("SELECT count(*) AS c FROM t")).rows[0].c > 0);
    assert.equal((await reader.batch(["SELECT 1", "SELECT 2"], "read")).length, 2);
    const refused = await failure(() => reader.execute("INSERT INTO t VALUES (2)"));
    assert.deepEqual([refused.code, refused.message], ["SQLITE_READONLY", "SQLITE_READONLY: the token of this client is for reading only"]);
    const named = createClient({ url: `${remote}/app/`, authToken: readWrite }); // without the last / it is lost over http
    assert.equal((await named.execute("SELECT count(*) AS c FROM t")).rows[0].c, 0);
    named.close();
    assert.equal((await failure(() => reader.transaction("write").then((t) => t.execute("SELECT 1")))).code, "SQLITE_READONLY");
    for (const [name, authToken] of Object.entries(bad)) {
        const client = createClient({ url: remote, authToken });
        const error = await failure(() => client.execute("SELECT 1"));
        assert.equal(error.code, codes[name], `${remote} ${name}: ${error.message}`);
        assert.match(error.message, reason[name]);
        client.close();
    }
    writer.close();
    reader.close();
}

// As embedded replicas.
const follower = createClient({ url: `file:${join(directory, "writer.db")}`, syncUrl: url, authToken: readWrite });
await follower.execute("INSERT INTO t VALUES (3)");
assert.equal((await follower.execute("SELECT max(v) AS v FROM t")).rows[0].v, 3);
follower.close();
const reading = createClient({ url: `file:${join(directory, "reader.db")}`, syncUrl: url, authToken: readOnly });
await reading.sync();
assert.equal((await reading.execute("SELECT max(v) AS v FROM t")).rows[0].v, 3);
assert.match((await failure(() => reading.execute("INSERT INTO t VALUES (4)"))).message, /8, "the token of this client is for reading only"/);
reading.close();
for (const [name, authToken] of Object.entries(bad)) {
    const error = await failure(() => new Database(join(directory, `${name}.db`), { syncUrl: url, authToken }).sync());
    console.log(name, error.message);
    assert.match(error.message, /401|nauthorized/, name);
}

// Clients of version 3.
const native = new AsyncDatabase(url, { authToken: readOnly });
assert.deepEqual(await (await native.prepare("SELECT max(v) AS v FROM t")).all([]), [{ v: 3 }]);
native.close();
assert.match((await failure(async () => (await new AsyncDatabase(url, { authToken: expired }).prepare("SELECT 1")).all([]))).message, /expired/);
const serverless = connect({ url, authToken: readOnly });
assert.equal((await (await serverless.prepare("SELECT max(v) AS v FROM t")).all())[0].v, 3);
await serverless.close();
assert.match((await failure(async () => (await connect({ url, authToken: expired }).prepare("SELECT 1")).all())).message, /status: 401/);
console.log("all well");
