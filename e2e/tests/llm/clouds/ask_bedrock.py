import json

import boto3
from anthropic import AnthropicBedrock
from botocore.config import Config
from botocore.exceptions import ClientError

from common import ASK, SCHEMA, loop, report, run

MODEL = "eu.anthropic.claude-haiku-4-5-20251001-v1:0"
OTHER = "eu.anthropic.claude-opus-4-5-20251101-v1:0"
ONCE = Config(retries={"total_max_attempts": 1})
client = boto3.client("bedrock-runtime")
direct = boto3.client("bedrock-runtime", endpoint_url="https://bedrock-runtime.eu-central-1.amazonaws.com")
once = boto3.client("bedrock-runtime", config=ONCE)
HI = [{"role": "user", "content": [{"text": "hi"}]}]
BODY = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 64, "messages": [{"role": "user", "content": "hi"}]}
TOOLS = {"tools": [{"toolSpec": {"name": "run", "inputSchema": {"json": SCHEMA}}}]}


def invoke(by=client, model=MODEL):
    return json.load(by.invoke_model(modelId=model, body=json.dumps(BODY))["body"])["content"][0]["text"]


def invoke_streamed(model=MODEL):
    stream = client.invoke_model_with_response_stream(modelId=model, body=json.dumps(BODY))["body"]
    events = [json.loads(it["chunk"]["bytes"]) for it in stream]
    return "".join(it["delta"]["text"] for it in events if it["type"] == "content_block_delta")


def converse(by=client, model=MODEL):
    return by.converse(modelId=model, messages=HI)["output"]["message"]["content"][0]["text"]


def converse_streamed(model=MODEL):
    stream = client.converse_stream(modelId=model, messages=HI)["stream"]
    return "".join(it["contentBlockDelta"]["delta"]["text"] for it in stream if "contentBlockDelta" in it)


def tools():
    messages = [{"role": "user", "content": [{"text": ASK}]}]

    def step():
        message = client.converse(modelId=MODEL, messages=messages, toolConfig=TOOLS)["output"]["message"]
        messages.append(message)
        calls = [it["toolUse"] for it in message["content"] if "toolUse" in it]
        if not calls:
            return message["content"][0]["text"]
        results = [{"toolResult": {"toolUseId": it["toolUseId"], "content": [{"text": run(it["input"])}]}} for it in calls]
        messages.append({"role": "user", "content": results})
        return None

    return loop(step)


def by_anthropic():
    message = AnthropicBedrock(aws_region="eu-central-1", base_url=client.meta.endpoint_url).messages.create(
        model=MODEL, max_tokens=64, messages=[{"role": "user", "content": "hi"}]
    )
    return message.content[0].text


def raised(call):
    try:
        return {"none": repr(call())}
    except ClientError as error:
        said = error.response
        return {"code": said["Error"]["Code"], "words": said["Error"]["Message"], "status": said.get("ResponseMetadata", {}).get("HTTPStatusCode")}


report(
    invoke=invoke,
    direct=lambda: invoke(direct),
    direct_converse=lambda: converse(direct),
    by_anthropic=by_anthropic,
    invoke_streamed=invoke_streamed,
    converse=converse,
    converse_streamed=converse_streamed,
    tools=tools,
    refused=lambda: raised(lambda: invoke(model=OTHER)),
    refused_streamed=lambda: raised(lambda: invoke_streamed(OTHER)),
    refused_converse=lambda: raised(lambda: converse(model=OTHER)),
    refused_converse_streamed=lambda: raised(lambda: converse_streamed(OTHER)),
    busy=lambda: raised(lambda: converse(once, "fail-429")),
    overloaded=lambda: raised(lambda: converse_streamed("fail-mid-stream")),
)
