"""OpenAI's Responses over a WebSocket: RFC 6455 by hand, so that it can also be broken in every way.

What a model is called says what goes wrong: see `Talk.failed`.
"""

import base64
import hashlib
import json
import socket
import struct

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def is_wanted(handler):
    return (handler.headers.get("Upgrade") or "").lower() == "websocket"


def serve(handler, answer, key, record):
    """Serves one client to its end. `answer(talk, body, True)` writes the events of a response."""
    record({
        "method": "GET", "path": handler.path, "headers": dict(handler.headers), "body": None, "socket": True,
    })
    handler.close_connection = True
    refusal = handler.headers.get("x-test-refuse")
    if refusal:
        return handler.fail(int(refusal), "server_error", "no socket here")
    accept = base64.b64encode(hashlib.sha1((handler.headers["Sec-WebSocket-Key"] + GUID).encode()).digest()).decode()
    lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Accept: {accept}"]
    if handler.headers.get("x-test-extension"):
        lines.append("Sec-WebSocket-Extensions: permessage-deflate")
    handler.wfile.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    talk = Talk(handler, key)
    while (text := talk.next()) is not None:
        body = json.loads(text)
        record({"method": "MESSAGE", "path": handler.path, "headers": {}, "body": body})
        talk.one(body, answer)
    record({"method": "CLOSED", "path": handler.path, "closed": talk.closed, "controls": talk.controls})
    return None


class Talk:
    """One connection. It stands for the handler of a request where a response is written."""

    def __init__(self, handler, key):
        self.handler, self.key = handler, key
        self.known = {}
        self.closed = None
        self.controls = []
        self.items = []

    def one(self, body, answer):
        items = body["input"] if isinstance(body["input"], list) else [{"role": "user", "content": body["input"]}]
        previous = body.get("previous_response_id")
        if previous is not None and previous not in self.known:
            error = {"code": "previous_response_not_found", "message": "no such response", "param": "previous_response_id"}
            return self.event("error", {"type": "error", "status": 400, "error": error})
        self.items = self.known.get(previous, []) + items
        if self.failed(str(body["model"])):
            return None
        if body.get("generate") is False:
            return self.warm(body)
        return answer(self, {**body, "input": self.items}, True)

    def warm(self, body):
        whole = {"id": f"resp_warm_{len(self.known)}", "object": "response", "status": "completed", "model": body["model"], "output": [], "usage": None}
        self.event(None, {"type": "response.created", "response": {**whole, "status": "in_progress"}})
        self.event(None, {"type": "response.completed", "response": whole})

    # What goes wrong where the name of the model says so.

    def failed(self, model):
        begun = {"type": "response.created", "response": {"id": "resp_x", "model": model, "status": "in_progress"}}
        if model == "socket-echo":
            self.event(None, begun)
            text = json.dumps({"type": "response.output_text.delta", "delta": f"the key is {self.key}."}).encode()
            for at in range(0, len(text), 5):
                self.frame(1 if at == 0 else 0, text[at:at + 5], at + 5 >= len(text))
                self.frame(9, b"between")
            done = {**begun["response"], "status": "completed", "output": [], "usage": {"input_tokens": 9, "output_tokens": 9}}
            self.event(None, {"type": "response.completed", "response": done})
        elif model == "socket-slow":
            self.event(None, begun)
        elif model == "socket-429":
            self.event(None, {"type": "error", "status": 429, "error": {"code": "rate_limit_exceeded", "message": "slow down"}})
        elif model == "socket-cut":
            self.event(None, begun)
            self.handler.connection.shutdown(socket.SHUT_RDWR)
        elif model == "socket-close":
            self.frame(8, struct.pack(">H", 4001) + b"with " + self.key.encode())
        elif model == "socket-odd":
            self.frame(1, b"{\"type\": ")
        elif model == "socket-reserved":
            self.handler.wfile.write(b"\xc1\x02{}")
        elif model == "socket-masked":
            self.handler.wfile.write(b"\x81\x82\x00\x00\x00\x00{}")
        else:
            return False
        return True

    # What a response is written with.

    def begin(self):
        pass

    def end(self):
        pass

    def event(self, _name, data):
        if data["type"] == "response.completed":
            self.known[data["response"]["id"]] = self.items + data["response"]["output"]
        self.frame(1, json.dumps(data).encode())

    # Frames.

    def frame(self, opcode, payload, last=True):
        head = bytes([(0x80 if last else 0) | opcode])
        if len(payload) < 126:
            head += bytes([len(payload)])
        elif len(payload) < 65536:
            head += bytes([126]) + struct.pack(">H", len(payload))
        else:
            head += bytes([127]) + struct.pack(">Q", len(payload))
        self.handler.wfile.write(head + payload)
        self.handler.wfile.flush()

    def exactly(self, length):
        octets = self.handler.rfile.read(length)
        if len(octets) < length:
            raise ConnectionResetError
        return octets

    def next(self):
        """The next text; none where the client is gone."""
        text = b""
        while True:
            try:
                first, second = self.exactly(2)
                assert second & 0x80, "a client's frame is masked"
                assert not first & 0x70, "no extension was agreed on"
                length = second & 0x7F
                if length == 126:
                    (length,) = struct.unpack(">H", self.exactly(2))
                elif length == 127:
                    (length,) = struct.unpack(">Q", self.exactly(8))
                mask = self.exactly(4)
                payload = bytes(octet ^ mask[at % 4] for at, octet in enumerate(self.exactly(length)))
            except (OSError, ValueError):
                self.closed = "broken"
                return None
            opcode = first & 0x0F
            if opcode == 8:
                self.closed = struct.unpack(">H", payload[:2])[0] if payload else 0
                self.frame(8, payload[:2])
                return None
            if opcode in (9, 10):
                self.controls.append([opcode, payload.decode()])
                continue
            text += payload
            if first & 0x80:
                return text.decode()
