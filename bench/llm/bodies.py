#!/usr/bin/env python3
"""Requests to language models as agents send them, the same each time.

usage: bodies.py DIRECTORY

Writes chat.json (OpenAI's chat completions, 1 KB), agent.json (Anthropic's messages with tools and a conversation, 48 KB), and of both a
streamed one (-stream), a short streamed one (-short) and one that is streamed slowly (-slow). Eight @ are where the load generator
puts a number, so that no two requests are the same.
"""

import json
import random
import sys
from pathlib import Path

CHAT_OCTETS = 1024
AGENT_OCTETS = 48 * 1024
NUMBER = "@" * 8
# The number of events that a stream has; the provider's pace is its own.
EVENTS, SHORT_EVENTS, SLOW_EVENTS = 40, 4, 600

WORDS = """the a of to in for with from by on and or not this that each every other file line test value name path result error
request answer reader writer parser buffer index entry record window limit count length offset module function caller branch commit
change build check cache store queue worker thread socket header field token rule policy reason state event stream chunk retry
timeout returns reads writes keeps drops checks opens closes moves counts fails holds waits sorts merges""".split()
TYPES = ["u32", "usize", "String", "Vec<u8>", "Option<Entry>", "Result<Record>", "&str", "Duration"]
TOOLS = ["read_file", "write_file", "edit_file", "list_directory", "find_files", "search_text", "run_command", "read_output", "stop_command",
         "plan_steps", "ask_person", "start_helper", "read_notebook", "edit_notebook", "show_diff", "format_code", "run_tests", "read_log"]


def main():
    directory = Path(sys.argv[1])
    chance = random.Random(5)
    for name, whole, slow in (("chat", chat(chance), "gpt-4o"), ("agent", agent(chance), "claude-opus-4-5")):
        write(directory, name, whole)
        write(directory, f"{name}-stream", whole | {"stream": True, "max_tokens": EVENTS})
        write(directory, f"{name}-short", whole | {"stream": True, "max_tokens": SHORT_EVENTS})
        write(directory, f"{name}-slow", whole | {"stream": True, "max_tokens": SLOW_EVENTS, "model": slow})


def write(directory, name, body):
    (directory / f"{name}.json").write_text(json.dumps(body, separators=(",", ":"), ensure_ascii=False), encoding="utf-8")


def chat(chance):
    body = {
        "model": "gpt-4.1-mini",
        "max_tokens": 300,
        "temperature": 0.2,
        "messages": [
            {"role": "system", "content": prose(chance, 40)},
            {"role": "user", "content": f"Question {NUMBER}: "},
        ],
    }
    body["messages"][1]["content"] += fill(chance, CHAT_OCTETS - octets(body))
    return body


def agent(chance):
    """A conversation in its middle: instructions, tools, and some rounds of calls and results, the last of which is long."""
    messages = [{"role": "user", "content": [text("Please make the failing test in the parser pass. " + prose(chance, 60))]}]
    for turn in range(9):
        call = f"toolu_{turn:02}" + "".join(chance.choices("abcdefghjkmnpqrstuvwxyz23456789", k=18))
        tool = chance.choice(TOOLS)
        arguments = {"path": f"/srv/app/src/{chance.choice(WORDS)}/{chance.choice(WORDS)}.rs", "limit": chance.randrange(100, 2000)}
        asked = [text(prose(chance, 25)), {"type": "tool_use", "id": call, "name": tool, "input": arguments}]
        messages.append({"role": "assistant", "content": asked})
        messages.append({"role": "user", "content": [{"type": "tool_result", "tool_use_id": call, "content": code(chance, 24)}]})
    messages[-1]["content"].append(text(f"Note {NUMBER}: go on.") | {"cache_control": {"type": "ephemeral"}})
    body = {
        "model": "claude-sonnet-4-5",
        "max_tokens": 8192,
        "temperature": 1,
        "metadata": {"user_id": "user_bench_session_00000000-0000-4000-8000-000000000001"},
        "system": [text("You are an agent that works on code. " + prose(chance, 900)) | {"cache_control": {"type": "ephemeral"}}],
        "tools": [tool_of(chance, name) for name in TOOLS],
        "messages": messages,
    }
    last = messages[-1]["content"][0]
    missing = AGENT_OCTETS - octets(body)
    last["content"] += fill(chance, missing) if missing > 0 else ""
    return body


def tool_of(chance, name):
    properties = {
        "path": {"type": "string", "description": prose(chance, 14)},
        "limit": {"type": "integer", "minimum": 1, "maximum": 2000, "description": prose(chance, 10)},
        "mode": {"type": "string", "enum": ["all", "first", "last"], "default": "all"},
        "edits": {"type": "array", "items": {"type": "object", "properties": {"old": {"type": "string"}, "new": {"type": "string"}}}},
    }
    schema = {"type": "object", "properties": properties, "required": ["path"], "additionalProperties": False}
    return {"name": name, "description": prose(chance, 110), "input_schema": schema}


def text(said):
    return {"type": "text", "text": said}


def prose(chance, count):
    """Sentences of so many words in all."""
    words = chance.choices(WORDS, k=count)
    sentences = [" ".join(words[at:at + 12]).capitalize() for at in range(0, count, 12)]
    return ". ".join(sentences) + "."


def code(chance, lines):
    """Something that looks like a source file with numbers before its lines."""
    made = []
    for number in range(1, lines + 1):
        first, second, third = chance.choices(WORDS, k=3)
        made.append(chance.choice([
            f"    let {first}_{second} = self.{third}.get(\"{first}\").unwrap_or({chance.randrange(999)});",
            f"    if {first}.{second}() > {chance.randrange(99)} {{ return Err(Error::{third.capitalize()}(\"{first} {second}\")); }}",
            f"fn {first}_{second}(&self, {third}: {chance.choice(TYPES)}) -> {chance.choice(TYPES)} {{",
            f"    // {prose(chance, 9)}",
            "}",
        ]))
        made[-1] = f"{number:>5}\t{made[-1]}"
    return "\n".join(made)


def fill(chance, count):
    """Text of exactly so many octets in JSON; it needs no escapes."""
    made = ""
    while len(made) < count:
        made += prose(chance, 12) + " "
    return made[:count]


def octets(body):
    return len(json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode())


main()
