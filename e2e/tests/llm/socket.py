"""A client of WebSockets that can also do what no client may (RFC 6455)."""

import base64, json, os, socket, ssl, struct, sys, time
from urllib.parse import urlsplit

KEY = os.environ["OPENAI_API_KEY"]
HOST = "api.openai.com"


class Socket:
    def __init__(self, path="/v1/responses", fields=(), host=HOST, key=KEY):
        raw = socket.create_connection((host, 443), timeout=30)
        self.raw = ssl.create_default_context().wrap_socket(raw, server_hostname=host)
        self.ask(path, host, key, fields)

    def ask(self, path, host, key, fields):
        lines = [
            f"GET {path} HTTP/1.1", f"Host: {host}", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: " + base64.b64encode(os.urandom(16)).decode(), f"Authorization: Bearer {key}", *fields,
        ]
        self.raw.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        self.file = self.raw.makefile("rb")
        self.status = int(self.file.readline().split()[1])
        self.fields = {}
        while (line := self.file.readline().strip()):
            name, value = line.decode().split(":", 1)
            self.fields[name.lower()] = value.strip()
        self.body = ""
        if self.status != 101:
            self.body = self.file.read(int(self.fields.get("content-length", 0))).decode()

    def frame(self, opcode, payload, last=True, masked=True, reserved=0):
        payload = payload.encode() if isinstance(payload, str) else payload
        head = bytes([(0x80 if last else 0) | reserved | opcode])
        bit = 0x80 if masked else 0
        if len(payload) < 126:
            head += bytes([bit | len(payload)])
        elif len(payload) < 65536:
            head += bytes([bit | 126]) + struct.pack(">H", len(payload))
        else:
            head += bytes([bit | 127]) + struct.pack(">Q", len(payload))
        mask = os.urandom(4)
        if masked:
            # One number for all octets, as there can be millions.
            key = (mask * (len(payload) // 4 + 1))[:len(payload)]
            mixed = int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")
            head, payload = head + mask, mixed.to_bytes(len(payload), "big")
        self.raw.sendall(head + payload)

    def next(self):
        """Opcode and payload; ("end", b"") where the connection is over."""
        try:
            head = self.file.read(2)
            if len(head) < 2:
                return "end", b""
            length = head[1] & 0x7F
            if length == 126:
                (length,) = struct.unpack(">H", self.file.read(2))
            elif length == 127:
                (length,) = struct.unpack(">Q", self.file.read(8))
            return head[0] & 0x0F, self.file.read(length)
        except OSError:
            return "end", b""

    def say(self, text="hi", model="gpt-5-mini", **more):
        self.frame(1, json.dumps({"type": "response.create", "model": model, "input": text, **more}))

    def hear(self):
        """The events up to the last of a response."""
        events = []
        while True:
            opcode, payload = self.next()
            if opcode == 8:
                return events + [{"type": "close", "code": struct.unpack(">H", payload[:2])[0] if payload else 0, "reason": payload[2:].decode()}]
            if opcode == "end":
                return events + [{"type": "end"}]
            if opcode != 1:
                events.append({"type": f"frame {opcode}", "payload": payload.decode()})
                continue
            events.append(json.loads(payload))
            if events[-1]["type"] in ("response.completed", "response.failed", "response.incomplete", "error"):
                return events


def told(events):
    """The last event in a word, and what it says."""
    last = events[-1]
    what = last.get("error") or last.get("reason") or last.get("response", {}).get("id")
    print(last["type"], last.get("status") or last.get("code") or "", json.dumps(what))
    return last
