//! Amazon Bedrock's Converse.

use ringfence_model::llm::{ContextKind, HostedFeature};

use super::Item;
use super::found::{Cap, Found, Gone, PART_INSTEAD, kind_of};
use ringfence_json::{Misread, Object, Spelling, Value};

pub(super) fn read(body: Object<'_>, found: &mut Found) -> Result<(), Misread> {
    for block in body.elements("system")? {
        content(block.object(Spelling::Exact)?, ContextKind::System, found)?;
    }
    for message in body.elements("messages")? {
        let message = message.object(Spelling::Exact)?;
        let kind = kind_of(&message.text("role")?.unwrap_or_default());
        for block in message.elements("content")? {
            content(block.object(Spelling::Exact)?, kind, found)?;
        }
    }
    found.tool_members(body, "toolConfig", "toolConfig")?;
    tools(body, found)?;
    configuration(body, found)?;
    found.hosts_member(body, "promptVariables", HostedFeature::StoredResponse)?;
    if let Some(fields) = body.object("additionalModelRequestFields")? {
        // Members of the model's own request: tools and all else that it knows.
        found.others(fields, &FIELDS);
    }
    found.others(body, &KNOWN);
    Ok(())
}

/// A count is asked for a Converse request, or for a body that is not looked into: counting runs
/// nothing of what it asks for.
pub(super) fn count(body: Object<'_>, found: &mut Found) -> Result<(), Misread> {
    let Some(input) = body.object("input")? else {
        return Err(body.value().misread("has no input"));
    };
    if let Some(converse) = input.object("converse")? {
        read(converse, found)?;
    }
    if let Some(invoke) = input.object("invokeModel")?
        && let Some(data) = invoke.get("body")?
    {
        found.keep(data);
    }
    found.cap = None;
    found.others(body, &["input"]);
    Ok(())
}

const KNOWN: [&str; 13] = [
    "additionalModelRequestFields",
    "additionalModelResponseFieldPaths",
    "guardrailConfig",
    "inferenceConfig",
    "messages",
    "outputConfig",
    "performanceConfig",
    "promptVariables",
    "requestMetadata",
    "serviceTier",
    "streamProcessingMode",
    "system",
    "toolConfig",
];

const FIELDS: [&str; 10] = [
    "anthropic_beta",
    "inferenceConfig",
    "output_config",
    "reasoning",
    "reasoningConfig",
    "reasoning_config",
    "reasoning_effort",
    "stop_sequences",
    "thinking",
    "top_k",
];

fn configuration(body: Object<'_>, found: &mut Found) -> Result<(), Misread> {
    let root = body.value().at();
    found.cap = Some(Cap::Within(root, "inferenceConfig", "maxTokens"));
    if let Some(configuration) = body.object("inferenceConfig")? {
        found.cap = Some(Cap::In(configuration.value().at(), "maxTokens"));
        found.bound(configuration, "maxTokens")?;
    }
    if let Some(performance) = body.object("performanceConfig")?
        && performance.text("latency")?.as_deref() == Some("optimized")
    {
        found.hosts_member(body, "performanceConfig", HostedFeature::other("priority"))?;
    }
    if let Some(tier) = body.object("serviceTier")? {
        found.service_tier = tier.text("type")?.map(Into::into);
        found.costly_tier(body, "serviceTier")?;
    }
    Ok(())
}

fn content(block: Object<'_>, kind: ContextKind, found: &mut Found) -> Result<(), Misread> {
    let value = block.value();
    if let Some(text) = block.get("text")? {
        found.item(Item::with(kind, value, vec![text.at()]));
    }
    if let Some(call) = block.object("toolUse")? {
        let input = call.get("input")?.map(Value::at).into_iter().collect();
        let item = Item::with(ContextKind::ToolCall, value, input);
        found.item(
            item.call(call.text("toolUseId")?.as_deref())
                .name(call.text("name")?.as_deref()),
        );
    }
    if let Some(result) = block.object("toolResult")? {
        tool_result(result, found)?;
    }
    media(block, found)?;
    if let Some(reasoning) = block.get("reasoningContent")? {
        found.keep(reasoning);
    }
    found.others(block, &BLOCKS);
    Ok(())
}

const BLOCKS: [&str; 12] = [
    "audio",
    "cachePoint",
    "citationsContent",
    "document",
    "guardContent",
    "image",
    "reasoningContent",
    "searchResult",
    "text",
    "toolResult",
    "toolUse",
    "video",
];

fn tool_result(result: Object<'_>, found: &mut Found) -> Result<(), Misread> {
    let mut content = Vec::new();
    for part in result.elements("content")? {
        let part = part.object(Spelling::Exact)?;
        for name in ["text", "json"] {
            content.extend(part.get(name)?.map(Value::at));
        }
        media(part, found)?;
    }
    let item = Item::with(ContextKind::ToolResult, result.value(), content);
    found.item(
        item.call(result.text("toolUseId")?.as_deref())
            .failed(result.text("status")?.as_deref() == Some("error")),
    );
    Ok(())
}

fn media(block: Object<'_>, found: &mut Found) -> Result<(), Misread> {
    for name in ["image", "document", "video", "audio"] {
        let Some(media) = block.object(name)? else {
            continue;
        };
        let Some(source) = media.object("source")? else {
            continue;
        };
        if let Some(data) = source.get("bytes")? {
            if name == "image" {
                found.image(data);
            } else {
                found.media(data);
            }
        }
        let is_there = |(key, _): (Value<'_>, Value<'_>)| source.is_one_of(key, &SOURCE);
        if !source.value().members().all(is_there) {
            let gone = Gone::Value(block.value().at(), PART_INSTEAD.to_owned());
            found.media += 1;
            found.hosts(HostedFeature::FetchedUrl, gone);
        }
        found.item(Item::with(
            ContextKind::Media,
            block.value(),
            vec![source.value().at()],
        ));
    }
    Ok(())
}

/// What media is where it is part of the request. Anything else is a place that it is fetched from.
const SOURCE: [&str; 3] = ["bytes", "content", "text"];

fn tools(body: Object<'_>, found: &mut Found) -> Result<(), Misread> {
    let Some(configuration) = body.object("toolConfig")? else {
        return Ok(());
    };
    for tool in configuration.elements("tools")? {
        let tool = tool.object(Spelling::Exact)?;
        if let Some(specification) = tool.object("toolSpec")? {
            found.tool(&specification.text("name")?.unwrap_or_default());
        }
        if let Some(system) = tool.object("systemTool")? {
            let name = system.text("name")?.unwrap_or_default();
            let feature = match name.as_ref() {
                "nova_grounding" => HostedFeature::WebSearch,
                "nova_code_interpreter" => HostedFeature::CodeExecution,
                other => HostedFeature::other(other),
            };
            found.hosts(feature, Gone::Part(tool.value().at()));
        }
        found.others(tool, &["cachePoint", "systemTool", "toolSpec"]);
    }
    Ok(())
}
