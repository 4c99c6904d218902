//! Anthropic's Messages.

use ringfence_model::llm::{ContextKind, HostedFeature};

use super::Item;
use super::found::{Cap, Found, Gone, TEXT_INSTEAD, kind_of, type_of};
use ringfence_json::{Kind, Misread, Object, Spelling, Tape, Value};

pub(super) fn read(body: Object<'_>, found: &mut Found) -> Result<(), Misread> {
    found.model(body, "model")?;
    found.stream = body.boolean("stream")?;
    found.bound(body, "max_tokens")?;
    found.hidden = Some(hidden(body)?);
    found.cap = Some(Cap::In(body.value().at(), "max_tokens"));
    found.service_tier = body.text("service_tier")?.map(Into::into);
    if let Some(metadata) = body.object("metadata")? {
        found.session = metadata.text("user_id")?.and_then(|it| session(&it));
    }
    if let Some(system) = body.get("system")? {
        contents(system, ContextKind::System, found)?;
    }
    for message in body.elements("messages")? {
        let message = message.object(Spelling::Exact)?;
        let role = message.text("role")?.unwrap_or_default();
        if let Some(content) = message.get("content")? {
            contents(content, kind_of(&role), found)?;
        }
    }
    tools(body, found)?;
    hosted(body, found)?;
    found.others(body, &KNOWN);
    Ok(())
}

/// As Bedrock and Vertex carry it: the version stands in the body.
pub(super) fn read_elsewhere(body: Object<'_>, found: &mut Found) -> Result<(), Misread> {
    if body.text("anthropic_version")?.is_none() || body.get("messages")?.is_none() {
        let what = "is no request in Anthropic's form, the only one that is passed on here";
        return Err(body.value().misread(what));
    }
    read(body, found)
}

const KNOWN: [&str; 24] = [
    "anthropic_beta",
    "anthropic_version",
    "betas",
    "cache_control",
    "container",
    "context_management",
    "inference_geo",
    "max_tokens",
    "mcp_servers",
    "messages",
    "metadata",
    "model",
    "output_config",
    "output_format",
    "service_tier",
    "stop_sequences",
    "stream",
    "system",
    "temperature",
    "thinking",
    "tool_choice",
    "tools",
    "top_k",
    "top_p",
];

/// The most tokens of reasoning that are not shown: a summary of them is, or nothing at all.
fn hidden(body: Object<'_>) -> Result<u64, Misread> {
    let Some(thinking) = body.object("thinking")? else {
        return Ok(0);
    };
    Ok(match type_of(thinking)?.as_ref() {
        "disabled" => 0,
        "enabled" => thinking.count("budget_tokens")?.unwrap_or(u64::MAX),
        _ => u64::MAX,
    })
}

/// Claude Code puts the session into the user's id: JSON, or words with underscores between them.
fn session(user: &str) -> Option<String> {
    let tape = Tape::read(user.as_bytes()).ok();
    let told = tape.and_then(|tape| {
        let session = tape.root(user.as_bytes()).get("session_id")?.text()?;
        Some(session.into_owned())
    });
    told.or_else(|| user.rsplit_once("_session_").map(|(_, it)| it.to_owned()))
}

/// A text, or blocks.
fn contents(value: Value<'_>, kind: ContextKind, found: &mut Found) -> Result<(), Misread> {
    if value.kind() == Kind::Text {
        found.item(Item::of(kind, value));
    }
    for value in value.parts()? {
        block(value.object(Spelling::Exact)?, kind, found)?;
    }
    Ok(())
}

fn block(block: Object<'_>, kind: ContextKind, found: &mut Found) -> Result<(), Misread> {
    let value = block.value();
    match type_of(block)?.as_ref() {
        "text" => {
            let text = block.get("text")?.map(Value::at);
            found.item(Item::with(kind, value, text.into_iter().collect()));
        }
        "tool_use" => {
            let input = block.get("input")?.map(Value::at);
            let item = Item::with(ContextKind::ToolCall, value, input.into_iter().collect());
            found.item(
                item.call(block.text("id")?.as_deref())
                    .name(block.text("name")?.as_deref()),
            );
        }
        "tool_result" => tool_result(block, found)?,
        "image" | "document" => {
            let content = media(block, found)?;
            found.item(Item::with(ContextKind::Media, value, content));
        }
        "search_result" => {
            let mut content = Vec::new();
            texts_in(block, found, &mut content)?;
            found.item(Item::with(kind, value, content));
        }
        "container_upload" => found.hosts(HostedFeature::StoredFile, Gone::Part(value.at())),
        // What the provider wrote before, which it wants to see again as it was.
        "thinking" | "redacted_thinking" | "server_tool_use" | "mcp_tool_use"
        | "mcp_tool_result" | "compaction" | "tool_reference" => found.keep(value),
        other if other.ends_with("_tool_result") => found.keep(value),
        other => found.unknown(other, value),
    }
    Ok(())
}

fn tool_result(block: Object<'_>, found: &mut Found) -> Result<(), Misread> {
    let mut content = Vec::new();
    if let Some(value) = block.get("content")?
        && value.kind() == Kind::Text
    {
        content.push(value.at());
    } else {
        texts_in(block, found, &mut content)?;
    }
    let item = Item::with(ContextKind::ToolResult, block.value(), content);
    found.item(
        item.call(block.text("tool_use_id")?.as_deref())
            .failed(block.boolean("is_error")? == Some(true)),
    );
    Ok(())
}

/// The blocks in the content of a block.
fn texts_in(block: Object<'_>, found: &mut Found, content: &mut Vec<u32>) -> Result<(), Misread> {
    for part in block.elements("content")? {
        let part = part.object(Spelling::Exact)?;
        match type_of(part)?.as_ref() {
            "text" => content.extend(part.get("text")?.map(Value::at)),
            "image" | "document" => content.extend(media(part, found)?),
            "search_result" => {
                for inner in part.elements("content")? {
                    let inner = inner.object(Spelling::Exact)?;
                    content.extend(inner.get("text")?.map(Value::at));
                }
            }
            "tool_reference" => {}
            other => found.unknown(other, part.value()),
        }
    }
    Ok(())
}

/// The source of an image or document, and the numbers of its content.
fn media(block: Object<'_>, found: &mut Found) -> Result<Vec<u32>, Misread> {
    let Some(source) = block.object("source")? else {
        return Ok(Vec::new());
    };
    let value = block.value();
    let mut content = Vec::new();
    match type_of(source)?.as_ref() {
        "base64" => {
            if let Some(data) = source.get("data")? {
                if type_of(block)? == "image" {
                    found.image(data);
                } else {
                    found.media(data);
                }
                content.push(data.at());
            }
        }
        "text" => content.extend(source.get("data")?.map(Value::at)),
        "content" => {
            if let Some(text) = source.get("content")?
                && text.kind() == Kind::Text
            {
                content.push(text.at());
            }
            for part in source.get("content")?.into_iter().flat_map(Value::elements) {
                let part = part.object(Spelling::Exact)?;
                content.extend(part.get("text")?.map(Value::at));
                if part.get("source")?.is_some() {
                    content.extend(media(part, found)?);
                }
            }
        }
        "url" => {
            if let Some(url) = source.get("url")? {
                found.url(url, value, TEXT_INSTEAD);
            }
        }
        "file" => found.stored_file(value, TEXT_INSTEAD),
        other => found.unknown(other, value),
    }
    Ok(content)
}

fn tools(body: Object<'_>, found: &mut Found) -> Result<(), Misread> {
    found.tool_members(body, "tools", "tool_choice")?;
    for tool in body.elements("tools")? {
        let tool = tool.object(Spelling::Exact)?;
        let kind = type_of(tool)?;
        match feature(&kind) {
            Some(feature) => found.hosts(feature, Gone::Part(tool.value().at())),
            None => found.tool(&tool.text("name")?.unwrap_or_default()),
        }
    }
    Ok(())
}

/// What the provider does by itself, for a type of tool; none where the client runs it.
fn feature(kind: &str) -> Option<HostedFeature> {
    const CLIENT: [&str; 4] = ["bash_", "text_editor_", "computer_", "memory_"];
    const HOSTED: [(&str, HostedFeature); 4] = [
        ("web_search_", HostedFeature::WebSearch),
        ("web_fetch_", HostedFeature::WebFetch),
        ("code_execution_", HostedFeature::CodeExecution),
        ("tool_search_tool_", HostedFeature::ToolSearch),
    ];
    // The date of its version, and nothing else, stands behind the name of a tool.
    let is_date = |it: &str| it.len() == DATE_DIGITS && it.bytes().all(|b| b.is_ascii_digit());
    let mut versions = CLIENT.iter().filter_map(|it| kind.strip_prefix(it));
    if matches!(kind, "" | "custom") || versions.any(is_date) {
        return None;
    }
    if kind == "mcp_toolset" {
        return Some(HostedFeature::RemoteMcp);
    }
    let known = HOSTED.into_iter().find(|(name, _)| kind.starts_with(name));
    Some(known.map_or_else(|| HostedFeature::other(kind), |(_, feature)| feature))
}

const DATE_DIGITS: usize = 8;

fn hosted(body: Object<'_>, found: &mut Found) -> Result<(), Misread> {
    found.hosts_member(body, "mcp_servers", HostedFeature::RemoteMcp)?;
    found.hosts_member(body, "container", HostedFeature::CodeExecution)?;
    if let Some((key, container)) = body.member("container")?
        && container.kind() == Kind::Object
        && container.object(Spelling::Exact)?.get("skills")?.is_some()
    {
        found.hosts(HostedFeature::Skills, Gone::Part(key.at()));
    }
    Ok(())
}
