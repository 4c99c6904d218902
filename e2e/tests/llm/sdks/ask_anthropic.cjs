"use strict";
const Anthropic = require("@anthropic-ai/sdk").default;
const { ASK, SCHEMA, run, loop, raised, all, report } = require("./common.cjs");

const client = new Anthropic();
const HI = { model: "claude-haiku-4-5", max_tokens: 64, messages: [{ role: "user", content: "hi" }] };
const TOOL = { name: "run", input_schema: SCHEMA };
const ask = (more, options) => client.messages.create({ ...HI, ...more }, options);

function looped(send) {
  const messages = [{ role: "user", content: ASK }];
  return loop(async () => {
    const message = await send(messages);
    messages.push({ role: "assistant", content: message.content });
    const calls = message.content.filter((it) => it.type === "tool_use");
    if (!calls.length) return message.content[0].text;
    messages.push({ role: "user", content: calls.map((it) => ({ type: "tool_result", tool_use_id: it.id, content: run(it.input) })) });
  });
}

async function streamed() {
  const stream = client.messages.stream(HI);
  const told = await all(stream, (it) => it.type === "content_block_delta" && it.delta.text);
  const message = await stream.finalMessage();
  return { ...told, whole: message.content[0].text, counted: message.usage.output_tokens };
}

async function left() {
  for await (const _ of await ask({ model: "fail-never-ends", stream: true })) break;
  return true;
}

report({
  whole: async () => (await ask()).content[0].text,
  streamed,
  tools: () => looped((messages) => ask({ messages, tools: [TOOL] })),
  tools_streamed: () => looped((messages) => client.messages.stream({ ...HI, messages, tools: [TOOL] }).finalMessage()),
  models: async () => (await client.models.list()).data.map((it) => it.id),
  counted: async () => (await client.messages.countTokens({ model: HI.model, messages: HI.messages })).input_tokens,
  model: () => raised(() => ask({ model: "claude-opus-4-5" })),
  model_streamed: () => raised(() => ask({ model: "claude-opus-4-5", stream: true })),
  hosted: () => raised(() => ask({ tools: [{ type: "web_search_20250305", name: "web_search" }] })),
  budget: () => raised(() => ask({ model: "claude-haiku-3-5" })),
  busy: () => raised(() => ask({ model: "fail-429" }, { maxRetries: 0 })),
  overloaded: () => raised(async () => all(await ask({ model: "fail-mid-stream", stream: true }), (it) => it.type)),
  left,
});
