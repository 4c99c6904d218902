"use strict";
const OpenAI = require("openai").default;
const { ASK, SCHEMA, run, loop, raised, all, report } = require("./common.cjs");

const client = new OpenAI();
const HI = [{ role: "user", content: "hi" }];
const TOOL = { type: "function", function: { name: "run", parameters: SCHEMA } };
const FLAT = { type: "function", name: "run", parameters: SCHEMA, strict: false };
const chat = (more, options) => client.chat.completions.create({ model: "gpt-5-mini", messages: HI, ...more }, options);
const response = (more) => client.responses.create({ model: "gpt-5-mini", input: "hi", ...more });

function tools() {
  const messages = [{ role: "user", content: ASK }];
  return loop(async () => {
    const { message } = (await chat({ messages, tools: [TOOL] })).choices[0];
    messages.push(message);
    for (const call of message.tool_calls ?? []) {
      messages.push({ role: "tool", tool_call_id: call.id, content: run(JSON.parse(call.function.arguments)) });
    }
    return message.tool_calls ? undefined : message.content;
  });
}

function responsesTools() {
  const input = [{ role: "user", content: ASK }];
  return loop(async () => {
    const answer = await response({ input, tools: [FLAT] });
    input.push(...answer.output);
    const calls = answer.output.filter((it) => it.type === "function_call");
    for (const call of calls) input.push({ type: "function_call_output", call_id: call.call_id, output: run(JSON.parse(call.arguments)) });
    return calls.length ? undefined : answer.output_text;
  });
}

async function responsesStreamed() {
  const stream = client.responses.stream({ model: "gpt-5-mini", input: "hi" });
  const told = await all(stream, (it) => it.type === "response.output_text.delta" && it.delta);
  return { ...told, whole: (await stream.finalResponse()).output_text };
}

async function left() {
  for await (const _ of await chat({ model: "fail-never-ends", stream: true })) break;
  return true;
}

report({
  whole: async () => (await chat()).choices[0].message.content,
  streamed: async () => all(await chat({ stream: true }), (it) => it.choices[0]?.delta.content),
  tools,
  responses: async () => (await response()).output_text,
  responses_streamed: responsesStreamed,
  responses_tools: responsesTools,
  models: async () => (await client.models.list()).data.map((it) => it.id),
  embedded: async () => (await client.embeddings.create({ model: "text-embedding-3-small", input: "hi" })).data[0].embedding,
  model: () => raised(() => chat({ model: "gpt-5" })),
  model_streamed: () => raised(() => chat({ model: "gpt-5", stream: true })),
  hosted: () => raised(() => response({ tools: [{ type: "web_search" }] })),
  budget: () => raised(() => chat({ model: "gpt-5-nano" })),
  busy: () => raised(() => chat({ model: "fail-429" }, { maxRetries: 0 })),
  overloaded: () => raised(async () => all(await chat({ model: "fail-mid-stream", stream: true }), (it) => it.id)),
  left,
});
