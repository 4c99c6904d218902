from anthropic import Anthropic

from common import ASK, SCHEMA, loop, raised, report, run

client = Anthropic()
HI = [{"role": "user", "content": "hi"}]
TOOL = {"name": "run", "input_schema": SCHEMA}


def ask(model="claude-haiku-4-5", messages=HI, **more):
    return client.messages.create(model=model, max_tokens=64, messages=messages, **more)


def streamed():
    with client.messages.stream(model="claude-haiku-4-5", max_tokens=64, messages=HI) as stream:
        parts = list(stream.text_stream)
        message = stream.get_final_message()
    return {"said": "".join(parts), "whole": message.content[0].text, "pieces": len(parts), "counted": message.usage.output_tokens}


def looped(send):
    messages = [{"role": "user", "content": ASK}]

    def step():
        message = send(messages)
        messages.append({"role": "assistant", "content": message.content})
        calls = [it for it in message.content if it.type == "tool_use"]
        if not calls:
            return message.content[0].text
        results = [{"type": "tool_result", "tool_use_id": it.id, "content": run(it.input)} for it in calls]
        messages.append({"role": "user", "content": results})
        return None

    return loop(step)


def send_streamed(messages):
    with client.messages.stream(model="claude-haiku-4-5", max_tokens=64, messages=messages, tools=[TOOL]) as stream:
        return stream.get_final_message()


def left():
    stream = ask("fail-never-ends", stream=True)
    next(iter(stream))
    stream.close()
    return True


report(
    whole=lambda: ask().content[0].text,
    streamed=streamed,
    tools=lambda: looped(lambda messages: ask(messages=messages, tools=[TOOL])),
    tools_streamed=lambda: looped(send_streamed),
    models=lambda: [it.id for it in client.models.list()],
    counted=lambda: client.messages.count_tokens(model="claude-haiku-4-5", messages=HI).input_tokens,
    model=lambda: raised(lambda: ask("claude-opus-4-5")),
    model_streamed=lambda: raised(lambda: ask("claude-opus-4-5", stream=True)),
    hosted=lambda: raised(lambda: ask(tools=[{"type": "web_search_20250305", "name": "web_search"}])),
    budget=lambda: raised(lambda: ask("claude-haiku-3-5")),
    busy=lambda: raised(lambda: client.with_options(max_retries=0).messages.create(model="fail-429", max_tokens=9, messages=HI)),
    overloaded=lambda: raised(lambda: list(ask("fail-mid-stream", stream=True))),
    left=left,
)
