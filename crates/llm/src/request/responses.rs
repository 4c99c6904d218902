//! OpenAI's Responses.

use ringfence_model::llm::{ContextKind, HostedFeature};

use super::found::{Cap, Found, Gone, type_of};
use super::{Item, openai_tools, responses_items};
use ringfence_json::{Kind, Misread, Object, Spelling, Value};

pub(super) fn read(body: Object<'_>, found: &mut Found) -> Result<(), Misread> {
    found.model(body, "model")?;
    found.stream = body.boolean("stream")?;
    found.bound(body, "max_output_tokens")?;
    found.cap = Some(Cap::In(body.value().at(), "max_output_tokens"));
    found.service_tier = body.text("service_tier")?.map(Into::into);
    found.costly_tier(body, "service_tier")?;
    found.session = body.text("prompt_cache_key")?.map(Into::into);
    if let Some(instructions) = body.get("instructions")? {
        items(instructions, ContextKind::System, found)?;
    }
    if let Some(input) = body.get("input")? {
        items(input, ContextKind::User, found)?;
    }
    found.tool_members(body, "tools", "tool_choice")?;
    for tool in body.elements("tools")? {
        openai_tools::of_responses(tool.object(Spelling::Exact)?, found)?;
    }
    hosted(body, found)?;
    found.others(body, &KNOWN);
    Ok(())
}

/// A text, or items of a conversation.
fn items(value: Value<'_>, kind: ContextKind, found: &mut Found) -> Result<(), Misread> {
    if value.kind() == Kind::Text {
        found.item(Item::of(kind, value));
    }
    for item in value.parts()? {
        responses_items::read(item.object(Spelling::Exact)?, found)?;
    }
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
        found.continues(body, name)?;
    }
    found.hosts_member(body, "background", HostedFeature::Background)?;
    openai_tools::stored(body, found)?;
    let says_nothing = body.get("store")?.is_none();
    found.kept_in = says_nothing.then(|| body.value().at());
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
