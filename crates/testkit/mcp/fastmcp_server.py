#!/usr/bin/env python3
"""A server built with FastMCP, as many are.

    server.py PORT KEY RECORD NAME [CERTIFICATE PRIVATE_KEY]

KEY and RECORD are there because other servers take them; it asks for no key and keeps no record.
"""

import sys

import uvicorn
from fastmcp import FastMCP

server = FastMCP("fastmcp")


@server.tool
def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


@server.tool
def delete_everything(name: str) -> str:
    """Deletes what has this name."""
    return f"{name} is gone"


@server.resource("data://config")
def config() -> dict:
    """How it is configured."""
    return {"colour": "blue"}


@server.prompt
def review(code: str) -> str:
    """Asks for a review."""
    return f"Please review {code}"


if __name__ == "__main__":
    port, _key, _record, name, *tls = sys.argv[1:]
    files = {"ssl_certfile": tls[0], "ssl_keyfile": tls[1]} if tls else {}
    app = server.http_app(path="/mcp", allowed_hosts=[name, f"{name}:*", "localhost:*", "127.0.0.1:*"])
    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning", timeout_graceful_shutdown=1, **files)
