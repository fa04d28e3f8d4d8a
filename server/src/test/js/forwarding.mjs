// Writes of an embedded replica are passed on to its primary: node forwarding.mjs FILE URL. Ends with 0 if all is as it should be.
import assert from "node:assert/strict";
import Database from "libsql";

const [file, syncUrl] = process.argv.slice(2);
const db = new Database(file, { syncUrl });
const all = (sql, ...args) => db.prepare(sql).all(...args);
const failure = (action) => {
    try {
        action();
    } catch (e) {
        return e;
    }
    throw new Error("it succeeded");
};

// Reads see what was just written, without sync().
db.exec("CREATE TABLE t (id INTEGER PRIMARY KEY, v, n TEXT UNIQUE); CREATE TABLE empty (a)");
const insert = db.prepare("INSERT INTO t (v) VALUES (?)");
let info = insert.run(["first"]);
assert.equal(info.changes, 1);
assert.equal(info.lastInsertRowid, 1);
assert.deepEqual(all("SELECT v FROM t"), [{ v: "first" }]);

// All kinds of values.
const values = [null, 1.5, -0.1, 12345678901234567890n & 0x7fffffffffffffffn, "", "h\u00e4\u20ac\u{1f600}", Buffer.from([0, 1, 255]), Buffer.alloc(300_000, 7)];
for (const value of values) {
    insert.run([value]);
    const stored = db.prepare("SELECT v FROM t WHERE id = (SELECT max(id) FROM t)").safeIntegers(typeof value === "bigint").all()[0].v;
    if (Buffer.isBuffer(value)) {
        assert.deepEqual(Buffer.from(stored), value);
    } else {
        assert.equal(stored, value);
    }
}

// Named and positional arguments, and rows of a write.
db.prepare("INSERT INTO t (v, n) VALUES (:v, @n)").run({ v: "named", n: "one" });
db.prepare("UPDATE t SET v = $v WHERE n = :n").run({ v: "changed", n: "one" });
assert.deepEqual(all("SELECT v, n FROM t WHERE n = ?", ["one"]), [{ v: "changed", n: "one" }]);
assert.deepEqual(all("INSERT INTO t (v, n) VALUES (?, ?) RETURNING v, n", ["back", "two"]), [{ v: "back", n: "two" }]);

// Errors of SQLite arrive with their codes.
const unique = failure(() => db.prepare("INSERT INTO t (n) VALUES (?)").run(["one"]));
assert.match(unique.message, /2067.*UNIQUE constraint failed: t.n/); // the client knows no other place for the code
assert.match(failure(() => db.exec("INSERT INTO nowhere VALUES (1)")).message, /no such table: nowhere/);
assert.match(failure(() => db.exec("ATTACH 'x.db' AS x")).message, /./);

// Transactions, kept and rolled back; inside, reads see what was written.
const count = () => all("SELECT count(*) AS c FROM t")[0].c;
const before = count();
const move = db.transaction((fail) => {
    const then = count();
    insert.run(["in transaction"]);
    assert.equal(count(), then + 1);
    if (fail) {
        throw new Error("changed my mind");
    }
});
move(false);
assert.equal(failure(() => { move.immediate(true); }).message, "changed my mind");
assert.equal(count(), before + 1);
db.exec("BEGIN IMMEDIATE");
assert.equal(db.inTransaction, true);
insert.run(["kept"]);
db.exec("COMMIT");
assert.equal(db.inTransaction, false);
db.exec("BEGIN");
insert.run(["dropped"]);
db.exec("ROLLBACK");
assert.deepEqual(all("SELECT v FROM t ORDER BY id DESC LIMIT 1"), [{ v: "kept" }]);

// Passed on as well.
db.exec("PRAGMA user_version = 7");
assert.deepEqual(all("PRAGMA user_version"), [{ user_version: 7 }]);
assert.deepEqual(all("SELECT * FROM empty"), []);
console.log("all well");
