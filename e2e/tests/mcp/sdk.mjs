// The official TypeScript clients: what they can list, call, read and get.
//
//   node sdk.mjs MODULES
import { pathToFileURL } from 'node:url';

const from = (name) => import(pathToFileURL(`${process.argv[2]}/@modelcontextprotocol/${name}`).href);
const one = { ...(await from('sdk/dist/esm/client/index.js')), ...(await from('sdk/dist/esm/client/streamableHttp.js')) };
const two = await from('client/dist/index.mjs');
const url = new URL('http://mcp.ringfence.internal/lab');

for (const [sdk, options] of [[one, {}], [two, {}], [two, { versionNegotiation: { mode: 'auto' } }]]) {
  const client = new sdk.Client({ name: 'agent', version: '1' }, { capabilities: {}, ...options });
  await client.connect(new sdk.StreamableHTTPClientTransport(url));
  const tools = (await client.listTools()).tools.map((it) => it.name);
  const called = await client.callTool({ name: 'echo', arguments: { text: 'from typescript' } });
  const read = await client.readResource({ uri: 'test://static-text' });
  const got = await client.getPrompt({ name: 'test_simple_prompt' });
  let refused;
  try {
    refused = (await client.callTool({ name: 'test_simple_text', arguments: {} })).content[0].text;
  } catch (error) {
    refused = `error: ${error.message}`;
  }
  const texts = [called.content[0].text, read.contents[0].text, got.messages[0].content.text];
  console.log('SHOWN', JSON.stringify([tools, texts, refused]));
  await client.close();
}
