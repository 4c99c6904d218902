"""What the programs share: each prints one object of JSON, with what came of each thing that it tried."""

import json
import subprocess
import sys

ASK = "RUN: echo one\nRUN: echo two"
SCHEMA = {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]}


def run(arguments):
    """The tool: a command, in the sandbox."""
    return subprocess.run(["bash", "-c", arguments["command"]], capture_output=True, text=True, check=False).stdout.strip()


def loop(step):
    """Calls `step` until it says something: it gives back the words, or none where it called a tool."""
    for steps in range(5):
        said = step()
        if said is not None:
            return {"steps": steps, "said": said}
    return None


def raised(call):
    """The error that a call ends with, as its caller sees it."""
    try:
        return {"none": repr(call())}
    except Exception as error:  # every class, because which it is, is what is asked
        response = getattr(error, "response", None)
        headers = getattr(response, "headers", None) or {}
        return {
            "class": type(error).__name__,
            "status": getattr(error, "status_code", None) or getattr(error, "code", None),
            "words": str(error),
            "retry_after": headers.get("retry-after"),
        }


def report(**cases):
    """Tries each, and prints what came of it."""
    told = {}
    for name, case in cases.items():
        try:
            told[name] = case()
        except Exception as error:
            told[name] = {"broken": f"{type(error).__name__}: {error}"}
    json.dump(told, sys.stdout)
    print()
