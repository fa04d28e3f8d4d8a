// One workload through libSQL's client: node bench.mjs URL [URL...]. Prints a line of JSON for each figure.
// A URL "floor" stands for a server in this process's sibling that answers every request with one constant row: the client's own cost.
import { fork } from "node:child_process";
import http from "node:http";
import { createClient } from "@libsql/client";

const SECONDS = 3;
const WARM_UP_SECONDS = 1;
const COMPILE_SECONDS = 8; // until the server's JVM has compiled what it runs often

if (process.argv[2] === "serve-constant") {
    const result = { cols: [{ name: "v", decltype: null }], rows: [[{ type: "text", value: "x".repeat(20) }]], affected_row_count: 0,
        last_insert_rowid: "0" };
    const body = JSON.stringify({ baton: null, base_url: null, results: [
        { type: "ok", response: { type: "execute", result } }, { type: "ok", response: { type: "close" } }] });
    http.createServer((request, response) => {
        request.resume().on("end", () => response.setHeader("content-type", "application/json").end(body));
    }).listen(0, "127.0.0.1", function () { process.send(this.address().port); });
} else {
    for (const target of process.argv.slice(2)) {
        await measure(target);
    }
}

async function measure(target) {
    const child = target === "floor" ? fork(process.argv[1], ["serve-constant"]) : undefined;
    const url = child ? `http://127.0.0.1:${await new Promise((resolve) => child.once("message", resolve))}` : target;
    const client = createClient({ url });
    const kind = child ? "floor" : new URL(target).protocol.slice(0, -1);
    let key = 0;
    const read = () => client.execute({ sql: "SELECT v FROM bench WHERE id = ?", args: [(key++ * 7919) % 10000] });
    const write = () => client.execute({ sql: "INSERT INTO written (v) VALUES (?)", args: ["a value of some length"] });
    await run(read, 16, COMPILE_SECONDS);
    for (const [name, one, lanes] of [["read", read, 1], ["read", read, 16], ["write", write, 1], ["write", write, 16]]) {
        if (name === "read" || !child) {
            await run(one, lanes, WARM_UP_SECONDS);
            console.log(JSON.stringify({ kind, name, lanes, ...(await run(one, lanes, SECONDS)) }));
        }
    }
    client.close();
    child?.kill();
}

async function run(one, lanes, seconds) {
    const times = [];
    const start = performance.now();
    const end = start + seconds * 1000;
    await Promise.all(Array.from({ length: lanes }, async () => {
        for (let now = performance.now(); now < end;) {
            await one();
            const then = now;
            now = performance.now();
            times.push(now - then);
        }
    }));
    times.sort((a, b) => a - b);
    return { perSecond: times.length / ((performance.now() - start) / 1000), p99Millis: times[Math.floor(times.length * 0.99)] };
}
