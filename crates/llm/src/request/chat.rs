//! OpenAI's Chat Completions, and what is compatible with it.

use ringfence_model::llm::{ContextKind, HostedFeature};

use super::found::{Cap, Found, Gone, TEXT_INSTEAD, kind_of, type_of};
use super::{Item, openai_tools};
use ringfence_json::{Kind, Misread, Object, Spelling, Value};

pub(super) fn read(body: Object<'_>, found: &mut Found) -> Result<(), Misread> {
    common(body, found)?;
    found.bound(body, "max_tokens")?;
    found.bound(body, "max_completion_tokens")?;
    found.cap = Some(Cap::In(body.value().at(), cap_name(found)));
    found.choices = body.count("n")?;
    found.session = body.text("prompt_cache_key")?.map(Into::into);
    for message in body.elements("messages")? {
        read_message(message.object(Spelling::Exact)?, found)?;
    }
    found.tool_members(body, "tools", "tool_choice")?;
    for tool in body.elements("tools")? {
        openai_tools::of_chat(tool.object(Spelling::Exact)?, found)?;
    }
    for function in body.elements("functions")? {
        let function = function.object(Spelling::Exact)?;
        found.tool(&function.text("name")?.unwrap_or_default());
    }
    hosted(body, found)?;
    found.others(body, &KNOWN);
    Ok(())
}

/// What Completions have too.
pub(super) fn common(body: Object<'_>, found: &mut Found) -> Result<(), Misread> {
    found.model(body, "model")?;
    found.stream = body.boolean("stream")?;
    found.service_tier = body.text("service_tier")?.map(Into::into);
    found.costly_tier(body, "service_tier")?;
    if let Some(options) = body.object("stream_options")? {
        found.includes_usage = options.boolean("include_usage")? == Some(true);
    }
    Ok(())
}

/// OpenAI's newer models know the newer name alone, and most that is compatible the older.
fn cap_name(found: &Found) -> &'static str {
    let model = found.models.first().map_or("", |(_, name)| name.as_str());
    let is_new = ["gpt-5", "gpt-4.1", "o1", "o3", "o4", "codex"];
    // With the model in the path it is Azure, which has the newer name.
    if model.is_empty() || is_new.iter().any(|it| model.starts_with(it)) {
        "max_completion_tokens"
    } else {
        "max_tokens"
    }
}

const KNOWN: [&str; 67] = [
    "audio",
    "cache_control",
    "chat_template_kwargs",
    "data_sources",
    "dimensions",
    "extra_body",
    "format",
    "frequency_penalty",
    "function_call",
    "functions",
    "guided_choice",
    "guided_grammar",
    "guided_json",
    "guided_regex",
    "include_reasoning",
    "keep_alive",
    "logit_bias",
    "logprobs",
    "max_completion_tokens",
    "max_tokens",
    "messages",
    "metadata",
    "min_p",
    "modalities",
    "model",
    "models",
    "n",
    "options",
    "parallel_tool_calls",
    "plugins",
    "prediction",
    "presence_penalty",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "prompt_mode",
    "random_seed",
    "reasoning",
    "reasoning_effort",
    "reasoning_format",
    "repetition_penalty",
    "response_format",
    "safe_prompt",
    "safety_identifier",
    "search_parameters",
    "search_settings",
    "seed",
    "service_tier",
    "stop",
    "stop_token_ids",
    "store",
    "stream",
    "stream_options",
    "structured_outputs",
    "temperature",
    "thinking",
    "tool_choice",
    "tools",
    "top_k",
    "top_logprobs",
    "top_p",
    "usage",
    "use_beam_search",
    "user",
    "verbosity",
    "web_search_options",
    "x_session_id",
];

fn read_message(message: Object<'_>, found: &mut Found) -> Result<(), Misread> {
    let kind = kind_of(&message.text("role")?.unwrap_or_default());
    let call = message.text("tool_call_id")?;
    let name = message.text("name")?;
    let mut content = Vec::new();
    match message.get("content")? {
        Some(value) if value.kind() == Kind::Text => content.push(value.at()),
        Some(value) => {
            for part in value.parts()? {
                content.extend(read_part(part.object(Spelling::Exact)?, found)?);
            }
        }
        None => {}
    }
    if !content.is_empty() {
        let item = Item::with(kind, message.value(), content);
        found.item(if kind == ContextKind::ToolResult {
            item.call(call.as_deref()).name(name.as_deref())
        } else {
            item
        });
    }
    for call in message.elements("tool_calls")? {
        tool_call(call.object(Spelling::Exact)?, found)?;
    }
    if let Some(function) = message.object("function_call")? {
        called(function, function, None, found)?;
    }
    found.others(message, &MESSAGE);
    Ok(())
}

/// What a message holds, and what of an answer clients send back in it.
const MESSAGE: [&str; 14] = [
    "annotations",
    "cache_control",
    "citations",
    "content",
    "executed_tools",
    "extra_content",
    "function_call",
    "provider_specific_fields",
    "reasoning",
    "reasoning_content",
    "reasoning_details",
    "search_results",
    "thinking_blocks",
    "tool_calls",
];

fn tool_call(call: Object<'_>, found: &mut Found) -> Result<(), Misread> {
    let id = call.text("id")?;
    let inner = match call.object("function")? {
        Some(function) => Some(function),
        None => call.object("custom")?,
    };
    match inner {
        Some(inner) => called(call, inner, id.as_deref(), found),
        None => Ok(()),
    }
}

fn called(
    around: Object<'_>,
    function: Object<'_>,
    id: Option<&str>,
    found: &mut Found,
) -> Result<(), Misread> {
    let arguments = match function.get("arguments")? {
        Some(arguments) => Some(arguments),
        None => function.get("input")?,
    };
    let content = arguments.map(Value::at).into_iter().collect();
    let item = Item::with(ContextKind::ToolCall, around.value(), content);
    found.item(item.call(id).name(function.text("name")?.as_deref()));
    Ok(())
}

/// One part of a content, and the number of its text.
fn read_part(part: Object<'_>, found: &mut Found) -> Result<Option<u32>, Misread> {
    let value = part.value();
    match type_of(part)?.as_ref() {
        "text" | "refusal" => {
            let text = match part.get("text")? {
                Some(text) => Some(text),
                None => part.get("refusal")?,
            };
            return Ok(text.map(Value::at));
        }
        kind @ ("image_url" | "video_url" | "document_url" | "audio_url") => {
            if let Some(place) = part.get(kind)? {
                let url = match place.kind() {
                    Kind::Object => place.object(Spelling::Exact)?.get("url")?,
                    _ => Some(place),
                };
                if let Some(url) = url {
                    found.url(url, value, TEXT_INSTEAD);
                }
            }
        }
        "input_audio" => {
            if let Some(audio) = part.object("input_audio")?
                && let Some(data) = audio.get("data")?
            {
                found.media(data);
            }
        }
        "file" => read_file(part, found)?,
        "thinking" | "reasoning" => found.keep(value),
        other => found.unknown(other, value),
    }
    Ok(None)
}

fn read_file(part: Object<'_>, found: &mut Found) -> Result<(), Misread> {
    let Some(file) = part.object("file")? else {
        return Ok(());
    };
    if file.get("file_id")?.is_some() {
        found.stored_file(part.value(), TEXT_INSTEAD);
    }
    if let Some(data) = file.get("file_data")? {
        // At OpenRouter it may be a URL.
        let is_url = data.raw_text().starts_with(b"http");
        if is_url {
            found.url(data, part.value(), TEXT_INSTEAD);
        } else {
            found.media(data);
        }
    }
    Ok(())
}

fn hosted(body: Object<'_>, found: &mut Found) -> Result<(), Misread> {
    for (name, feature) in [
        ("web_search_options", HostedFeature::WebSearch),
        ("search_parameters", HostedFeature::WebSearch),
        ("search_settings", HostedFeature::WebSearch),
        ("data_sources", HostedFeature::FileSearch),
        ("models", HostedFeature::other("models")),
        ("extra_body", HostedFeature::other("extra_body")),
    ] {
        found.hosts_member(body, name, feature)?;
    }
    openai_tools::stored(body, found)?;
    for plugin in body.elements("plugins")? {
        let plugin = plugin.object(Spelling::Exact)?;
        let id = plugin.text("id")?.unwrap_or_default();
        let feature = match id.as_ref() {
            "web" => HostedFeature::WebSearch,
            other => HostedFeature::other(other),
        };
        found.hosts(feature, Gone::Part(plugin.value().at()));
    }
    let makes_more = |it: &Value<'_>| !it.is_text("text");
    if body.elements("modalities")?.any(|it| makes_more(&it)) {
        found.hosts_member(body, "modalities", HostedFeature::Generation)?;
        found.hosts_member(body, "audio", HostedFeature::Generation)?;
    }
    Ok(())
}
