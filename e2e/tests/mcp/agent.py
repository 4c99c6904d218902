"""An agent's side of the Model Context Protocol with the standard library alone, so that tests can say every octet of it.

What arrives is printed when the program ends, lines that start with SEEN. What a test wants to look at is printed by `show`.
"""

import atexit
import base64
import http.client
import json
import os
import ssl
import time
import urllib.parse

GATEWAY = "http://mcp.ringfence.internal"
SESSIONS, STATELESS = "2025-11-25", "2026-07-28"
META = "io.modelcontextprotocol/"
ENOUGH = 1 << 18
SEEN = []


@atexit.register
def _tell():
    for line in SEEN:
        print("SEEN", json.dumps(line[:ENOUGH]))


def show(value):
    print("SHOWN", json.dumps(value), flush=True)


class Reply:
    """What came back: status, headers, text, and the messages in it."""

    def __init__(self, status, headers, text, messages, failed=None):
        self.status, self.headers, self.text, self.messages, self.failed = status, headers, text, messages, failed

    def header(self, name):
        return next((value for known, value in self.headers if known.lower() == name.lower()), None)


class Client:
    def __init__(self, server, era=SESSIONS, base=GATEWAY, capabilities=None, headers=None, timeout=20):
        self.url = urllib.parse.urlsplit(f"{base}/{server}")
        self.era, self.timeout = era, timeout
        self.capabilities = capabilities if capabilities is not None else {"elicitation": {"form": {}, "url": {}}, "sampling": {}, "roots": {}}
        self.headers = headers or {}
        self.session, self.connection, self.count = None, None, 0
        self.asked, self.answers = [], {}
        self.notes = []

    # HTTP.

    def connect(self):
        if self.url.scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(self.url.netloc, timeout=self.timeout, context=context)
        return http.client.HTTPConnection(self.url.netloc, timeout=self.timeout)

    def http(self, method, body=None, headers=None, path=None, fresh=False):
        """One exchange, whatever is in it. A header that is None is left out."""
        given = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json", **self.headers}
        if self.session and self.era == SESSIONS:
            given |= {"Mcp-Session-Id": self.session, "MCP-Protocol-Version": self.era}
        given |= headers or {}
        given = {name: value for name, value in given.items() if value is not None}
        connection = self.connect() if fresh or self.connection is None else self.connection
        try:
            connection.request(method, path or self.url.path, body, given)
            response = connection.getresponse()
            reply = self.read(response, body)
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            self.connection = None
            SEEN.append(f"failed: {error}")
            return Reply(0, [], "", [], repr(error))
        if fresh or response.will_close:
            connection.close()
            connection = None
        if not fresh:
            self.connection = connection
        return reply

    def read(self, response, body):
        headers = response.getheaders()
        SEEN.append(f"{response.status} {headers}")
        if "text/event-stream" in (response.getheader("Content-Type") or ""):
            return self.stream(response, headers)
        text = response.read().decode("utf-8", "replace")
        SEEN.append(text)
        try:
            message = json.loads(text)
            messages = message if isinstance(message, list) else [message]
        except (ValueError, RecursionError):
            messages = []
        return Reply(response.status, headers, text, messages)

    def stream(self, response, headers):
        messages, data, text = [], [], ""
        try:
            while line := response.readline():
                line = line.decode("utf-8", "replace")
                if len(text) < ENOUGH:
                    text += line
                if line.startswith("data:"):
                    data.append(line[5:].strip())
                elif line.strip() == "" and data:
                    message = "\n".join(data)
                    data = []
                    if message:
                        messages.append(json.loads(message))
                        self.hear(messages[-1])
        except (OSError, http.client.HTTPException, ValueError, RecursionError) as error:
            SEEN.extend([text, f"failed: {error}"])
            return Reply(response.status, headers, text, messages, repr(error))
        SEEN.append(text)
        return Reply(response.status, headers, text, messages)

    def hear(self, message):
        if "method" not in message:
            return
        if "id" not in message:
            self.notes.append(message)
            return
        self.asked.append(message)
        result = self.answers.get(message["method"])
        answer = {"result": result} if result is not None else {"error": {"code": -32601, "message": "no"}}
        self.http("POST", json.dumps({"jsonrpc": "2.0", "id": message["id"], **answer}), fresh=True)

    # JSON-RPC.

    def open(self):
        """Begins a session, where this era has them. Gives what the server says of itself."""
        if self.era == STATELESS:
            return self.ask("server/discover", {})
        info = {"name": "agent", "version": "1"}
        params = {"protocolVersion": self.era, "capabilities": self.capabilities, "clientInfo": info}
        reply = self.post("initialize", params)
        self.session = reply.header("Mcp-Session-Id")
        self.http("POST", json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}))
        return self.found(reply)

    def body(self, method, params):
        self.count += 1
        params = dict(params)
        if self.era == STATELESS:
            meta = {META + "protocolVersion": STATELESS, META + "clientCapabilities": self.capabilities}
            meta[META + "clientInfo"] = {"name": "agent", "version": "1"}
            params["_meta"] = {**meta, **params.get("_meta", {})}
        return {"jsonrpc": "2.0", "id": self.count, "method": method, "params": params}

    def standard(self, body):
        """The headers that repeat what is in the body."""
        if self.era == SESSIONS:
            return {}
        params = body["params"]
        name = params.get("name") or params.get("uri")
        if isinstance(name, str) and (not name.isascii() or name.strip() != name):
            name = f"=?base64?{base64.b64encode(name.encode()).decode()}?="
        return {"MCP-Protocol-Version": STATELESS, "Mcp-Method": body["method"]} | ({"Mcp-Name": name} if name else {})

    def post(self, method, params, headers=None):
        body = self.body(method, params)
        return self.http("POST", json.dumps(body), {**self.standard(body), **(headers or {})})

    def ask(self, method, params=None, headers=None):
        """The answer to a request: `result` or `error`, and the HTTP status where there is none."""
        return self.found(self.post(method, params or {}, headers))

    def found(self, reply):
        for message in reply.messages:
            if message.get("id") == self.count and "method" not in message:
                return {key: message[key] for key in ("result", "error") if key in message}
        error = next((it["error"] for it in reply.messages if "error" in it), None)
        return {"status": reply.status, "failed": reply.failed} | ({"error": error} if error else {})

    def do(self, what, **more):
        """What the hostile server's one tool does."""
        return self.tool("do", what=what, **more)

    def tool(self, tool, **arguments):
        meta = {"progressToken": f"p{self.count}"}
        return self.ask("tools/call", {"name": tool, "arguments": arguments, "_meta": meta})

    def tools(self):
        return self.ask("tools/list")["result"]["tools"]


def connect(server, era=SESSIONS, **options):
    client = Client(server, era, **options)
    client.hello = client.open()
    return client


def wait_for(path):
    for _ in range(400):
        if os.path.exists(path):
            return
        time.sleep(0.05)
    raise SystemExit(f"{path} never came")
