//! Gemini's tools. One object may hold several.

use ringfence_model::llm::HostedFeature;

use super::found::{Found, Gone};
use ringfence_json::{Kind, Misread, Object, Spelling, Value};

pub(super) fn read(tool: Object<'_>, found: &mut Found) -> Result<(), Misread> {
    for function in tool.elements("functionDeclarations")? {
        let function = function.object(Spelling::CamelOrSnake)?;
        found.tool(&function.text("name")?.unwrap_or_default());
    }
    let hosted: Vec<_> = tool
        .value()
        .members()
        .filter(|(key, _)| !tool.is_one_of(*key, &CLIENT))
        .collect();
    let is_all = hosted.len() == tool.value().members().count();
    for (key, value) in hosted {
        // A tool is asked for by an empty object too.
        if value.kind() == Kind::Null {
            continue;
        }
        let part = if is_all { tool.value().at() } else { key.at() };
        found.hosts(feature(tool, key), Gone::Part(part));
    }
    Ok(())
}

/// Tools that the client runs.
const CLIENT: [&str; 2] = ["functionDeclarations", "computerUse"];

fn feature(tool: Object<'_>, key: Value<'_>) -> HostedFeature {
    let known = HOSTED.iter().find(|(name, _)| tool.is_one_of(key, &[name]));
    let other = || HostedFeature::other(&key.text().unwrap_or_default());
    known.map_or_else(other, |(_, feature)| feature.clone())
}

const HOSTED: [(&str, HostedFeature); 10] = [
    ("googleSearch", HostedFeature::WebSearch),
    ("googleSearchRetrieval", HostedFeature::WebSearch),
    ("enterpriseWebSearch", HostedFeature::WebSearch),
    ("parallelAiSearch", HostedFeature::WebSearch),
    ("googleMaps", HostedFeature::WebSearch),
    ("urlContext", HostedFeature::WebFetch),
    ("codeExecution", HostedFeature::CodeExecution),
    ("fileSearch", HostedFeature::FileSearch),
    ("retrieval", HostedFeature::FileSearch),
    ("mcpServers", HostedFeature::RemoteMcp),
];
