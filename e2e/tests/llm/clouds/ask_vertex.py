import os

from anthropic import AnthropicVertex
from google import genai
from google.genai import types
from google.oauth2.credentials import Credentials

from common import ASK, SCHEMA, loop, raised, report, run

TOKEN = os.environ["GOOGLE_ACCESS_TOKEN"]
NEAR = "http://llm.ringfence.internal/vertex"
FAR = "https://europe-west4-aiplatform.googleapis.com"
MODEL = "gemini-2.5-flash"
CLAUDE = "claude-haiku-4-5@20251001"
HI = [{"role": "user", "content": "hi"}]
TOOL = types.Tool(function_declarations=[types.FunctionDeclaration(name="run", parameters_json_schema=SCHEMA)])


def google(place):
    options = types.HttpOptions(base_url=place)
    return genai.Client(vertexai=True, project="acme", location="europe-west4", credentials=Credentials(token=TOKEN), http_options=options)


def anthropic(place):
    return AnthropicVertex(project_id="acme", region="europe-west4", access_token=TOKEN, base_url=f"{place}/v1")


client, direct = google(NEAR), google(FAR)
claude, direct_claude = anthropic(NEAR), anthropic(FAR)


def tools():
    contents = [types.Content(role="user", parts=[types.Part(text=ASK)])]

    def step():
        config = types.GenerateContentConfig(tools=[TOOL])
        response = client.models.generate_content(model=MODEL, contents=contents, config=config)
        contents.append(response.candidates[0].content)
        for call in response.function_calls or []:
            part = types.Part.from_function_response(name=call.name, response={"output": run(call.args)})
            contents.append(types.Content(role="user", parts=[part]))
        return None if response.function_calls else response.text

    return loop(step)


def ask(by, model=CLAUDE):
    return by.messages.create(model=model, max_tokens=64, messages=HI).content[0].text


def claude_streamed(by):
    with by.messages.stream(model=CLAUDE, max_tokens=64, messages=HI) as stream:
        return "".join(stream.text_stream)


report(
    whole=lambda: client.models.generate_content(model=MODEL, contents="hi").text,
    direct=lambda: direct.models.generate_content(model=MODEL, contents="hi").text,
    streamed=lambda: "".join(it.text or "" for it in client.models.generate_content_stream(model=MODEL, contents="hi")),
    tools=tools,
    claude=lambda: ask(claude),
    direct_claude=lambda: ask(direct_claude),
    claude_streamed=lambda: claude_streamed(claude),
    refused=lambda: raised(lambda: client.models.generate_content(model="gemini-2.5-pro", contents="hi")),
    refused_claude=lambda: raised(lambda: ask(claude, "claude-opus-4-5@20251101")),
)
