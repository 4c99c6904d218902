#!/usr/bin/env python3
"""A provider of language models that is faithful on the wire and has no model.

It speaks Anthropic's Messages, OpenAI's chat completions, responses and embeddings, and Gemini's
generateContent, streamed and not, and all of them as clouds serve them (`clouds.py`). What it answers
is in the request: the newest `RUN: COMMAND` of what the user says is called as a tool, if the request
offers one that runs commands, and so is `CALL: TOOL ARGUMENTS`, if it offers that one; the result is
told in the answer. Names of models that start with `fail-` fail in the way that they say.

    provider.py PORT KEY RECORD [CERTIFICATE PRIVATE_KEY]

KEY is the secret that it accepts; several are lines of it. A line `aws ACCESS_KEY SECRET_KEY REGION`
is who may sign requests to Bedrock. Each request is a line of JSON in RECORD.
"""

import base64
import http.server
import json
import re
import ssl
import struct
import sys
import threading
import time
import traceback
import urllib.parse

import clouds
import socket_talk
from thought import USAGE, called, pieces, think

PORT, KEYS, RECORD = int(sys.argv[1]), sys.argv[2].splitlines(), sys.argv[3]
SIGNERS = [clouds.Signer(*line.split()[1:]) for line in KEYS if line.startswith("aws ")]
LOCK = threading.Lock()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        if not socket_talk.is_wanted(self):
            return self.answer(None)
        if not self.is_known():
            return self.fail(401, "authentication_error", "invalid x-api-key")
        return socket_talk.serve(self, Handler.openai_responses, KEYS[0], record)

    def do_POST(self):
        length = int(self.headers.get("Content-Length") or 0)
        self.octets = self.rfile.read(length)
        try:
            self.answer(json.loads(self.octets))
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            record({"aborted": self.path})
            self.close_connection = True
        except ValueError:
            self.reply(400, {"error": {"type": "invalid_request_error", "message": "not JSON"}})

    def answer(self, body):
        record({"method": self.command, "path": self.path, "headers": dict(self.headers), "body": body})
        path = self.path.split("?")[0]
        if path.startswith("/model/"):
            return clouds.bedrock(self, body, SIGNERS)
        if not self.is_known():
            return self.fail(401, "authentication_error", "invalid x-api-key")
        if body is None:
            return self.models(path)
        wrong = clouds.odd(self, path, body)
        if wrong:
            return self.fail(*wrong)
        found = re.search(r"/models/([^:/]+):(\w+)$", path)
        deployment = re.search(r"/deployments/([^/]+)/", path)
        if found:
            body.setdefault("model", urllib.parse.unquote(found.group(1)))
            kind = METHODS.get(found.group(2), "gemini")
            streams = body.get("stream") is True or found.group(2) == "streamGenerateContent"
        else:
            if deployment:
                body["model"] = deployment.group(1)
            kind = next((it for it in KINDS if path.endswith(it)), None)
            streams = bool(body.get("stream"))
        if kind is None:
            return self.fail(404, "not_found_error", "no such path")
        self.asked = body.get("messages")
        if self.failed(str(body.get("model", "")), kind, streams):
            return None
        return KINDS[kind](self, body, streams)

    def is_known(self):
        sent = [self.headers.get("x-api-key"), self.headers.get("x-goog-api-key"), self.headers.get("api-key")]
        bearer = self.headers.get("Authorization") or ""
        return any(key in sent or bearer == f"Bearer {key}" for key in KEYS)

    # What goes wrong where the name of the model says so.

    def failed(self, model, kind, streams):
        if model == "fail-429":
            self.fail(429, "rate_limit_error", "slow down", {"Retry-After": "7"})
        elif model == "fail-529":
            self.fail(529, "overloaded_error", "Overloaded")
        elif model == "fail-500":
            self.fail(500, "api_error", "internal")
        elif model == "fail-elsewhere":
            self.fail(307, "moved", "elsewhere", {"Location": "https://api.openai.com/v1/collect"})
        elif model == "fail-malformed":
            self.send(200, b'{"id": "x", ', "application/json")
        elif model == "fail-mid-stream" and streams:
            self.begin()
            if kind == "messages":
                self.anthropic_start("fail-mid-stream")
                self.event("error", {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})
            else:
                self.event(None, {"error": {"message": "overloaded", "type": "server_error", "code": 503}})
            self.end()
        elif model == "fail-cut" and streams:
            self.begin()
            if kind == "messages":
                self.anthropic_start("fail-cut")
            self.connection.close()
            self.close_connection = True
        elif model == "fail-echo":
            self.fail(400, "invalid_request_error", f"not understood: {json.dumps(self.asked)}")
        elif model == "octets" and streams:
            self.begin()
            for octet in base64.b64decode(self.asked[0]["content"]):
                self.wfile.write(b"1\r\n" + bytes([octet]) + b"\r\n")
                self.wfile.flush()
            self.end()
        elif model == "drip" and streams:
            self.begin()
            self.anthropic_start("drip")
            while True:
                delta = {"type": "text_delta", "text": "drip "}
                self.event("content_block_delta", {"type": "content_block_delta", "index": 0, "delta": delta})
                time.sleep(0.1)
        elif model == "fail-within" and streams:
            self.begin()
            self.anthropic_start("fail-within")
            self.raw('event: content_block_delta\ndata: {"type": "content_block_del')
            self.connection.close()
            self.close_connection = True
        elif model == "fail-key":
            # As some providers do: the error says which key was wrong.
            sent = [self.headers.get(name) for name in ("x-api-key", "x-goog-api-key", "Authorization")]
            words = f"Incorrect API key provided: {' '.join(filter(None, sent))}."
            if streams:
                self.begin()
                self.event("error", {"type": "error", "error": {"type": "authentication_error", "message": words}})
                self.end()
            else:
                self.fail(400, "authentication_error", words, {"X-Echo": words})
        elif model == "fail-slow":
            time.sleep(3)
            return False
        elif model == "fail-never-ends" and streams:
            self.begin()
            self.write_on(kind)
        else:
            return False
        return True

    def write_on(self, kind):
        """Writes for half a minute, until nobody listens any more."""
        if kind == "messages":
            self.anthropic_start("fail-never-ends")
            self.event("content_block_start", {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}})
        for number in range(600):
            delta = {"type": "text_delta", "text": f"{number} "}
            choice = {"index": 0, "delta": {"content": f"{number} "}, "finish_reason": None}
            candidate = {"content": {"role": "model", "parts": [{"text": f"{number} "}]}, "index": 0}
            name, data = {
                "messages": ("content_block_delta", {"type": "content_block_delta", "index": 0, "delta": delta}),
                "chat/completions": (None, {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}),
                "gemini": (None, {"candidates": [candidate]}),
            }[kind]
            self.event(name, data)
            time.sleep(0.05)

    # Sending.

    def reply(self, status, value, headers=None):
        self.send(status, json.dumps(value).encode(), "application/json", headers)

    def send(self, status, octets, media, headers=None):
        self.send_response(status)
        self.send_header("Content-Type", media)
        self.send_header("Content-Length", str(len(octets)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(octets)

    def fail(self, status, kind, message, headers=None):
        error = {"type": kind, "message": message, "code": status, "status": kind.upper()}
        self.reply(status, {"type": "error", "error": error}, headers)

    def begin(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def event(self, name, data):
        text = data if isinstance(data, str) else json.dumps(data)
        self.raw((f"event: {name}\n" if name else "") + f"data: {text}\n\n")

    def raw(self, text):
        octets = text.encode()
        self.wfile.write(f"{len(octets):x}\r\n".encode() + octets + b"\r\n")
        self.wfile.flush()

    def end(self):
        self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()

    def models(self, path):
        if self.headers.get("x-goog-api-key"):
            return self.reply(200, {"models": [{"name": f"models/{name}"} for name in MODELS]})
        items = [{"id": name, "type": "model", "object": "model", "display_name": name} for name in MODELS]
        return self.reply(200, {"object": "list", "data": items, "has_more": False})

    # Anthropic.

    def messages(self, body, streams):
        kind, value = think(body["messages"], body.get("tools") or [])
        model = body["model"]
        usage = {
            "input_tokens": USAGE["input"] - USAGE["cached"],
            "cache_read_input_tokens": USAGE["cached"],
            "cache_creation_input_tokens": 0,
            "output_tokens": USAGE["output"],
        }
        stop = "tool_use" if kind == "call" else "end_turn"
        if kind == "call":
            name, arguments = value
            block = {"type": "tool_use", "id": new_id("toolu_"), "name": name, "input": arguments}
        else:
            block = {"type": "text", "text": value}
        whole = {
            "id": new_id("msg_"), "type": "message", "role": "assistant", "model": model, "content": [block],
            "stop_reason": stop, "stop_sequence": None, "usage": usage,
        }
        if not streams:
            return self.reply(200, whole)
        self.begin()
        self.anthropic_start(model, whole["id"])
        self.event("ping", {"type": "ping"})
        if kind == "call":
            self.event("content_block_start", {"type": "content_block_start", "index": 0, "content_block": {**block, "input": {}}})
            for part in pieces(json.dumps(block["input"])):
                delta = {"type": "input_json_delta", "partial_json": part}
                self.event("content_block_delta", {"type": "content_block_delta", "index": 0, "delta": delta})
        else:
            self.event("content_block_start", {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}})
            for part in pieces(value):
                delta = {"type": "text_delta", "text": part}
                self.event("content_block_delta", {"type": "content_block_delta", "index": 0, "delta": delta})
        self.event("content_block_stop", {"type": "content_block_stop", "index": 0})
        delta = {"stop_reason": stop, "stop_sequence": None}
        self.event("message_delta", {"type": "message_delta", "delta": delta, "usage": {"output_tokens": USAGE["output"]}})
        self.event("message_stop", {"type": "message_stop"})
        return self.end()

    def anthropic_start(self, model, name="msg_0"):
        usage = {
            "input_tokens": USAGE["input"] - USAGE["cached"], "cache_read_input_tokens": USAGE["cached"],
            "cache_creation_input_tokens": 0, "output_tokens": 1,
        }
        message = {
            "id": name, "type": "message", "role": "assistant", "model": model, "content": [],
            "stop_reason": None, "stop_sequence": None, "usage": usage,
        }
        self.event("message_start", {"type": "message_start", "message": message})

    def count(self, _body, _streams):
        self.reply(200, {"input_tokens": USAGE["input"]})

    # OpenAI.

    def chat(self, body, streams):
        kind, value = think(body["messages"], body.get("tools") or [])
        usage = {
            "prompt_tokens": USAGE["input"], "completion_tokens": USAGE["output"],
            "total_tokens": USAGE["input"] + USAGE["output"],
            "prompt_tokens_details": {"cached_tokens": USAGE["cached"]},
            "completion_tokens_details": {"reasoning_tokens": 5},
        }
        head = {"id": new_id("chatcmpl-"), "created": int(time.time()), "model": body["model"]}
        finish = "tool_calls" if kind == "call" else "stop"
        message = {"role": "assistant", "content": None if kind == "call" else value}
        if kind == "call":
            function = {"name": value[0], "arguments": json.dumps(value[1])}
            message["tool_calls"] = [{"id": new_id("call_"), "type": "function", "function": function}]
        if not streams:
            choice = {"index": 0, "message": message, "finish_reason": finish}
            return self.reply(200, {**head, "object": "chat.completion", "choices": [choice], "usage": usage})
        chunk = {**head, "object": "chat.completion.chunk"}

        def delta(value, finish=None):
            self.event(None, {**chunk, "choices": [{"index": 0, "delta": value, "finish_reason": finish}]})

        self.begin()
        if self.path.startswith("/openai/deployments/"):
            self.event(None, clouds.AZURE_FIRST)
        delta({"role": "assistant", "content": "" if kind != "call" else None})
        if kind == "call":
            call = message["tool_calls"][0]
            first = {**call, "index": 0, "function": {"name": value[0], "arguments": ""}}
            delta({"tool_calls": [first]})
            for part in pieces(call["function"]["arguments"]):
                delta({"tool_calls": [{"index": 0, "function": {"arguments": part}}]})
        else:
            for part in pieces(value):
                delta({"content": part})
        delta({}, finish)
        if (body.get("stream_options") or {}).get("include_usage"):
            self.event(None, {**chunk, "choices": [], "usage": usage})
        self.event(None, "[DONE]")
        return self.end()

    def openai_responses(self, body, streams):
        items = body["input"] if isinstance(body["input"], list) else [{"role": "user", "content": body["input"]}]
        kind, value = think(items, body.get("tools") or [])
        usage = {
            "input_tokens": USAGE["input"], "input_tokens_details": {"cached_tokens": USAGE["cached"]},
            "output_tokens": USAGE["output"], "output_tokens_details": {"reasoning_tokens": 5},
            "total_tokens": USAGE["input"] + USAGE["output"],
        }
        if kind == "call":
            item = {
                "type": "function_call", "id": new_id("fc_"), "call_id": new_id("call_"),
                **called(value[0], body.get("tools") or []), "arguments": json.dumps(value[1]), "status": "completed",
            }
        else:
            part = {"type": "output_text", "text": value, "annotations": []}
            item = {"type": "message", "id": new_id("msg_"), "role": "assistant", "status": "completed", "content": [part]}
        whole = {
            "id": new_id("resp_"), "object": "response", "created_at": int(time.time()), "status": "completed",
            "model": body["model"], "output": [item], "usage": usage, "error": None, "incomplete_details": None,
            "parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "instructions": None, "metadata": {},
            "temperature": 1.0, "top_p": 1.0,
        }
        if not streams:
            return self.reply(200, whole)
        begun = {**whole, "status": "in_progress", "output": [], "usage": None}
        number = iter(range(1000))

        def event(name, **fields):
            self.event(name, {"type": name, "sequence_number": next(number), **fields})

        self.begin()
        event("response.created", response=begun)
        event("response.in_progress", response=begun)
        event("response.output_item.added", output_index=0, item={**item, "status": "in_progress"})
        at = {"item_id": item["id"], "output_index": 0}
        if kind == "call":
            for part in pieces(item["arguments"]):
                event("response.function_call_arguments.delta", delta=part, **at)
            event("response.function_call_arguments.done", arguments=item["arguments"], **at)
        else:
            event("response.content_part.added", content_index=0, part={"type": "output_text", "text": "", "annotations": []}, **at)
            for part in pieces(value):
                event("response.output_text.delta", content_index=0, delta=part, **at)
            event("response.output_text.done", content_index=0, text=value, **at)
            event("response.content_part.done", content_index=0, part=item["content"][0], **at)
        event("response.output_item.done", output_index=0, item=item)
        event("response.completed", response=whole)
        return self.end()

    def embeddings(self, body, _streams):
        usage = {"prompt_tokens": 8, "total_tokens": 8}
        # What OpenAI's libraries ask for where nobody says how.
        numbers = [0.5, 0.25, -1.0]
        is_packed = body.get("encoding_format") == "base64"
        packed = base64.b64encode(struct.pack("<3f", *numbers)).decode()
        item = {"object": "embedding", "index": 0, "embedding": packed if is_packed else numbers}
        self.reply(200, {"object": "list", "data": [item], "model": body["model"], "usage": usage})

    # Gemini.

    def gemini(self, body, streams):
        declared = [it for tool in body.get("tools") or [] for it in tool.get("functionDeclarations", [])]
        kind, value = think(body["contents"], declared)
        usage = {
            "promptTokenCount": USAGE["input"], "candidatesTokenCount": USAGE["output"] - 5, "thoughtsTokenCount": 5,
            "totalTokenCount": USAGE["input"] + USAGE["output"], "cachedContentTokenCount": USAGE["cached"],
        }
        if kind == "call":
            parts = [{"functionCall": {"name": value[0], "args": value[1]}}]
        else:
            parts = [{"text": part} for part in (pieces(value) if streams else [value])]
        head = {"modelVersion": body["model"], "responseId": new_id("g")}

        def answer(parts, finish, usage):
            candidate = {"content": {"role": "model", "parts": parts}, "index": 0}
            if finish:
                candidate["finishReason"] = finish
            return {"candidates": [candidate], **({"usageMetadata": usage} if usage else {}), **head}

        if not streams:
            return self.reply(200, answer(parts, "STOP", usage))
        if "alt=sse" not in self.path:
            return self.reply(200, [answer(parts, "STOP", usage)])
        self.begin()
        for index, part in enumerate(parts):
            last = index == len(parts) - 1
            self.raw("data: " + json.dumps(answer([part], "STOP" if last else None, usage if last else None)) + "\r\n\r\n")
        return self.end()

    def gemini_count(self, _body, _streams):
        self.reply(200, {"totalTokens": USAGE["input"]})

    def gemini_embeds(self, body, _streams):
        self.reply(200, {"embeddings": [{"values": [0.5, 0.25, -1.0]} for _ in body["requests"]]})

    def gemini_embed(self, _body, _streams):
        self.reply(200, {"embedding": {"values": [0.1, 0.2, 0.3]}})


METHODS = {
    "countTokens": "gemini-count", "embedContent": "gemini-embed", "batchEmbedContents": "gemini-embeds",
    "rawPredict": "messages", "streamRawPredict": "messages",
}
KINDS = {
    "messages": Handler.messages,
    "messages/count_tokens": Handler.count,
    "chat/completions": Handler.chat,
    "responses": Handler.openai_responses,
    "embeddings": Handler.embeddings,
    "gemini": Handler.gemini,
    "gemini-count": Handler.gemini_count,
    "gemini-embed": Handler.gemini_embed,
    "gemini-embeds": Handler.gemini_embeds,
}
MODELS = ["claude-haiku-4-5", "claude-opus-4-5", "gpt-5-mini", "gpt-5", "gemini-2.5-flash", "gemini-2.5-pro"]
COUNTER = iter(range(1, 1_000_000_000))


def new_id(prefix):
    with LOCK:
        return f"{prefix}{next(COUNTER):06d}"


def record(entry):
    with LOCK, open(RECORD, "a", encoding="utf-8") as file:
        file.write(json.dumps(entry) + "\n")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, *_):
        kind = sys.exc_info()[0]
        if not issubclass(kind, (ConnectionError, ssl.SSLError)):
            traceback.print_exc()


def main():
    server = Server(("127.0.0.1", PORT), Handler)
    if len(sys.argv) > 4:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[4], sys.argv[5])
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.serve_forever()


main()
