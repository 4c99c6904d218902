"""The official Python client, in both eras: what it can list, call, read and get."""

import json

import anyio
from mcp.client import Client

URL = "http://mcp.ringfence.internal/lab"


async def use(mode):
    async with Client(URL, mode=mode) as client:
        tools = [it.name for it in (await client.list_tools()).tools]
        called = await client.call_tool("echo", {"text": "from python"})
        read = await client.read_resource("test://static-text")
        got = await client.get_prompt("test_simple_prompt")
        try:
            refused = (await client.call_tool("test_simple_text", {})).content[0].text
        except Exception as error:
            refused = f"error: {error}"
    texts = [called.content[0].text, read.contents[0].text, got.messages[0].content.text]
    print("SHOWN", json.dumps([tools, texts, refused]))


for era in ("legacy", "2026-07-28"):
    anyio.run(use, era)
