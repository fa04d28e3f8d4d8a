// An embedded replica of npm libsql, which does what its standard input says: node embedded.mjs FILE URL [OPTIONS]
// Each line is {"op": ..., "sql": ..., "args": ...}; for each one line comes back, answer: and {"value": ...} or {"error": ..., "code": ...}.
// The client logs to standard output too.
import { createInterface } from "node:readline";
import Database from "libsql";

const [file, syncUrl, options = "{}"] = process.argv.slice(2);
const { wait, ...rest } = JSON.parse(options);
let db;

const operations = {
    open: () => { db = new Database(file, { syncUrl, ...rest }); },
    sync: () => db.sync(),
    all: ({ sql, args = [] }) => db.prepare(sql).all(args),
    run: ({ sql, args = [] }) => db.prepare(sql).run(args),
    exec: ({ sql }) => { db.exec(sql); },
};

const show = (key, value) => typeof value === "bigint" ? Number(value) : value;

for await (const line of createInterface({ input: process.stdin })) {
    const command = JSON.parse(line);
    let answer;
    try {
        answer = { value: await operations[command.op](command) ?? null };
    } catch (e) {
        answer = { error: String(e.message ?? e), code: e.code ?? null, rawCode: e.rawCode ?? null };
    }
    console.log(`answer:${JSON.stringify(answer, show)}`);
}
