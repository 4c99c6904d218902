"""Starts a server of tools as a bridge does, speaks the protocol of 2025-11-25 with it line by line, and prints what it answers."""

import json
import os
import subprocess
import sys

job = json.load(open("job.json"))
server = subprocess.Popen([job["program"], "mcp", "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def say(message):
    server.stdin.write(json.dumps(message).encode() + b"\n")
    server.stdin.flush()


def ask(number, method, params):
    say({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
    while True:
        line = server.stdout.readline()
        if not line:
            sys.exit(f"the server ended with {server.wait()}")
        answer = json.loads(line)
        if answer.get("id") == number:
            return answer


say(job["first"])
client = {"name": "test", "version": "1"}
ask(0, "initialize", {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client})
say({"jsonrpc": "2.0", "method": "notifications/initialized"})
for number, (method, params) in enumerate(job["asks"], 1):
    print(json.dumps(ask(number, method, params)), flush=True)
# What the server itself holds, as one who took it over would see it.
environment = open(f"/proc/{server.pid}/environ", "rb").read()
open("environment", "wb").write(environment)
server.stdin.close()
sys.exit(server.wait())
