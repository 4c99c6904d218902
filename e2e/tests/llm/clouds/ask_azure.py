import os

from openai import AzureOpenAI, OpenAI

from common import ASK, SCHEMA, loop, raised, report, run

import json

VERSION = "2024-10-21"
TOKEN = os.environ.get("AZURE_OPENAI_API_KEY")
PLACE = os.environ["AZURE_OPENAI_ENDPOINT"]
# With a key or, as with `azure-identity`, with a token of Entra ID.
client = AzureOpenAI(api_version=VERSION)
direct = AzureOpenAI(api_version=VERSION, azure_endpoint="https://acme.openai.azure.com")
newer = OpenAI(base_url=f"{PLACE}/openai/v1/", api_key=TOKEN or os.environ["AZURE_OPENAI_AD_TOKEN"])
HI = [{"role": "user", "content": "hi"}]
TOOL = {"type": "function", "function": {"name": "run", "parameters": SCHEMA}}


def chat(by=client, model="gpt-5-mini", messages=HI, **more):
    return by.chat.completions.create(model=model, messages=messages, **more)


def streamed(by):
    return "".join(it.choices[0].delta.content or "" for it in chat(by, stream=True) if it.choices)


def tools():
    messages = [{"role": "user", "content": ASK}]

    def step():
        message = chat(messages=messages, tools=[TOOL]).choices[0].message
        messages.append(message)
        for call in message.tool_calls or []:
            result = run(json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
        return None if message.tool_calls else message.content

    return loop(step)


report(
    whole=lambda: chat().choices[0].message.content,
    direct=lambda: chat(direct).choices[0].message.content,
    newer=lambda: chat(newer).choices[0].message.content,
    newer_responses=lambda: newer.responses.create(model="gpt-5-mini", input="hi").output_text,
    streamed=lambda: streamed(client),
    newer_streamed=lambda: streamed(newer),
    tools=tools,
    refused=lambda: raised(lambda: chat(model="gpt-5")),
    newer_refused=lambda: raised(lambda: chat(newer, model="gpt-5")),
)
