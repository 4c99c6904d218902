//! Texts that are made vectors of.

use ringfence_model::llm::ContextKind;

use super::Item;
use super::completions::is_tokens;
use super::found::Found;
use ringfence_json::{Kind, Misread, Object, Spelling, Value};

pub(super) fn openai(body: Object<'_>, found: &mut Found) -> Result<(), Misread> {
    found.model(body, "model")?;
    if let Some(input) = body.get("input")? {
        let single = Some(input).filter(|it| it.kind() == Kind::Text);
        for one in single.into_iter().chain(input.parts()?) {
            match one.kind() {
                Kind::Text => found.item(Item::of(ContextKind::User, one)),
                _ if is_tokens(one) => {}
                _ => return Err(one.misread("is neither a text nor a list of tokens")),
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
