// A worker thread, a child process and a file watcher.
import { execFileSync } from "node:child_process";
import { watch, writeFileSync } from "node:fs";
import { once } from "node:events";
import { Worker } from "node:worker_threads";

const source = "require('worker_threads').parentPort.postMessage(6 * 7)";
const [answer] = await once(new Worker(source, { eval: true }), "message");
console.log("worker", answer);
console.log("child", execFileSync(process.execPath, ["-p", "'ok'"]).toString().trim());
writeFileSync("watched", "before");
const watcher = watch("watched");
const changed = once(watcher, "change");
writeFileSync("watched", "after");
await changed;
watcher.close();
console.log("watched");
