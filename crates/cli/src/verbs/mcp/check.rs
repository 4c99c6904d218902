//! `ringfence mcp check`: whether a file describes tools, and which.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context, anyhow};
use ringfence_tools::Kind;
use ringfence_tools::limits::SPECIFICATION_OCTETS;
use serde::Serialize;

use crate::failure::Failure;
use crate::output;

/// What a file describes. Its JSON is a promise.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    tools: Vec<ShownTool<'a>>,
    /// Operations that are no tools, and why.
    left_out: &'a [String],
}

#[derive(Debug, Serialize)]
struct ShownTool<'a> {
    name: &'a str,
    read_only: bool,
    about: &'a str,
}

/// Reads a file as a server would. Returns the exit code.
pub(super) fn check(file: &Path, json: bool) -> Result<i32, Failure> {
    let text = read(file).map_err(Failure::Usage)?;
    let catalogue = ringfence_tools::read(kind(&text), &text);
    let catalogue =
        catalogue.map_err(|fault| Failure::Usage(anyhow!("{}: {fault}", file.display())))?;
    let tools = catalogue.tools().map(|tool| ShownTool {
        name: tool.name(),
        read_only: tool.is_read_only(),
        about: tool.about(),
    });
    let shown = Shown {
        tools: tools.collect(),
        left_out: catalogue.left_out(),
    };
    if json {
        output::json(&shown);
        return Ok(0);
    }
    let row = |tool: &ShownTool<'_>| {
        let reads = if tool.read_only { "reads" } else { "changes" };
        vec![
            tool.name.to_owned(),
            reads.to_owned(),
            tool.about.to_owned(),
        ]
    };
    output::table(
        &["tool", "", "what it does"],
        shown.tools.iter().map(row).collect(),
    );
    for reason in shown.left_out {
        output::say(&format!("left out: {}", output::name(reason)));
    }
    Ok(0)
}

fn read(file: &Path) -> Result<String, anyhow::Error> {
    let cannot = || format!("cannot read {}", file.display());
    let most = u64::try_from(SPECIFICATION_OCTETS).unwrap_or(u64::MAX);
    let mut text = String::new();
    let opened = File::open(file).with_context(cannot)?;
    opened
        .take(most.saturating_add(1))
        .read_to_string(&mut text)
        .with_context(cannot)?;
    Ok(text)
}

/// A description of an API says so in a field of its own.
fn kind(text: &str) -> Kind {
    let is_openapi = |line: &str| {
        let line = line.trim_start_matches(['{', ' ', '\t', '"', '\'']);
        line.starts_with("openapi") || line.starts_with("swagger")
    };
    let is_tools = |line: &str| line.starts_with("kind:") || line.starts_with("apiVersion:");
    match text.lines().any(is_tools) || !text.lines().any(is_openapi) && !text.starts_with('{') {
        true => Kind::Tools,
        false => Kind::Openapi,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_what_it_is() {
        let tools = "apiVersion: ringfence/v1\nkind: Tools\ntools: []\n";
        assert_eq!(kind(tools), Kind::Tools);
        for text in [
            "openapi: 3.1.0\ninfo: {}\n",
            "{\n  \"openapi\": \"3.0.3\"}",
            "{\"info\": {}, \"openapi\": \"3.1.0\"}",
        ] {
            assert_eq!(kind(text), Kind::Openapi, "{text}");
        }
        assert_eq!(kind(""), Kind::Tools);
    }
}
