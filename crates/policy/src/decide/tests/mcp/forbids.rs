//! Forbids, by table.

use super::*;

/// What a forbid says, a message, and whether it is taken.
type Case = (&'static str, McpVerb, Option<&'static str>, bool);

const CASES: &[Case] = &[
    ("{server: desk}", McpVerb::Greet, None, true),
    ("{server: desk}", McpVerb::Leave, None, true),
    ("{server: corp}", McpVerb::Greet, None, false),
    ("{server: desk, tools: ['*']}", McpVerb::Greet, None, false),
    (
        "{server: desk, tools: ['*']}",
        McpVerb::ListTools,
        None,
        false,
    ),
    (
        "{server: desk, tools: ['*']}",
        McpVerb::CallTool,
        Some("x"),
        true,
    ),
    (
        "{server: desk, tools: ['delete_*']}",
        McpVerb::CallTool,
        Some("delete_a"),
        true,
    ),
    (
        "{server: desk, tools: ['delete_*']}",
        McpVerb::CallTool,
        Some("DELETE_a"),
        true,
    ),
    (
        "{server: desk, tools: ['delete_*']}",
        McpVerb::CallTool,
        Some("undelete_a"),
        false,
    ),
    (
        "{server: desk, tools: ['delete_*']}",
        McpVerb::GetPrompt,
        Some("delete_a"),
        false,
    ),
    (
        "{server: desk, prompts: [x]}",
        McpVerb::GetPrompt,
        Some("X"),
        true,
    ),
    (
        "{server: desk, prompts: [x]}",
        McpVerb::Complete,
        Some("prompt x"),
        true,
    ),
    (
        "{server: desk, prompts: [x]}",
        McpVerb::Complete,
        Some("prompt y"),
        false,
    ),
    (
        "{server: desk, resources: ['s://a/**']}",
        McpVerb::ReadResource,
        Some("S://A/b"),
        true,
    ),
    (
        "{server: desk, resources: ['s://a/**']}",
        McpVerb::Subscribe,
        Some("s://a/b"),
        true,
    ),
    (
        "{server: desk, resources: ['s://a/**']}",
        McpVerb::Listen,
        Some("s://a/b"),
        true,
    ),
    (
        "{server: desk, resources: ['s://a/**']}",
        McpVerb::Listen,
        None,
        false,
    ),
    (
        "{server: desk, resources: ['s://a/**']}",
        McpVerb::Complete,
        Some("resource s://a/{x}"),
        true,
    ),
    (
        "{server: desk, resources: ['s://a/**']}",
        McpVerb::Complete,
        Some("resource S://{x}"),
        true,
    ),
    (
        "{server: desk, resources: ['s://a/**']}",
        McpVerb::Complete,
        Some("resource s://b/{x}"),
        false,
    ),
    (
        "{server: desk, features: [subscriptions]}",
        McpVerb::Subscribe,
        Some("s://b"),
        true,
    ),
    (
        "{server: desk, features: [subscriptions]}",
        McpVerb::ReadResource,
        Some("s://b"),
        false,
    ),
    (
        "{server: desk, features: [completions]}",
        McpVerb::Complete,
        Some("prompt y"),
        true,
    ),
    (
        "{server: desk, features: [logging]}",
        McpVerb::SetLogLevel,
        None,
        true,
    ),
    (
        "{server: desk, features: [sampling]}",
        McpVerb::Sample,
        None,
        true,
    ),
    (
        "{server: desk, features: [elicitation]}",
        McpVerb::Elicit,
        None,
        true,
    ),
    (
        "{server: desk, features: [elicitation]}",
        McpVerb::Elicit,
        Some("https://a.test/"),
        true,
    ),
    (
        "{server: desk, features: [roots]}",
        McpVerb::ListRoots,
        None,
        true,
    ),
    (
        "{server: desk, features: [tasks]}",
        McpVerb::Task,
        None,
        true,
    ),
    (
        "{server: desk, features: [tasks]}",
        McpVerb::CallTool,
        Some("x"),
        false,
    ),
    (
        "{server: desk, expires: '2020-01-01T00:00:00Z'}",
        McpVerb::Greet,
        None,
        false,
    ),
];

#[test]
fn a_forbid_wins_in_whatever_order_and_case() {
    let allow = "allow: {server: desk, tools: ['*'], resources: ['**'], prompts: ['*'], features: [completions, logging, subscriptions, sampling, elicitation, roots, tasks], elicitationHosts: [a.test]}";
    for &(forbid, verb, target, taken) in CASES {
        for rules in [
            format!("{allow}\nforbid: {forbid}"),
            format!("forbid: {forbid}\n{allow}"),
        ] {
            let expected = if taken {
                ReasonCode::Forbidden
            } else {
                ReasonCode::Allowed
            };
            assert_eq!(
                code(&mcp(&rules), message(verb, target)),
                expected,
                "{rules} {verb} {target:?}"
            );
        }
    }
}
