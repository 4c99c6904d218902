//! OpenAI's Responses.

use ringfence_model::llm::{ContextKind, HostedFeature};

use super::found::{Cap, Found, Gone, type_of};
use super::{Item, openai_tools, responses_items};
use crate::json::{Kind, Misread, Object, Spelling};

pub(super) fn read(body: Object<'_>, found: &mut Found) -> Result<(), Misread> {
    found.model(body, "model")?;
    found.stream = body.boolean("stream")?;
    found.bound(body, "max_output_tokens")?;
    found.cap = Some(Cap::In(body.value().at(), "max_output_tokens"));
    found.service_tier = body.text("service_tier")?.map(Into::into);
    openai_tools::costly_tier(body, found)?;
    found.session = body.text("prompt_cache_key")?.map(Into::into);
    if let Some(instructions) = body.get("instructions")? {
        found.item(Item::of(ContextKind::System, instructions));
    }
    match body.get("input")? {
        Some(input) if input.kind() == Kind::Text => {
            found.item(Item::of(ContextKind::User, input));
        }
        Some(input) => {
            for item in input.elements() {
                responses_items::read(item.object(Spelling::Exact)?, found)?;
            }
        }
        None => {}
    }
    found.tool_members(body, "tools", "tool_choice")?;
    for tool in body.elements("tools")? {
        openai_tools::of_responses(tool.object(Spelling::Exact)?, found)?;
    }
    hosted(body, found)?;
    found.others(body, &KNOWN);
    Ok(())
}

const KNOWN: [&str; 19] = [
    "background",
    "client_metadata",
    "context_management",
    "conversation",
    "include",
    "input",
    "instructions",
    "metadata",
    "previous_response_id",
    "prompt",
    "prompt_cache_options",
    "reasoning",
    "store",
    "stream_options",
    "text",
    "tool_choice",
    "tools",
    "truncation",
    "moderation",
];

fn hosted(body: Object<'_>, found: &mut Found) -> Result<(), Misread> {
    for name in ["previous_response_id", "conversation", "prompt"] {
        found.hosts_member(body, name, HostedFeature::StoredResponse)?;
    }
    found.hosts_member(body, "background", HostedFeature::Background)?;
    openai_tools::stored(body, found)?;
    if let Some((key, choice)) = body.member("tool_choice")?
        && choice.kind() == Kind::Object
    {
        let choice = choice.object(Spelling::Exact)?;
        // A choice among tools names them again; what it names must be among the tools.
        if type_of(choice)? == "mcp" {
            found.hosts(HostedFeature::RemoteMcp, Gone::Part(key.at()));
        }
    }
    Ok(())
}
