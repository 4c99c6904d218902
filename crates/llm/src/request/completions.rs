//! OpenAI's Completions of old.

use ringfence_model::llm::ContextKind;

use super::found::{Cap, Found};
use super::{Item, chat};
use ringfence_json::{Kind, Misread, Object, Value};

pub(super) fn read(body: Object<'_>, found: &mut Found) -> Result<(), Misread> {
    chat::common(body, found)?;
    found.bound(body, "max_tokens")?;
    found.cap = Some(Cap::In(body.value().at(), "max_tokens"));
    let mut prompts = 1;
    if let Some(prompt) = body.get("prompt")? {
        match prompt.kind() {
            Kind::Text => found.item(Item::of(ContextKind::User, prompt)),
            Kind::Array => {
                // Each text, and each list of tokens, is a prompt; tokens alone are one.
                let many = prompt
                    .elements()
                    .filter(|it| it.kind() != Kind::Number)
                    .count();
                prompts = (many as u64).max(1);
                for one in prompt.elements() {
                    match one.kind() {
                        Kind::Text => found.item(Item::of(ContextKind::User, one)),
                        _ if is_tokens(one) => {}
                        _ => return Err(one.misread("is no prompt")),
                    }
                }
            }
            _ => return Err(prompt.misread("is no prompt")),
        }
    }
    let each = body.count("n")?.unwrap_or(1);
    let each = each.max(body.count("best_of")?.unwrap_or(1));
    found.choices = Some(each.saturating_mul(prompts));
    found.others(body, &KNOWN);
    Ok(())
}

/// Whether a value is a token, or a list of them.
pub(super) fn is_tokens(value: Value<'_>) -> bool {
    let is_token = |it: Value<'_>| it.kind() == Kind::Number;
    is_token(value) || (value.kind() == Kind::Array && value.elements().all(is_token))
}

const KNOWN: [&str; 8] = [
    "logit_bias",
    "metadata",
    "options",
    "prompt",
    "stop",
    "stream_options",
    "stop_token_ids",
    "use_beam_search",
];
