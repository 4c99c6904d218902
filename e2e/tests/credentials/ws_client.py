"""A WebSocket client as anybody writes it."""
import asyncio
import os

import websockets

HEADERS = {"Authorization": "Bearer " + os.environ["WS_TOKEN"]}


async def main():
    async with websockets.connect("wss://ws.acme.test/chat", extra_headers=HEADERS) as socket:
        print(await socket.recv())
        await socket.send("one")
        print("echo", await socket.recv())
        await socket.send("x" * 100_000)
        print("echo", len(await socket.recv()))
        await socket.send(b"\0\1")
        print("bytes", await socket.recv())
        await socket.send("split")
        print(await socket.recv())
    try:
        async with websockets.connect("wss://ws.acme.test/plain", extra_headers=HEADERS):
            print("plain was opened")
    except websockets.InvalidStatusCode as error:
        print("plain", error.status_code)


asyncio.run(main())
