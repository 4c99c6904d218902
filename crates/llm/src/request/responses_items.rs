//! The items of the input of Responses.

use ringfence_model::llm::{ContextKind, HostedFeature};

use super::Item;
use super::found::{Found, Gone, INPUT_INSTEAD, kind_of, type_of};
use ringfence_json::{Kind, Misread, Object, Spelling, Value};

pub(super) fn read(item: Object<'_>, found: &mut Found) -> Result<(), Misread> {
    let value = item.value();
    let kind = type_of(item)?;
    match kind.as_ref() {
        "" | "message" => message(item, found),
        "reasoning" => {
            // A part of it is sealed, and belongs to the rest.
            found.keep(value);
            Ok(())
        }
        "item_reference" => {
            found.hosts(HostedFeature::StoredResponse, Gone::Never(value.at()));
            Ok(())
        }
        "mcp_approval_response" => {
            found.hosts(HostedFeature::RemoteMcp, Gone::Part(value.at()));
            Ok(())
        }
        "additional_tools" | "tool_search_output" => tools(item, found),
        // What the provider did before.
        "web_search_call"
        | "file_search_call"
        | "code_interpreter_call"
        | "image_generation_call"
        | "mcp_list_tools"
        | "mcp_call"
        | "mcp_approval_request"
        | "compaction"
        | "compaction_summary"
        | "tool_search_call" => {
            found.keep(value);
            Ok(())
        }
        kind if kind.ends_with("_output") => output(item, found),
        kind if kind.ends_with("_call") => call(item, kind, found),
        kind => {
            found.unknown(kind, value);
            Ok(())
        }
    }
}

fn message(item: Object<'_>, found: &mut Found) -> Result<(), Misread> {
    let kind = kind_of(&item.text("role")?.unwrap_or_default());
    let content = contents(item, "content", found)?;
    if !content.is_empty() {
        found.item(Item::with(kind, item.value(), content));
    }
    Ok(())
}

/// The numbers of the texts of a text, or of parts.
fn contents(item: Object<'_>, name: &str, found: &mut Found) -> Result<Vec<u32>, Misread> {
    let mut content = Vec::new();
    match item.get(name)? {
        Some(value) if value.kind() == Kind::Text => content.push(value.at()),
        Some(value) if value.kind() == Kind::Object => {
            content.extend(part(value.object(Spelling::Exact)?, found)?);
        }
        Some(value) => {
            for value in value.parts()? {
                content.extend(part(value.object(Spelling::Exact)?, found)?);
            }
        }
        None => {}
    }
    Ok(content)
}

fn part(part: Object<'_>, found: &mut Found) -> Result<Vec<u32>, Misread> {
    let value = part.value();
    match type_of(part)?.as_ref() {
        "input_text" | "output_text" | "text" | "summary_text" | "reasoning_text" => {
            Ok(part.get("text")?.map(Value::at).into_iter().collect())
        }
        "refusal" => Ok(part.get("refusal")?.map(Value::at).into_iter().collect()),
        "input_image"
        | "input_file"
        | "input_audio"
        | "input_video"
        | "computer_screenshot"
        | "image_url" => {
            media(part, found)?;
            Ok(Vec::new())
        }
        "encrypted_content" => {
            found.keep(value);
            Ok(Vec::new())
        }
        // What a shell wrote: `{stdout, stderr, outcome}`.
        "" => {
            media(part, found)?;
            let names = ["stdout", "stderr", "text"].into_iter();
            let texts = names.map(|name| part.get(name));
            let texts: Result<Vec<_>, _> = texts.collect();
            Ok(texts?.into_iter().flatten().map(Value::at).collect())
        }
        other => {
            found.unknown(other, value);
            Ok(Vec::new())
        }
    }
}

fn media(part: Object<'_>, found: &mut Found) -> Result<(), Misread> {
    let value = part.value();
    if part.get("file_id")?.is_some() {
        found.stored_file(value, INPUT_INSTEAD);
    }
    for name in ["image_url", "file_url", "video_url", "audio_url"] {
        if let Some(url) = part.get(name)? {
            found.url(url, value, INPUT_INSTEAD);
        }
    }
    if let Some(data) = part.get("file_data")? {
        found.media(data);
    }
    if let Some(audio) = part.object("input_audio")?
        && let Some(data) = audio.get("data")?
    {
        found.media(data);
    }
    Ok(())
}

/// A call of a tool that the client ran.
fn call(item: Object<'_>, kind: &str, found: &mut Found) -> Result<(), Misread> {
    let mut content = None;
    for name in ["arguments", "input", "action", "operation", "actions"] {
        content = content.or(item.get(name)?.map(Value::at));
    }
    let name = item.text("name")?;
    // Tools that have no name are called as their calls are.
    let name = name.as_deref().or_else(|| kind.strip_suffix("_call"));
    let content = content.into_iter().collect();
    let call = Item::with(ContextKind::ToolCall, item.value(), content);
    found.item(call.call(item.text("call_id")?.as_deref()).name(name));
    Ok(())
}

fn output(item: Object<'_>, found: &mut Found) -> Result<(), Misread> {
    let content = contents(item, "output", found)?;
    let output = Item::with(ContextKind::ToolResult, item.value(), content);
    let status = item.text("status")?;
    found.item(
        output
            .call(item.text("call_id")?.as_deref())
            .failed(matches!(status.as_deref(), Some("failed" | "incomplete"))),
    );
    Ok(())
}

/// Tools that come later in the conversation.
fn tools(item: Object<'_>, found: &mut Found) -> Result<(), Misread> {
    for tool in item.elements("tools")? {
        super::openai_tools::of_responses(tool.object(Spelling::Exact)?, found)?;
    }
    Ok(())
}
