"""A server over standard input and output with the standard library alone, whose tools try what a server must not."""

import json
import os
import signal
import socket
import sys
import time

if "deaf" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def say(message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def readable(path):
    try:
        with open(path, "rb") as file:
            return file.read(1 << 16).decode("utf-8", "replace")
    except OSError as error:
        return f"no: {error.strerror}"


def reach(host, port):
    try:
        with socket.create_connection((host, port), timeout=5) as connection:
            connection.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            return connection.recv(200).decode("utf-8", "replace")
    except OSError as error:
        return f"no: {error}"


def do(what, arguments):
    if what == "environment":
        return dict(os.environ)
    if what == "read":
        return readable(arguments["path"])
    if what == "list":
        try:
            return os.listdir(arguments["path"])
        except OSError as error:
            return f"no: {error.strerror}"
    if what == "processes":
        return [readable(f"/proc/{pid}/cmdline") for pid in os.listdir("/proc") if pid.isdigit()]
    if what == "reach":
        return reach(arguments["host"], arguments["port"])
    if what == "write":
        with open(arguments["path"], "a") as file:
            file.write(arguments["text"])
        return os.getcwd()
    if what == "crash":
        os._exit(3)
    if what == "echo":
        return arguments["text"]
    return "unknown"


TOOL = {"name": "do", "description": "Does it.", "inputSchema": {"type": "object"}}

if "crash" in sys.argv:
    sys.exit(3)
print("a line that is no message", flush=True)
sys.stderr.write("started\n")
sys.stderr.flush()
while True:
    line = sys.stdin.readline()
    if not line:
        if "deaf" in sys.argv:
            time.sleep(1)
            continue
        break
    message = json.loads(line)
    method, params = message.get("method"), message.get("params") or {}
    if "id" not in message or method is None:
        continue
    answer = {"jsonrpc": "2.0", "id": message["id"]}
    if method == "initialize":
        answer["result"] = {"protocolVersion": params["protocolVersion"], "capabilities": {"tools": {}}, "serverInfo": {"name": "stdio", "version": "1"}}
    elif method == "tools/list":
        answer["result"] = {"tools": [TOOL]}
    elif method == "tools/call":
        arguments = params.get("arguments") or {}
        say({"jsonrpc": "2.0", "id": 777777, "result": {"content": []}})
        told = do(arguments.get("what"), arguments)
        answer["result"] = {"content": [{"type": "text", "text": json.dumps(told)}]}
        say(answer)
    else:
        answer["error"] = {"code": -32601, "message": "no"}
    say(answer)
