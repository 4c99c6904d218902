from google import genai
from google.genai import types

from common import ASK, SCHEMA, loop, raised, report, run

client = genai.Client()
MODEL = "gemini-2.5-flash"
TOOL = types.Tool(function_declarations=[types.FunctionDeclaration(name="run", parameters_json_schema=SCHEMA)])
SEARCH = types.Tool(google_search=types.GoogleSearch())


def ask(model=MODEL, contents="hi", tools=None):
    return client.models.generate_content(model=model, contents=contents, config=types.GenerateContentConfig(tools=tools))


def stream(model=MODEL):
    return client.models.generate_content_stream(model=model, contents="hi")


def streamed():
    parts = [it.text or "" for it in stream()]
    return {"said": "".join(parts), "pieces": len(parts)}


def tools():
    contents = [types.Content(role="user", parts=[types.Part(text=ASK)])]

    def step():
        response = ask(contents=contents, tools=[TOOL])
        contents.append(response.candidates[0].content)
        for call in response.function_calls or []:
            part = types.Part.from_function_response(name=call.name, response={"output": run(call.args)})
            contents.append(types.Content(role="user", parts=[part]))
        return None if response.function_calls else response.text

    return loop(step)


def left():
    answers = stream("fail-never-ends")
    next(answers)
    answers.close()
    return True


report(
    whole=lambda: ask().text,
    streamed=streamed,
    tools=tools,
    models=lambda: [it.name.removeprefix("models/") for it in client.models.list()],
    counted=lambda: client.models.count_tokens(model=MODEL, contents="hi").total_tokens,
    embedded=lambda: client.models.embed_content(model="gemini-embedding-001", contents="hi").embeddings[0].values,
    model=lambda: raised(lambda: ask("gemini-2.5-pro")),
    model_streamed=lambda: raised(lambda: list(stream("gemini-2.5-pro"))),
    hosted=lambda: raised(lambda: ask(tools=[SEARCH])),
    budget=lambda: raised(lambda: ask("gemini-2.0-flash")),
    busy=lambda: raised(lambda: ask("fail-429")),
    overloaded=lambda: raised(lambda: [it.text for it in stream("fail-mid-stream")]),
    left=left,
)
