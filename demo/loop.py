"""A coding agent in the small: asks the model, runs the commands that it wants, until it wants none."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request

TOOLS = [{"name": "Bash", "description": "Runs a command.", "input_schema": {"type": "object", "properties": {"command": {"type": "string"}}}}]


def ask(messages, model="claude-haiku-4-5", tools=TOOLS):
    body = {"model": model, "max_tokens": 1000, "messages": messages, "tools": tools}
    headers = {"Content-Type": "application/json", "x-api-key": os.environ["ANTHROPIC_AUTH_TOKEN"]}
    url = os.environ["ANTHROPIC_BASE_URL"] + "/v1/messages"
    with urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers)) as answer:
        return json.load(answer)["content"]


def main():
    messages = [{"role": "user", "content": sys.argv[1]}]
    while True:
        content = ask(messages)
        messages.append({"role": "assistant", "content": content})
        calls = [part for part in content if part["type"] == "tool_use"]
        if not calls:
            print("".join(part.get("text", "") for part in content))
            return
        results = []
        for call in calls:
            done = subprocess.run(call["input"]["command"], shell=True, capture_output=True, text=True)
            results.append({"type": "tool_result", "tool_use_id": call["id"], "content": done.stdout + done.stderr})
        messages.append({"role": "user", "content": results})


main()
