"""What stands for a model: it does what it is told to, in two steps."""

import json
import re

SHELLS = ("Bash", "bash", "shell", "exec_command", "shell_command", "run_shell_command", "local_shell", "run")
COMMAND = re.compile(r"RUN: ([^\n\"]+)")
CALL = re.compile(r"CALL: (\S+) (\{[^\n]*\})")
USAGE = {"input": 1200, "output": 25, "cached": 1000}


def pieces(text):
    """In pieces, as a model writes."""
    return [text[at:at + 12] for at in range(0, len(text), 12)] or [""]


def texts(value):
    """Every text within a value, in order."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            if name not in ("type", "role", "id", "call_id", "tool_use_id", "name", "signature", "encrypted_content"):
                yield from texts(item)


def result_of(item):
    """What a tool gave, where an item of a conversation is its result."""
    if not isinstance(item, dict):
        return None
    if item.get("role") == "tool" or item.get("type") == "function_call_output":
        return "".join(texts(item.get("content") or item.get("output")))
    for part in (item.get("content") if isinstance(item.get("content"), list) else item.get("parts") or []):
        if isinstance(part, dict) and (part.get("type") == "tool_result" or "functionResponse" in part):
            return "".join(texts(part.get("content") or part.get("functionResponse")))
    return None


def think(items, tools):
    """The call of a tool, or what to say: ("call", (name, arguments)) or ("text", words)."""
    results = [it for it in (result_of(item) for item in items) if it is not None]
    said = [
        text for item in items
        if isinstance(item, dict) and item.get("role") == "user" and result_of(item) is None
        for text in texts(item.get("content") or item.get("parts") or [])
    ]
    commands = [found for text in said for found in COMMAND.findall(text)]
    shell = next((tool for name in SHELLS for tool in tools if tool_name(tool) == name), None)
    calls = [found for text in said for found in CALL.findall(text)]
    offered = [name for tool in tools for name in names_of(tool)]
    if len(results) < len(calls) and calls[len(results)][0] in offered:
        name, arguments = calls[len(results)]
        # Some agents give what they were asked to do on as one quoted word.
        return "call", (name, json.loads(arguments.replace('\\"', '"')))
    if len(results) < len(commands) and shell is not None:
        return "call", (tool_name(shell), arguments_of(shell, commands[len(results)].strip()))
    if results:
        return "text", f"FINAL-OK: the tool said {results[-1].strip()[:200]}"
    return "text", "Hello, I am no model."


def tool_name(tool):
    return tool.get("name") or (tool.get("function") or {}).get("name") or tool.get("type")


def names_of(tool):
    """The names that a tool is asked for by: `GROUP__TOOL` where OpenAI has it in a group."""
    if tool.get("type") == "namespace":
        return [f"{tool['name']}__{inner['name']}" for inner in tool.get("tools") or []]
    return [tool_name(tool)]


def called(name, tools):
    """How OpenAI's models call the tool of a name."""
    for tool in tools:
        if tool.get("type") == "namespace" and name in names_of(tool):
            return {"namespace": tool["name"], "name": name.removeprefix(tool["name"] + "__")}
    return {"name": name}


def arguments_of(tool, command):
    """The arguments that a tool for commands takes: a text, or a list of words."""
    schema = tool.get("input_schema") or tool.get("parameters") or tool.get("parametersJsonSchema")
    schema = schema or (tool.get("function") or {}).get("parameters") or {}
    properties = schema.get("properties") or {"command": {"type": "string"}}
    name = next((it for it in ("command", "cmd", "script") if it in properties), "command")
    is_list = properties.get(name, {}).get("type") == "array"
    arguments = {name: ["bash", "-lc", command] if is_list else command}
    for required in schema.get("required") or []:
        arguments.setdefault(required, "run it")
    return arguments
