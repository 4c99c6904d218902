//! Texts that are made vectors of.

use ringfence_model::llm::{ContextKind, HostedFeature};

use super::Item;
use super::found::{Found, Gone};
use crate::json::{Kind, Misread, Object, Spelling, Value};

pub(super) fn openai(body: Object<'_>, found: &mut Found) -> Result<(), Misread> {
    found.model(body, "model")?;
    let input = body.get("input")?;
    if let Some(input) = input {
        for text in std::iter::once(input).chain(input.elements()) {
            match text.kind() {
                Kind::Text => found.item(Item::of(ContextKind::User, text)),
                // Numbers of tokens.
                Kind::Array | Kind::Number => {}
                _ => found.hosts(HostedFeature::other("input"), Gone::Never),
            }
        }
    }
    found.others(body, &["input", "metadata"]);
    Ok(())
}

pub(super) fn gemini(body: Object<'_>, found: &mut Found) -> Result<(), Misread> {
    found.model(body, "model")?;
    for content in body.elements("contents")? {
        texts(content, found)?;
    }
    if let Some(content) = body.get("content")? {
        texts(content, found)?;
    }
    let known = ["content", "contents", "embedContentConfig", "config"];
    found.others(body, &known);
    Ok(())
}

fn texts(content: Value<'_>, found: &mut Found) -> Result<(), Misread> {
    let content = content.object(Spelling::CamelOrSnake)?;
    super::gemini::contents(content, ContextKind::User, found)
}

pub(super) fn gemini_many(body: Object<'_>, found: &mut Found) -> Result<(), Misread> {
    for request in body.elements("requests")? {
        gemini(request.object(Spelling::CamelOrSnake)?, found)?;
    }
    found.others(body, &["requests"]);
    Ok(())
}

pub(super) fn vertex(body: Object<'_>, found: &mut Found) -> Result<(), Misread> {
    for instance in body.elements("instances")? {
        let instance = instance.object(Spelling::CamelOrSnake)?;
        for name in ["content", "prompt", "text"] {
            if let Some(text) = instance.get(name)? {
                found.item(Item::of(ContextKind::User, text));
            }
        }
        found.others(instance, &["content", "prompt", "text"]);
    }
    found.others(body, &["instances", "parameters"]);
    Ok(())
}
