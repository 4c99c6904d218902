"use strict";
// What the programs share: each prints one object of JSON, with what came of each thing that it tried.
const { execFileSync } = require("child_process");

const ASK = "RUN: echo one\nRUN: echo two";
const SCHEMA = { type: "object", properties: { command: { type: "string" } }, required: ["command"] };

/** The tool: a command, in the sandbox. */
const run = ({ command }) => execFileSync("bash", ["-c", command], { encoding: "utf8" }).trim();

/** Calls `step` until it says something: it gives back the words, or none where it called a tool. */
async function loop(step) {
  for (let steps = 0; steps < 5; steps++) {
    const said = await step();
    if (said !== undefined) return { steps, said };
  }
}

/** The error that a call ends with, as its caller sees it. */
async function raised(call) {
  try {
    return { none: JSON.stringify(await call()) };
  } catch (error) {
    const header = (name) => error.headers?.get?.(name) ?? error.headers?.[name] ?? null;
    return { class: error.constructor.name, status: error.status ?? null, words: error.message, retry_after: header("retry-after") };
  }
}

async function all(stream, read) {
  const parts = [];
  for await (const item of stream) {
    const part = read(item);
    if (part) parts.push(part);
  }
  return { said: parts.join(""), pieces: parts.length };
}

/** Tries each, and prints what came of it. */
async function report(cases) {
  const told = {};
  for (const [name, attempt] of Object.entries(cases)) {
    try {
      told[name] = await attempt();
    } catch (error) {
      told[name] = { broken: `${error.constructor.name}: ${error.message}` };
    }
  }
  console.log(JSON.stringify(told));
}

module.exports = { ASK, SCHEMA, run, loop, raised, all, report };
