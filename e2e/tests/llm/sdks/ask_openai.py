from openai import OpenAI

from common import ASK, SCHEMA, loop, raised, report, run

import json

client = OpenAI()
HI = [{"role": "user", "content": "hi"}]
TOOL = {"type": "function", "function": {"name": "run", "parameters": SCHEMA}}
FLAT = {"type": "function", "name": "run", "parameters": SCHEMA, "strict": False}


def chat(model="gpt-5-mini", messages=HI, **more):
    return client.chat.completions.create(model=model, messages=messages, **more)


def streamed():
    parts = [it.choices[0].delta.content or "" for it in chat(stream=True) if it.choices]
    return {"said": "".join(parts), "pieces": len([it for it in parts if it])}


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


def responses_streamed():
    with client.responses.stream(model="gpt-5-mini", input="hi") as stream:
        parts = [it.delta for it in stream if it.type == "response.output_text.delta"]
        whole = stream.get_final_response().output_text
    return {"said": "".join(parts), "whole": whole, "pieces": len(parts)}


def responses_tools():
    items = [{"role": "user", "content": ASK}]

    def step():
        response = client.responses.create(model="gpt-5-mini", input=items, tools=[FLAT])
        items.extend(response.output)
        calls = [it for it in response.output if it.type == "function_call"]
        for call in calls:
            result = run(json.loads(call.arguments))
            items.append({"type": "function_call_output", "call_id": call.call_id, "output": result})
        return None if calls else response.output_text

    return loop(step)


def left():
    stream = chat("fail-never-ends", stream=True)
    next(iter(stream))
    stream.close()
    return True


report(
    whole=lambda: chat().choices[0].message.content,
    streamed=streamed,
    tools=tools,
    responses=lambda: client.responses.create(model="gpt-5-mini", input="hi").output_text,
    responses_streamed=responses_streamed,
    responses_tools=responses_tools,
    models=lambda: [it.id for it in client.models.list()],
    embedded=lambda: client.embeddings.create(model="text-embedding-3-small", input="hi").data[0].embedding,
    model=lambda: raised(lambda: chat("gpt-5")),
    model_streamed=lambda: raised(lambda: chat("gpt-5", stream=True)),
    hosted=lambda: raised(lambda: client.responses.create(model="gpt-5-mini", input="hi", tools=[{"type": "web_search"}])),
    budget=lambda: raised(lambda: chat("gpt-5-nano")),
    busy=lambda: raised(lambda: client.with_options(max_retries=0).chat.completions.create(model="fail-429", messages=HI)),
    overloaded=lambda: raised(lambda: list(chat("fail-mid-stream", stream=True))),
    left=left,
)
