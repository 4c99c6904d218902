//! A second, naive reading of MCP rules. A message is allowed exactly when no forbid takes it and
//! one allow lets all of it through; the first of those by name gives the terms.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;

/// A rule as a person would read it from its line.
#[derive(Debug, Clone)]
struct Plain {
    is_forbid: bool,
    server: &'static str,
    tools: Option<Vec<(&'static str, Option<&'static str>)>>,
    prompts: Option<Vec<&'static str>>,
    features: Option<Vec<&'static str>>,
    expired: bool,
}

#[derive(Debug, Clone)]
struct Sent {
    verb: McpVerb,
    target: &'static str,
    mode: Option<&'static str>,
}

const NAMES: [&str; 4] = ["a1", "a2", "b", "A1"];
const PATTERNS: [&str; 4] = ["a1", "a*", "*", "B"];
const FEATURES: [&str; 3] = ["completions", "sampling", "tasks"];

fn any_rule() -> impl Strategy<Value = Plain> {
    let tool = (
        select(PATTERNS.to_vec()),
        option::of(select(vec!["x", "y"])),
    );
    let lists = (
        option::of(vec(tool, 0..=2)),
        option::of(subsequence(PATTERNS.to_vec(), 0..=2)),
        option::of(subsequence(FEATURES.to_vec(), 0..=2)),
    );
    let rare = (prop::bool::weighted(0.3), prop::bool::weighted(0.1));
    let server = select(vec!["desk", "desk", "corp"]);
    (server, lists, rare).prop_map(
        |(server, (tools, prompts, features), (is_forbid, expired))| {
            let said = |length: usize| !is_forbid || length > 0;
            Plain {
                is_forbid,
                server,
                tools: tools.filter(|it| said(it.len())),
                prompts: prompts.filter(|it| said(it.len())),
                features: features.filter(|it| said(it.len())),
                expired,
            }
        },
    )
}

fn any_sent() -> impl Strategy<Value = Sent> {
    let verb = select(vec![
        McpVerb::CallTool,
        McpVerb::CallTool,
        McpVerb::GetPrompt,
        McpVerb::Complete,
        McpVerb::Sample,
        McpVerb::Task,
        McpVerb::Greet,
    ]);
    let mode = option::of(select(vec!["x", "y", "z"]));
    (verb, select(NAMES.to_vec()), mode).prop_map(|(verb, target, mode)| Sent {
        verb,
        target,
        mode,
    })
}

impl Plain {
    fn line(&self) -> String {
        let mut fields = format!("server: {}", self.server);
        if let Some(tools) = &self.tools {
            let entry = |(name, mode): &(&str, Option<&str>)| match mode {
                None => format!("'{name}'"),
                Some(mode) => format!(
                    "{{name: '{name}', arguments: {{properties: {{mode: {{const: {mode}z}}}}, required: [mode]}}}}"
                ),
            };
            let tools: Vec<_> = tools.iter().map(entry).collect();
            fields.push_str(&format!(", tools: [{}]", tools.join(", ")));
        }
        if let Some(prompts) = &self.prompts {
            let prompts: Vec<_> = prompts.iter().map(|it| format!("'{it}'")).collect();
            fields.push_str(&format!(", prompts: [{}]", prompts.join(", ")));
        }
        if let Some(features) = &self.features {
            fields.push_str(&format!(", features: [{}]", features.join(", ")));
        }
        if self.expired {
            fields.push_str(", expires: '2020-01-01T00:00:00Z'");
        }
        let effect = if self.is_forbid { "forbid" } else { "allow" };
        format!("{effect}: {{{fields}}}")
    }

    fn fits(&self, pattern: &str, name: &str) -> bool {
        let (pattern, name) = if self.is_forbid {
            (pattern.to_lowercase(), name.to_lowercase())
        } else {
            (pattern.to_owned(), name.to_owned())
        };
        match pattern.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => pattern == name,
        }
    }

    fn has_feature(&self, feature: &str) -> bool {
        match &self.features {
            Some(features) => features.contains(&feature),
            None => feature == "completions" && !self.is_forbid,
        }
    }

    fn has_prompt(&self, name: &str) -> bool {
        self.prompts.iter().flatten().any(|it| self.fits(it, name))
    }

    fn has_call(&self, sent: &Sent) -> bool {
        self.tools.iter().flatten().any(|(name, mode)| {
            let unseen_counts = self.is_forbid && sent.mode.is_none();
            self.fits(name, sent.target) && (mode.is_none() || unseen_counts || *mode == sent.mode)
        })
    }

    /// Whether the rule is about the message: lets it through, or takes it.
    fn counts(&self, sent: &Sent) -> bool {
        if self.server != "desk" || self.expired {
            return false;
        }
        let names_nothing =
            self.tools.is_none() && self.prompts.is_none() && self.features.is_none();
        if self.is_forbid && names_nothing {
            return true;
        }
        match sent.verb {
            McpVerb::CallTool => self.has_call(sent),
            McpVerb::GetPrompt => self.has_prompt(sent.target),
            McpVerb::Complete if self.is_forbid => {
                self.has_prompt(sent.target) || self.has_feature("completions")
            }
            McpVerb::Complete => self.has_prompt(sent.target) && self.has_feature("completions"),
            McpVerb::Sample => self.has_feature("sampling"),
            McpVerb::Task => self.has_feature("tasks"),
            _ => !self.is_forbid,
        }
    }
}

impl Sent {
    fn request(&self) -> McpRequest {
        match self.verb {
            McpVerb::CallTool => McpRequest {
                arguments: Some(McpArguments {
                    value: self.mode.map(|mode| json!({ "mode": format!("{mode}z") })),
                    ..McpArguments::default()
                }),
                ..message(self.verb, Some(self.target))
            },
            McpVerb::GetPrompt => message(self.verb, Some(self.target)),
            McpVerb::Complete => message(self.verb, Some(&format!("prompt {}", self.target))),
            _ => message(self.verb, None),
        }
    }
}

proptest! {
    #[test]
    fn the_decision_is_that_of_the_naive_reading(
        rules in vec(any_rule(), 1..6),
        sent in vec(any_sent(), 1..8),
    ) {
        let lines: Vec<_> = rules.iter().map(Plain::line).collect();
        let snapshot = mcp(&lines.join("\n"));
        for sent in &sent {
            let counting = |is_forbid: bool| {
                let mut numbered = rules.iter().enumerate();
                let found = numbered.find(|(_, it)| it.is_forbid == is_forbid && it.counts(sent));
                found.map(|(index, _)| format!("p/mcp/{}", index + 1))
            };
            let (forbid, allow) = (counting(true), counting(false));
            let decision = ask(&snapshot, sent.request()).decision;
            let rule = decision.rule.map(|it| it.0);
            match (forbid, allow) {
                (Some(forbid), _) => {
                    prop_assert_eq!(decision.code, ReasonCode::Forbidden);
                    prop_assert_eq!(rule, Some(forbid));
                }
                (None, Some(allow)) => {
                    prop_assert_eq!(decision.code, ReasonCode::Allowed);
                    prop_assert_eq!(rule, Some(allow));
                }
                (None, None) => prop_assert_eq!(decision.effect, Effect::Deny),
            }
        }
    }
}
