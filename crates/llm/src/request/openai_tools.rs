//! Tools of OpenAI's dialects: those that the client runs, and those that the provider does.

use ringfence_model::llm::HostedFeature;

use super::found::{Found, Gone, type_of};
use ringfence_json::{Misread, Object, Spelling};

/// A tool of Chat Completions.
pub(super) fn of_chat(tool: Object<'_>, found: &mut Found) -> Result<(), Misread> {
    let kind = type_of(tool)?;
    let inner = match kind.as_ref() {
        "" | "function" => tool.object("function")?,
        "custom" => tool.object("custom")?,
        other => {
            found.hosts(feature(other), Gone::Part(tool.value().at()));
            return Ok(());
        }
    };
    let name = inner.map(|it| it.text("name")).transpose()?.flatten();
    found.tool(&name.unwrap_or_default());
    Ok(())
}

/// A tool of Responses.
pub(super) fn of_responses(tool: Object<'_>, found: &mut Found) -> Result<(), Misread> {
    let kind = type_of(tool)?;
    match kind.as_ref() {
        "function" | "custom" => found.tool(&tool.text("name")?.unwrap_or_default()),
        "local_shell" | "apply_patch" => found.tool(&kind),
        "shell" if is_local(tool)? => found.tool(&kind),
        // Tools in a group, which are only found when they are looked for.
        "namespace" => {
            for inner in tool.elements("tools")? {
                of_responses(inner.object(Spelling::Exact)?, found)?;
            }
        }
        "tool_search" if tool.text("execution")?.as_deref() == Some("client") => found.tool(&kind),
        kind if kind.starts_with("computer") => found.tool(kind),
        kind => found.hosts(feature(kind), Gone::Part(tool.value().at())),
    }
    Ok(())
}

/// A shell runs at the provider unless the request says otherwise.
fn is_local(tool: Object<'_>) -> Result<bool, Misread> {
    let Some(environment) = tool.object("environment")? else {
        return Ok(false);
    };
    Ok(type_of(environment)? == "local")
}

/// What the provider does by itself, for a type of tool.
fn feature(kind: &str) -> HostedFeature {
    let known = HOSTED.iter().find(|(name, _)| kind.contains(name));
    known.map_or_else(
        || HostedFeature::other(kind),
        |(_, feature)| feature.clone(),
    )
}

/// A part of the type, and what it is.
const HOSTED: [(&str, HostedFeature); 15] = [
    ("web_search", HostedFeature::WebSearch),
    ("browser_search", HostedFeature::WebSearch),
    ("live_search", HostedFeature::WebSearch),
    ("x_search", HostedFeature::WebSearch),
    ("web_fetch", HostedFeature::WebFetch),
    ("visit_website", HostedFeature::WebFetch),
    ("file_search", HostedFeature::FileSearch),
    ("document_library", HostedFeature::FileSearch),
    ("code_interpreter", HostedFeature::CodeExecution),
    ("code_execution", HostedFeature::CodeExecution),
    ("shell", HostedFeature::CodeExecution),
    ("mcp", HostedFeature::RemoteMcp),
    ("connector", HostedFeature::RemoteMcp),
    ("image_generation", HostedFeature::Generation),
    ("tool_search", HostedFeature::ToolSearch),
];

/// A request that is kept with the provider.
pub(super) fn stored(body: Object<'_>, found: &mut Found) -> Result<(), Misread> {
    if body.boolean("store")? == Some(true)
        && let Some(store) = body.get("store")?
    {
        let gone = Gone::Value(store.at(), "false".to_owned());
        found.hosts(HostedFeature::StoredResponse, gone);
    }
    Ok(())
}
