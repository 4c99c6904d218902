"""A proxy of FastMCP in front of a server of the Model Context Protocol: proxy.py PORT URL KEY [shared]

Its default is a session upstream for each request. With `shared`, all clients have one in common, which is faster and keeps nobody apart.
"""

import asyncio
import sys

from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport
from fastmcp.server import create_proxy

port, url, key, *how = sys.argv[1:]
transport = StreamableHttpTransport(url, headers={"Authorization": f"Bearer {key}"})
serving = {
    "transport": "http", "host": "127.0.0.1", "port": int(port), "path": "/mcp", "log_level": "error", "show_banner": False,
    "uvicorn_config": {"access_log": False},
}


async def shared():
    async with Client(transport) as client:
        await create_proxy(client, name="bench").run_async(**serving)


if how:
    asyncio.run(shared())
else:
    create_proxy(transport, name="bench").run(**serving)
