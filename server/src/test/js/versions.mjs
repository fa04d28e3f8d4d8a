// Prints the versions of the clients that the tests run.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

createRequire(import.meta.url)("libsql"); // its native part loads
for (const [name, wanted] of Object.entries(JSON.parse(readFileSync("package.json")).dependencies)) {
    const { version } = JSON.parse(readFileSync(`node_modules/${name}/package.json`));
    if (version !== wanted) {
        throw new Error(`${name}: found ${version}, wanted ${wanted}; run ./dev test, which installs it`);
    }
    console.log(`${name} ${version}`);
}
