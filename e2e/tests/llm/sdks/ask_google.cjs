"use strict";
const { GoogleGenAI } = require("@google/genai");
const { ASK, SCHEMA, run, loop, raised, all, report } = require("./common.cjs");

const client = new GoogleGenAI({});
const HI = { model: "gemini-2.5-flash", contents: "hi" };
const TOOL = { functionDeclarations: [{ name: "run", parametersJsonSchema: SCHEMA }] };
const ask = (more) => client.models.generateContent({ ...HI, ...more });
const stream = (more) => client.models.generateContentStream({ ...HI, ...more });

function tools() {
  const contents = [{ role: "user", parts: [{ text: ASK }] }];
  return loop(async () => {
    const answer = await ask({ contents, config: { tools: [TOOL] } });
    contents.push(answer.candidates[0].content);
    for (const call of answer.functionCalls ?? []) {
      contents.push({ role: "user", parts: [{ functionResponse: { name: call.name, response: { output: run(call.args) } } }] });
    }
    return answer.functionCalls ? undefined : answer.text;
  });
}

async function models() {
  const names = [];
  for await (const it of await client.models.list()) names.push(it.name.replace("models/", ""));
  return names;
}

async function left() {
  // Its stream goes on by itself; what ends it is a signal.
  const controller = new AbortController();
  const answers = await stream({ model: "fail-never-ends", config: { abortSignal: controller.signal } });
  await answers.next();
  controller.abort();
  return true;
}

report({
  whole: async () => (await ask()).text,
  streamed: async () => all(await stream(), (it) => it.text),
  tools,
  models,
  counted: async () => (await client.models.countTokens(HI)).totalTokens,
  embedded: async () => (await client.models.embedContent({ model: "gemini-embedding-001", contents: "hi" })).embeddings[0].values,
  model: () => raised(() => ask({ model: "gemini-2.5-pro" })),
  model_streamed: () => raised(async () => all(await stream({ model: "gemini-2.5-pro" }), (it) => it.text)),
  hosted: () => raised(() => ask({ config: { tools: [{ googleSearch: {} }] } })),
  budget: () => raised(() => ask({ model: "gemini-2.0-flash" })),
  busy: () => raised(() => ask({ model: "fail-429" })),
  overloaded: () => raised(async () => all(await stream({ model: "fail-mid-stream" }), (it) => it.text)),
  left,
});
