use ringfence_model::llm::{ClientTrace, ContextItem, ContextKind, LlmFacts};
use ringfence_model::mcp::{McpApproved, McpFacts, McpVerb};
use ringfence_model::{Action, Event, Record};

use super::{Span, SpanKind, Value, of_node, of_run};
use crate::build::Trace;
use crate::names;
use crate::testing::{self, Story, asking, call, calling, came, denied, digest, facts, result};

/// The spans of a run, its first one first.
fn spans(records: &[Record]) -> Vec<Span> {
    let trace = Trace::of(records).unwrap();
    let nodes = trace.nodes.iter().map(|node| of_node(&trace.run, node));
    std::iter::once(of_run(&trace.run, &trace.totals))
        .chain(nodes)
        .collect()
}

fn text<'a>(span: &'a Span, name: &str) -> Option<&'a str> {
    match span.attributes.get(name)? {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

fn shown(span: &Span) -> String {
    let mut lines = vec![format!("{} {:?} {}", span.id, span.kind, span.name)];
    lines.push(format!(
        "  parent {:?}",
        span.parent.map(|it| it.to_string())
    ));
    lines.extend(span.error.iter().map(|error| format!("  error {error}")));
    let value = |value: &Value| match value {
        Value::Text(text) => text.clone(),
        Value::Texts(texts) => format!("{texts:?}"),
        Value::Int(number) => number.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Flag(flag) => flag.to_string(),
    };
    let attributes = span.attributes.iter();
    lines.extend(attributes.map(|(name, it)| format!("  {name} = {}", value(it))));
    for event in &span.events {
        lines.push(format!("  event {}", event.name));
        let attributes = event.attributes.iter();
        lines.extend(attributes.map(|(name, it)| format!("    {name} = {}", value(it))));
    }
    lines.join("\n")
}

#[test]
fn the_spans_of_a_run() {
    let spans = spans(&testing::story());
    let shown: Vec<String> = spans.iter().map(shown).collect();
    insta::assert_snapshot!(shown.join("\n\n"));
}

#[test]
fn tokens_are_on_requests_alone_and_tools_on_tools_alone() {
    for span in spans(&testing::story()) {
        let operation = text(&span, names::OPERATION).unwrap_or_default().to_owned();
        for (name, _) in span.attributes.iter() {
            let is_used = name.starts_with("gen_ai.usage.");
            let is_tool = name.starts_with("gen_ai.tool.");
            assert!(!is_used || operation == "chat", "{name} on {}", span.name);
            assert!(
                !is_tool || operation == "execute_tool",
                "{name} on {}",
                span.name
            );
        }
        // Without a session that the client says, there is none.
        assert_eq!(span.attributes.get(names::CONVERSATION), None);
        let mut names: Vec<&str> = span.attributes.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count, "each name once: {names:?}");
    }
}

#[test]
fn no_text_leaves_that_no_rule_captures() {
    for span in spans(&testing::story()) {
        for name in [
            names::SYSTEM_INSTRUCTIONS,
            names::INPUT_MESSAGES,
            names::OUTPUT_MESSAGES,
            names::TOOL_ARGUMENTS,
            names::TOOL_RESULT,
        ] {
            assert_eq!(span.attributes.get(name), None, "{}", span.name);
        }
    }
}

#[test]
fn a_query_leaves_in_no_span() {
    for span in spans(&testing::story()) {
        assert!(!format!("{span:?}").contains("hidden"), "{span:?}");
    }
}

fn captured() -> LlmFacts {
    let texted = |item: ContextItem, text: &str| ContextItem {
        text: digest(1, Some(text)),
        ..item
    };
    let mut asked = call("toolu_2", "Bash");
    asked.arguments = digest(1, Some(r#"{"command":"ls"}"#));
    let new = vec![
        texted(came(ContextKind::System, 1), "be brief"),
        texted(came(ContextKind::User, 1), "fix"),
        texted(result(Some("toolu_1"), Some("Read"), 1), "content"),
    ];
    LlmFacts {
        session: Some("session-1".to_owned()),
        answer: Some(digest(1, Some("I look."))),
        ..facts(3, new, vec![asked])
    }
}

#[test]
fn captured_content_has_the_form_of_the_conventions() {
    let mut story = Story::started();
    story.step(1, 0, 10, captured());
    story.step(
        2,
        20,
        30,
        facts(
            5,
            vec![ContextItem {
                text: digest(1, Some("a.txt")),
                ..result(Some("toolu_2"), None, 1)
            }],
            Vec::new(),
        ),
    );
    let spans = spans(&story.ended(40, 0));
    let step = spans.iter().find(|it| it.name.starts_with("chat")).unwrap();
    assert_eq!(text(step, names::CONVERSATION), Some("session-1"));
    let json = |name| serde_json::from_str::<serde_json::Value>(text(step, name).unwrap()).unwrap();
    let system = serde_json::json!([{"type": "text", "content": "be brief"}]);
    assert_eq!(json(names::SYSTEM_INSTRUCTIONS), system);
    let input = serde_json::json!([
        {"role": "user", "parts": [{"type": "text", "content": "fix"}]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "toolu_1", "response": "content"}]},
    ]);
    assert_eq!(json(names::INPUT_MESSAGES), input);
    let output = serde_json::json!([{"role": "assistant", "finish_reason": "tool_call", "parts": [
        {"type": "text", "content": "I look."},
        {"type": "tool_call", "id": "toolu_2", "name": "Bash", "arguments": "{\"command\":\"ls\"}"},
    ]}]);
    assert_eq!(json(names::OUTPUT_MESSAGES), output);
    let tool = spans
        .iter()
        .find(|it| it.name == "execute_tool Bash")
        .unwrap();
    assert_eq!(
        text(tool, names::TOOL_ARGUMENTS),
        Some(r#"{"command":"ls"}"#)
    );
    assert_eq!(text(tool, names::TOOL_RESULT), Some("a.txt"));
}

#[test]
fn a_long_content_loses_its_start_and_stays_json() {
    let long = "x".repeat(crate::limits::ATTRIBUTE_OCTETS / 2);
    let item = |text: &str| ContextItem {
        text: digest(1, Some(text)),
        ..came(ContextKind::User, 1)
    };
    let new = vec![item(&long), item(&long), item("last")];
    let mut story = Story::started();
    story.step(1, 0, 10, facts(3, new, Vec::new()));
    let spans = spans(&story.ended(40, 0));
    let step = spans.iter().find(|it| it.name.starts_with("chat")).unwrap();
    let messages: Vec<serde_json::Value> =
        serde_json::from_str(text(step, names::INPUT_MESSAGES).unwrap()).unwrap();
    assert_eq!(messages.len(), 2);
    assert_eq!(messages[1]["parts"][0]["content"], "last");
}

#[test]
fn a_clients_span_of_the_same_trace_is_the_parent_and_one_of_another_is_linked() {
    let ours = "0192f0c1000070008000000000000001";
    let other = "4bf92f3577b34da6a3ce929d0e0e4736";
    for (trace, is_parent, links) in [(ours, true, 0), (other, false, 1), ("zz", false, 0)] {
        let mut story = Story::started();
        let joined = LlmFacts {
            trace: Some(ClientTrace {
                trace: trace.to_owned(),
                span: "00f067aa0ba902b7".to_owned(),
            }),
            ..facts(1, Vec::new(), Vec::new())
        };
        story.step(1, 0, 10, joined);
        let spans = spans(&story.ended(20, 0));
        let parent = spans[1].parent.unwrap().to_string();
        assert_eq!(parent == "00f067aa0ba902b7", is_parent, "{trace}");
        assert_eq!(spans[1].links.len(), links, "{trace}");
    }
}

#[test]
fn the_span_of_a_call_has_the_names_of_the_conventions() {
    let mut story = Story::started();
    let facts = |trace: &str| McpFacts {
        id: Some("\"7\"".to_owned()),
        session: Some("5e55".to_owned()),
        arguments: Some(digest(2, None)),
        result: Some(digest(9, None)),
        approved: Some(McpApproved {
            event: testing::event_id(9),
            by: 1000,
        }),
        trace: Some(ClientTrace {
            trace: trace.to_owned(),
            span: "00f067aa0ba902b7".to_owned(),
        }),
        ..McpFacts::default()
    };
    let ours = "0192f0c1000070008000000000000001";
    let failed = McpFacts {
        tool_failed: true,
        ..facts(ours)
    };
    story.called(calling(1, 0, "create_issue"), 1, failed);
    let unknown = McpFacts {
        error: Some(-32_602),
        ..facts("4bf92f3577b34da6a3ce929d0e0e4736")
    };
    story.called(calling(2, 10, "create_issue"), 2, unknown);
    let mut list = calling(3, 20, "x");
    if let Action::Mcp(request) = &mut list.action {
        request.verb = McpVerb::Listen;
        (request.method, request.target) = (None, None);
    }
    story.called(list, 3, McpFacts::default());
    let spans = spans(&story.ended(900, 0));
    let parents: Vec<_> = spans[1..].iter().map(|it| it.parent.unwrap()).collect();
    assert_eq!(parents[0].to_string(), "00f067aa0ba902b7");
    assert_eq!(parents[1], spans[0].id, "another trace is linked alone");
    assert_eq!(spans[2].links.len(), 1);
    let shown: Vec<String> = spans[1..].iter().map(shown).collect();
    insta::assert_snapshot!(shown.join("\n"));
}

/// Provider, endpoint, host and path; then the provider and the operation of the conventions.
const PROVIDERS: &str = "
anthropic messages a.test /v1/messages anthropic chat
corp messages a.test /v1/messages anthropic chat
corp messages a.test /model/x/invoke aws.bedrock chat
corp converse a.test /model/x/converse aws.bedrock chat
corp messages a.test /v1/projects/p/locations/l/publishers/anthropic/models/x:rawPredict gcp.vertex_ai chat
corp generate-content a.test /v1/projects/p/locations/l/publishers/google/models/x gcp.vertex_ai generate_content
corp chat-completions x.openai.azure.com /openai/deployments/x azure.ai.openai chat
vllm chat-completions gpu.test /v1/chat/completions vllm chat
gemini generate-content a.test /v1beta/models/x:generateContent gcp.gemini generate_content
openai embeddings a.test /v1/embeddings openai embeddings
openai responses a.test /v1/responses openai chat
mistral completions a.test /v1/completions mistral_ai text_completion
anthropic count-tokens a.test /v1/messages/count_tokens anthropic -
";

#[test]
fn a_provider_has_the_name_of_the_conventions() {
    for line in PROVIDERS.lines().filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split(' ').collect();
        let mut event: Event = asking(1, 0);
        if let Action::Llm(request) = &mut event.action {
            request.provider = words[0].parse().unwrap();
            request.endpoint = serde_json::from_value(words[1].into()).unwrap();
            request.destination = format!("{}:443", words[2]).parse().unwrap();
            words[3].clone_into(&mut request.path);
        }
        let mut story = Story::started();
        story.open(event);
        let spans = spans(&story.ended(1, 0));
        let get = |name| text(&spans[1], name).unwrap_or("-");
        let found = (get(names::PROVIDER), get(names::OPERATION));
        assert_eq!(found, (words[4], words[5]), "{line}");
    }
}

#[test]
fn a_denial_is_a_span_that_failed_with_its_verdict() {
    let mut story = Story::started();
    story.open(denied(1, 10));
    let spans = spans(&story.ended(20, 3));
    assert_eq!(spans[0].name, "run coder", "no model was asked");
    assert_eq!(
        spans[0].error.as_deref(),
        Some("the command ended with exit code 3")
    );
    assert_eq!(spans[1].kind, SpanKind::Client);
    assert_eq!(
        spans[1].error.as_deref(),
        Some("no rule allows evil.test:443")
    );
    assert_eq!(text(&spans[1], names::ERROR_TYPE), Some("no-rule"));
    let verdict = &spans[1].events[0];
    assert_eq!(verdict.name, names::DECISION);
    let step = Value::Text("ringfence allow evil.test:443".to_owned());
    assert_eq!(verdict.attributes.get(names::NEXT_STEP), Some(&step));
}
