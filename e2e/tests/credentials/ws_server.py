"""A WebSocket server that greets with what it was authenticated with, and sends back what it gets."""
import asyncio
import ssl
import sys

import websockets

port, certificate, key = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)


async def chat(socket):
    sent = socket.request_headers.get("Authorization", "nothing")
    print(dict(socket.request_headers), flush=True)
    await socket.send(f"hello {sent}")
    async for message in socket:
        if message == "split":
            # One message in several frames, cut in the middle of the secret.
            secret = sent.partition(" ")[2]
            await socket.send(["split ", secret[:9], secret[9:], "!"])
        else:
            await socket.send(message)


async def main():
    async with websockets.serve(chat, "127.0.0.1", int(port), ssl=context):
        await asyncio.Future()


asyncio.run(main())
