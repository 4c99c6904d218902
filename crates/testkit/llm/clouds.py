"""Models as clouds serve them: Azure OpenAI, Vertex AI, and Amazon Bedrock with its signatures and its binary streams.

Written from the manuals ("Create a signed AWS API request", "Amazon event stream encoding", the API reference of Bedrock's runtime), not
from what is tested with it.
"""

import base64
import hashlib
import hmac
import json
import re
import struct
import urllib.parse
import zlib

from thought import USAGE, pieces, think

# The version of the form, of the cloud or of the API, as Anthropic's library sends it today.
VERSION = re.compile(r"(vertex-|bedrock-)?\d{4}-\d\d-\d\d")

# What comes first in a stream of Azure's.
AZURE_FIRST = {
    "choices": [], "created": 0, "id": "", "model": "", "object": "",
    "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {"hate": {"filtered": False, "severity": "safe"}}}],
}


def odd(handler, path, body):
    """What a cloud would not take: status, type and words."""
    if "/deployments/" in path and "api-version=" not in handler.path:
        return 404, "404", "Resource not found"
    if path.endswith("Predict"):
        if not VERSION.fullmatch(body.get("anthropic_version") or ""):
            return 400, "invalid_request_error", "anthropic_version: Field required"
        if "count-tokens" not in path and "model" in body:
            return 400, "invalid_request_error", "model: Extra inputs are not permitted"
    return None


class Signer:
    """Who may sign requests."""

    def __init__(self, access_key, secret_key, region):
        self.access_key, self.secret_key, self.region = access_key, secret_key, region

    def wrong(self, handler):
        """Why a request is not signed as it has to be."""
        header = handler.headers.get("Authorization") or ""
        found = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})", header)
        if not found:
            return "MissingAuthenticationTokenException", "Missing Authentication Token"
        credential, names, signature = found.group(1), found.group(2).split(";"), found.group(3)
        time = handler.headers.get("X-Amz-Date") or ""
        scope = f"{time[:8]}/{self.region}/bedrock/aws4_request"
        if credential != f"{self.access_key}/{scope}":
            return "UnrecognizedClientException", "The security token included in the request is invalid."
        sent = {name.lower() for name in handler.headers}
        unsigned = [it for it in sent if it not in names and (it == "host" or it.startswith("x-amz-"))]
        if unsigned or "host" not in names:
            return "InvalidSignatureException", f"not signed: {unsigned}"
        digest = hashlib.sha256(handler.octets).hexdigest()
        path, _, query = handler.path.partition("?")
        headers = "".join(f"{name}:{' '.join((handler.headers.get(name) or '').split())}\n" for name in names)
        # All services but S3 have the path, as it is sent, encoded once more.
        parts = [handler.command, urllib.parse.quote(path, safe="/-_.~"), query, headers, ";".join(names), digest]
        canonical = hashlib.sha256("\n".join(parts).encode()).hexdigest()
        key = f"AWS4{self.secret_key}".encode()
        for part in (time[:8], self.region, "bedrock", "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        own = hmac.digest(key, f"AWS4-HMAC-SHA256\n{time}\n{scope}\n{canonical}".encode(), "sha256").hex()
        if not hmac.compare_digest(own, signature):
            return "InvalidSignatureException", "The request signature we calculated does not match the signature you provided."
        return None


def bedrock(handler, body, signers):
    """Answers one request to Bedrock's runtime."""
    wrong = [signer.wrong(handler) for signer in signers] or [("UnrecognizedClientException", "nobody may sign")]
    if None not in wrong:
        return refuse(handler, 403, *wrong[0])
    _, _, model, verb = handler.path.split("/")
    model = urllib.parse.unquote(model)
    if model == "fail-429":
        return refuse(handler, 429, "ThrottlingException", "Too many requests, please wait before trying again.")
    if verb in ("invoke", "invoke-with-response-stream"):
        extra = [name for name in ("model", "stream") if name in body]
        if not VERSION.fullmatch(body.get("anthropic_version") or "") or extra:
            return refuse(handler, 400, "ValidationException", f"#: extraneous key {extra} is not permitted")
        return invoke(handler, model, verb, think(body["messages"], body.get("tools") or []))
    if verb in ("converse", "converse-stream"):
        return converse(handler, model, verb, converse_thought(body))
    return refuse(handler, 404, "UnknownOperationException", "")


def refuse(handler, status, kind, message):
    handler.reply(status, {"message": message}, {"x-amzn-ErrorType": kind})


def invoke(handler, model, verb, thought):
    """Anthropic's own form; streamed, each of its events is wrapped."""
    kind, value = thought
    usage = {
        "input_tokens": USAGE["input"] - USAGE["cached"], "cache_read_input_tokens": USAGE["cached"],
        "cache_creation_input_tokens": 0, "output_tokens": USAGE["output"],
    }
    block = {"type": "text", "text": value}
    if kind == "call":
        block = {"type": "tool_use", "id": "toolu_bdrk_1", "name": value[0], "input": value[1]}
    stop = "tool_use" if kind == "call" else "end_turn"
    whole = {
        "id": "msg_bdrk_1", "type": "message", "role": "assistant", "model": model, "content": [block],
        "stop_reason": stop, "stop_sequence": None, "usage": usage,
    }
    counts = {
        "X-Amzn-Bedrock-Input-Token-Count": str(usage["input_tokens"]),
        "X-Amzn-Bedrock-Output-Token-Count": str(USAGE["output"]),
    }
    if verb == "invoke":
        return handler.reply(200, whole, counts)

    def chunk(event):
        packed = base64.b64encode(json.dumps(event).encode()).decode()
        send(handler, "chunk", {"bytes": packed, "p": "abcdefghijklmn"})

    begin(handler)
    chunk({"type": "message_start", "message": {**whole, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}})
    is_call = kind == "call"
    chunk({"type": "content_block_start", "index": 0, "content_block": {**block, "input": {}} if is_call else {"type": "text", "text": ""}})
    for part in pieces(json.dumps(value[1]) if is_call else value):
        delta = {"type": "input_json_delta", "partial_json": part} if is_call else {"type": "text_delta", "text": part}
        chunk({"type": "content_block_delta", "index": 0, "delta": delta})
    chunk({"type": "content_block_stop", "index": 0})
    chunk({"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": None}, "usage": {"output_tokens": USAGE["output"]}})
    metrics = {"inputTokenCount": usage["input_tokens"], "outputTokenCount": USAGE["output"], "invocationLatency": 7, "firstByteLatency": 3}
    chunk({"type": "message_stop", "amazon-bedrock-invocationMetrics": metrics})
    return handler.end()


def converse_thought(body):
    """What to say to a conversation of Converse's, whose parts have no types."""
    items = []
    for message in body["messages"]:
        content = []
        for block in message["content"]:
            result = block.get("toolResult")
            content.append({"type": "tool_result", "content": result["content"]} if result else block)
        items.append({"role": message["role"], "content": content})
    specifications = [it["toolSpec"] for it in (body.get("toolConfig") or {}).get("tools", []) if "toolSpec" in it]
    return think(items, [{"name": it["name"], "input_schema": it["inputSchema"]["json"]} for it in specifications])


def converse(handler, model, verb, thought):
    kind, value = thought
    usage = {
        "inputTokens": USAGE["input"] - USAGE["cached"], "outputTokens": USAGE["output"],
        "totalTokens": USAGE["input"] + USAGE["output"], "cacheReadInputTokens": USAGE["cached"], "cacheWriteInputTokens": 0,
    }
    stop = "tool_use" if kind == "call" else "end_turn"
    if model == "fail-mid-stream":
        begin(handler)
        send(handler, "messageStart", {"role": "assistant"})
        send(handler, "throttlingException", {"message": "Too many tokens, please wait."}, "exception")
        return handler.end()
    if verb == "converse":
        block = {"toolUse": {"toolUseId": "tooluse_1", "name": value[0], "input": value[1]}} if kind == "call" else {"text": value}
        message = {"role": "assistant", "content": [block]}
        return handler.reply(200, {"output": {"message": message}, "stopReason": stop, "usage": usage, "metrics": {"latencyMs": 7}})
    begin(handler)
    send(handler, "messageStart", {"role": "assistant"})
    if kind == "call":
        start = {"toolUse": {"toolUseId": "tooluse_1", "name": value[0]}}
        send(handler, "contentBlockStart", {"contentBlockIndex": 0, "start": start})
    for part in pieces(json.dumps(value[1]) if kind == "call" else value):
        delta = {"toolUse": {"input": part}} if kind == "call" else {"text": part}
        send(handler, "contentBlockDelta", {"contentBlockIndex": 0, "delta": delta})
    send(handler, "contentBlockStop", {"contentBlockIndex": 0})
    send(handler, "messageStop", {"stopReason": stop})
    send(handler, "metadata", {"usage": usage, "metrics": {"latencyMs": 7}})
    return handler.end()


def begin(handler):
    handler.send_response(200)
    handler.send_header("Content-Type", "application/vnd.amazon.eventstream")
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()


def send(handler, name, payload, kind="event"):
    octets = frame({f":{kind}-type": name, ":content-type": "application/json", ":message-type": kind}, json.dumps(payload).encode())
    handler.wfile.write(f"{len(octets):x}\r\n".encode() + octets + b"\r\n")
    handler.wfile.flush()


def frame(headers, payload):
    """One message: lengths, their checksum, headers, payload, checksum of it all."""
    block = b"".join(
        bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode() for name, value in headers.items()
    )
    prelude = struct.pack(">II", 16 + len(block) + len(payload), len(block))
    prelude += struct.pack(">I", zlib.crc32(prelude))
    message = prelude + block + payload
    return message + struct.pack(">I", zlib.crc32(message))
