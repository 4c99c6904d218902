//! Gemini's contents, also as Vertex carries them.

use ringfence_model::llm::{ContextKind, HostedFeature};

use super::found::{Cap, Found, Gone, PART_INSTEAD, kind_of};
use super::{Item, gemini_tools};
use ringfence_json::{Kind, Misread, Object, Spelling, Value};

pub(super) fn read(body: Object<'_>, found: &mut Found) -> Result<(), Misread> {
    found.model(body, "model")?;
    found.service_tier = body.text("serviceTier")?.map(Into::into);
    if found.service_tier.as_deref() == Some("priority") {
        found.hosts_member(body, "serviceTier", HostedFeature::other("priority"))?;
    }
    found.costly_tier(body, "serviceTier")?;
    if let Some(system) = body.object("systemInstruction")? {
        contents(system, ContextKind::System, found)?;
    }
    for content in body.elements("contents")? {
        let content = content.object(Spelling::CamelOrSnake)?;
        let role = content.text("role")?.unwrap_or_default();
        contents(content, kind_of(&role), found)?;
    }
    found.tool_members(body, "tools", "toolConfig")?;
    for tool in body.elements("tools")? {
        gemini_tools::read(tool.object(Spelling::CamelOrSnake)?, found)?;
    }
    configuration(body, found)?;
    found.continues(body, "cachedContent")?;
    found.hosts_member(body, "store", HostedFeature::StoredResponse)?;
    found.others(body, &KNOWN);
    Ok(())
}

/// A count is asked for contents, or for a whole request.
pub(super) fn count(body: Object<'_>, found: &mut Found) -> Result<(), Misread> {
    read(body, found)?;
    if let Some(inner) = body.object("generateContentRequest")? {
        read(inner, found)?;
    }
    found.cap = None;
    Ok(())
}

const KNOWN: [&str; 11] = [
    "cachedContent",
    "contents",
    "generateContentRequest",
    "generationConfig",
    "labels",
    "model",
    "safetySettings",
    "serviceTier",
    "systemInstruction",
    "toolConfig",
    "tools",
];

fn configuration(body: Object<'_>, found: &mut Found) -> Result<(), Misread> {
    let root = body.value().at();
    let Some(configuration) = body.object("generationConfig")? else {
        found.cap = Some(Cap::Within(root, "generationConfig", "maxOutputTokens"));
        return Ok(());
    };
    let at = configuration.value().at();
    found.cap = Some(Cap::In(at, "maxOutputTokens"));
    found.bound(configuration, "maxOutputTokens")?;
    found.choices = configuration.count("candidateCount")?;
    let makes_more = |it: &Value<'_>| !it.is_text("TEXT");
    let mut modalities = configuration.elements("responseModalities")?;
    if modalities.any(|it| makes_more(&it)) {
        let feature = HostedFeature::Generation;
        found.hosts_member(configuration, "responseModalities", feature)?;
    }
    // Vertex can be told another model here than in the path.
    found.others(configuration, &CONFIGURATION);
    Ok(())
}

const CONFIGURATION: [&str; 9] = [
    "_responseJsonSchema",
    "imageConfig",
    "responseFormat",
    "responseJsonSchema",
    "responseModalities",
    "responseSchema",
    "speechConfig",
    "stopSequences",
    "thinkingConfig",
];

/// The parts of a content.
pub(super) fn contents(
    content: Object<'_>,
    kind: ContextKind,
    found: &mut Found,
) -> Result<(), Misread> {
    // One part stands for a list of one.
    let Some(parts) = content.get("parts")? else {
        return Ok(());
    };
    match parts.kind() {
        Kind::Object => part(parts.object(Spelling::CamelOrSnake)?, kind, found),
        Kind::Array => {
            let mut parts = parts.elements();
            parts.try_for_each(|it| part(it.object(Spelling::CamelOrSnake)?, kind, found))
        }
        _ => Err(parts.misread("is neither a part nor an array")),
    }
}

fn part(part: Object<'_>, kind: ContextKind, found: &mut Found) -> Result<(), Misread> {
    let value = part.value();
    if let Some(signature) = part.get("thoughtSignature")? {
        found.keep(signature);
    }
    if let Some(text) = part.get("text")? {
        // What the model thought goes back as it was.
        if part.boolean("thought")? == Some(true) {
            found.keep(text);
            return media_and_more(part, found);
        }
        found.item(Item::with(kind, value, vec![text.at()]));
    }
    if let Some(call) = part.object("functionCall")? {
        function(call, "args", ContextKind::ToolCall, found)?;
    }
    if let Some(result) = part.object("functionResponse")? {
        function(result, "response", ContextKind::ToolResult, found)?;
        for inner in result.elements("parts")? {
            media(inner.object(Spelling::CamelOrSnake)?, found)?;
        }
    }
    media_and_more(part, found)
}

fn media_and_more(part: Object<'_>, found: &mut Found) -> Result<(), Misread> {
    media(part, found)?;
    // What the provider did before.
    for name in [
        "executableCode",
        "codeExecutionResult",
        "toolCall",
        "toolResponse",
    ] {
        if let Some(done) = part.get(name)? {
            found.keep(done);
        }
    }
    found.others(part, &PARTS);
    Ok(())
}

const PARTS: [&str; 12] = [
    "codeExecutionResult",
    "executableCode",
    "fileData",
    "functionCall",
    "functionResponse",
    "inlineData",
    "mediaResolution",
    "partMetadata",
    "text",
    "toolCall",
    "toolResponse",
    "videoMetadata",
];

fn function(
    function: Object<'_>,
    content: &str,
    kind: ContextKind,
    found: &mut Found,
) -> Result<(), Misread> {
    let inner = function.get(content)?;
    let failed =
        kind == ContextKind::ToolResult && inner.is_some_and(|it| it.get("error").is_some());
    let content = inner.map(Value::at).into_iter().collect();
    let name = function.text("name")?;
    let id = function.text("id")?;
    // Without an id, the name is all that call and result have in common.
    let id = id.as_deref().or(name.as_deref());
    let item = Item::with(kind, function.value(), content);
    found.item(item.call(id).name(name.as_deref()).failed(failed));
    Ok(())
}

fn media(part: Object<'_>, found: &mut Found) -> Result<(), Misread> {
    let value = part.value();
    if let Some(inline) = part.object("inlineData")?
        && let Some(data) = inline.get("data")?
    {
        let kind = inline.text("mimeType")?.unwrap_or_default();
        if kind.starts_with("image/") {
            found.image(data);
        } else {
            found.media(data);
        }
        let item = Item::with(ContextKind::Media, value, vec![data.at()]);
        found.item(item);
    }
    if let Some(file) = part.object("fileData")? {
        let uri = file.text("fileUri")?.unwrap_or_default();
        let is_stored = uri.starts_with(FILES) || uri.starts_with("files/");
        if is_stored {
            found.stored_file(value, PART_INSTEAD);
        } else {
            found.media += 1;
            let gone = Gone::Value(value.at(), PART_INSTEAD.to_owned());
            found.hosts(HostedFeature::FetchedUrl, gone);
        }
    }
    Ok(())
}

const FILES: &str = "https://generativelanguage.googleapis.com/";
