use ringfence_model::llm::{ClientTrace, ContextKind, LlmFacts};
use ringfence_model::{NoticeKind, Record, SpanId, Told, ToldSpan, TraceId};

use crate::build::Builder;
use crate::limits::TOLD_OF_RUN;
use crate::node::{Node, What};
use crate::testing::{Story, at, call, came, connect, event_id, facts, fetch, result, run_id};
use crate::{Trace, story};

fn id(text: &str) -> SpanId {
    text.repeat(16).parse().unwrap()
}

fn span(of: &str, parent: Option<SpanId>, from: i64, to: i64) -> ToldSpan {
    ToldSpan {
        id: id(of),
        parent,
        start: at(from),
        end: at(to),
        what: Told {
            name: of.to_owned(),
            ..Told::default()
        },
    }
}

fn about(mut span: ToldSpan, call: &str) -> ToldSpan {
    span.what.call = Some(call.to_owned());
    span
}

fn tell(story: &mut Story, millis: i64, spans: &[ToldSpan]) {
    let spans = spans.to_vec();
    let kind = NoticeKind::Told {
        spans,
        refused: 0,
        dropped: 0,
    };
    story.note(millis, kind);
}

/// Facts of a request that the client says is part of one of its spans.
fn within(of: &str, facts: LlmFacts) -> LlmFacts {
    let trace = ClientTrace {
        trace: TraceId::of_run(run_id()).to_string(),
        span: id(of).to_string(),
    };
    LlmFacts {
        trace: Some(trace),
        ..facts
    }
}

fn name(node: &Node) -> String {
    match &node.what {
        What::Llm(asked) => format!("step {}", asked.step.unwrap_or(0)),
        What::Tool(tool) => tool.call.name.clone(),
        What::Action(_) => "action".to_owned(),
        What::Told(told) => told.name.clone(),
    }
}

/// What each node is, and what it is part of.
fn shape(nodes: &[Node]) -> Vec<String> {
    let of = |node: &Node| {
        let parent = nodes.iter().find(|it| it.id == node.parent);
        let is_root = node.parent == SpanId::root(run_id());
        let none = if is_root { "run" } else { "nothing" };
        parent.map_or_else(|| none.to_owned(), name)
    };
    let shape = nodes.iter();
    shape
        .map(|node| format!("{} < {}", name(node), of(node)))
        .collect()
}

fn nodes(story: Story) -> Vec<Node> {
    Trace::of(story.ended(90_000, 0)).unwrap().nodes
}

/// The same as it is sent, while it goes on.
fn sent(story: Story) -> Vec<Node> {
    let mut builder = Builder::default();
    let mut nodes = Vec::new();
    for record in story.ended(90_000, 0) {
        builder.feed(&record);
        nodes.extend(builder.take_ready());
    }
    nodes.extend(builder.finish().1);
    nodes.sort_by_key(|node| node.start);
    nodes
}

/// As Claude Code goes about it: its spans come last, parts before the whole.
fn claude() -> Story {
    let mut story = Story::started();
    let calls = vec![call("toolu_1", "Bash")];
    let first = vec![came(ContextKind::User, 5)];
    story.step(1, 100, 1_000, within("1", facts(1, first, calls)));
    story.whole(fetch(2, 1_500), 2, 1_600);
    let second = vec![result(Some("toolu_1"), None, 9)];
    story.step(3, 3_000, 4_000, within("2", facts(3, second, Vec::new())));
    let turn = Some(id("a"));
    tell(
        &mut story,
        4_100,
        &[
            span("1", turn, 90, 1_010),
            about(span("c", Some(id("b")), 1_400, 1_700), "toolu_1"),
            about(span("b", turn, 1_200, 1_800), "toolu_1"),
            span("2", turn, 2_990, 4_010),
        ],
    );
    let root = Some(SpanId::root(run_id()));
    tell(&mut story, 4_200, &[span("a", root, 50, 4_100)]);
    story
}

#[test]
fn what_was_seen_stands_where_the_agent_says_that_it_was() {
    let expected = [
        "a < run",
        "1 < a",
        "step 1 < 1",
        "Bash < a",
        "c < Bash",
        "action < Bash",
        "2 < a",
        "step 2 < 2",
    ];
    assert_eq!(shape(&nodes(claude())), expected);
}

#[test]
fn a_tool_that_the_agent_tells_of_stands_there_once_with_its_times_and_our_digests() {
    for nodes in [nodes(claude()), sent(claude())] {
        let is_tool = |node: &&Node| matches!(node.what, What::Tool(_));
        let [tool] = nodes.iter().filter(is_tool).collect::<Vec<_>>()[..] else {
            panic!("{:?}", shape(&nodes));
        };
        assert_eq!((tool.start, tool.end), (at(1_200), Some(at(1_800))));
        let What::Tool(of) = &tool.what else {
            panic!();
        };
        assert_eq!(of.told, Some(id("b")));
        assert!(!of.call.arguments.digest.is_empty());
        assert!(nodes.iter().all(|node| node.id != id("b")));
    }
}

#[test]
fn the_agent_is_believed_about_a_tool_only_within_the_time_that_it_can_have_been() {
    let mut story = Story::started();
    let calls = vec![call("t", "Bash")];
    let first = vec![came(ContextKind::User, 5)];
    story.step(1, 100, 1_000, facts(1, first, calls));
    let second = vec![result(Some("t"), None, 9)];
    story.step(2, 3_000, 4_000, facts(3, second, Vec::new()));
    tell(&mut story, 4_100, &[about(span("b", None, 0, 80_000), "t")]);
    let nodes = nodes(story);
    let tool = nodes.iter().find(|node| name(node) == "Bash").unwrap();
    assert_eq!((tool.start, tool.end), (at(100), Some(at(3_000))));
}

#[test]
fn spans_are_sent_when_the_one_they_are_part_of_is_known() {
    let nodes = sent(claude());
    let shape = shape(&nodes);
    for part in ["a < run", "1 < a", "2 < a", "Bash < a", "c < Bash"] {
        assert!(shape.contains(&part.to_owned()), "{shape:?}");
    }
    assert_eq!(nodes.len(), 8);
    let mut builder = Builder::default();
    let records = claude().records;
    let (last, before) = records.split_last().unwrap();
    before.iter().for_each(|record| builder.feed(record));
    let early = builder.take_ready();
    assert!(early.iter().any(|node| name(node) == "step 2"));
    assert!(!early.iter().any(|node| name(node) == "Bash"));
    builder.feed(last);
    assert_eq!(builder.take_ready().len(), 5);
}

#[test]
fn an_id_of_what_was_seen_is_not_the_agents_to_give() {
    let mut story = Story::started();
    let first = vec![came(ContextKind::User, 5)];
    let calls = vec![call("t", "Bash")];
    story.step(1, 100, 1_000, facts(1, first, calls));
    story.open(connect(2, 1_100));
    let tool = nodes_of_tools(&story);
    let root = SpanId::root(run_id());
    let ids = [
        root,
        SpanId::of_event(event_id(1)),
        SpanId::of_event(event_id(2)),
        tool,
    ];
    for (number, forged) in ids.into_iter().enumerate() {
        let mut span = span("a", None, 100, 200);
        span.id = forged;
        span.what.name = "forged".to_owned();
        tell(&mut story, 2_000 + number as i64, &[span]);
    }
    // Nor may it put its own below them.
    tell(
        &mut story,
        2_100,
        &[span("b", Some(SpanId::of_event(event_id(2))), 1_101, 1_200)],
    );
    let trace = Trace::of(story.ended(3_000, 0)).unwrap();
    assert_eq!(
        shape(&trace.nodes),
        ["step 1 < run", "Bash < run", "action < Bash", "b < run"]
    );
    assert_eq!((trace.run.told.refused, trace.run.told.spans), (4, 1));
    let lines = story::run(&trace).join("\n");
    assert!(
        lines.contains("4 spans that the agent told of are not taken"),
        "{lines}"
    );
}

fn nodes_of_tools(story: &Story) -> SpanId {
    let trace = Trace::of(&story.records).unwrap();
    let tool = trace.nodes.iter().find(|node| name(node) == "Bash");
    tool.unwrap().id
}

#[test]
fn a_span_is_taken_once() {
    let mut story = Story::started();
    tell(&mut story, 1_000, &[span("a", None, 100, 200)]);
    tell(&mut story, 1_001, &[span("a", None, 300, 400)]);
    let trace = Trace::of(story.ended(2_000, 0)).unwrap();
    assert_eq!((trace.nodes.len(), trace.run.told.refused), (1, 1));
    assert_eq!(trace.nodes[0].start, at(100));
}

#[test]
fn spans_whose_parent_never_came_are_parts_of_the_run_with_what_is_below_them() {
    let mut story = claude();
    story.records.pop();
    let expected = [
        "1 < run",
        "step 1 < 1",
        "Bash < run",
        "c < Bash",
        "action < Bash",
        "2 < run",
        "step 2 < 2",
    ];
    let again = Story {
        records: story.records.clone(),
    };
    assert_eq!(shape(&nodes(story)), expected);
    assert_eq!(sent(again).len(), expected.len());
}

#[test]
fn spans_that_are_parts_of_each_other_hide_nothing() {
    let mut story = claude();
    let ring = [
        span("4", Some(id("5")), 5_000, 5_100),
        span("5", Some(id("6")), 5_001, 5_100),
        span("6", Some(id("4")), 5_002, 5_100),
        span("7", Some(id("7")), 5_003, 5_100),
        span("8", Some(id("5")), 5_004, 5_100),
    ];
    tell(&mut story, 6_000, &ring);
    let first = vec![came(ContextKind::User, 5)];
    story.step(9, 6_100, 6_200, within("4", facts(1, first, Vec::new())));
    let trace = Trace::of(story.ended(90_000, 0)).unwrap();
    assert_eq!(trace.nodes.len(), 14);
    let shown = story::run(&trace).join("\n");
    for name in [
        "agent says: 4",
        "agent says: 5",
        "agent says: 6",
        "agent says: 7",
        "agent says: 8",
        "step 3",
    ] {
        assert!(shown.contains(name), "{name}: {shown}");
    }
}

#[test]
fn a_tool_that_is_told_of_below_itself_is_still_shown() {
    let mut story = Story::started();
    let first = vec![came(ContextKind::User, 5)];
    let calls = vec![call("t", "Bash"), call("u", "Task")];
    story.step(1, 100, 1_000, facts(1, first, calls));
    let told = [
        about(span("a", Some(id("b")), 1_000, 1_100), "t"),
        about(span("b", Some(id("a")), 1_000, 1_100), "u"),
    ];
    tell(&mut story, 2_000, &told);
    let trace = Trace::of(story.ended(3_000, 0)).unwrap();
    let shown = story::run(&trace).join("\n");
    assert!(
        shown.contains("tool Bash") && shown.contains("tool Task"),
        "{shown}"
    );
}

#[test]
fn nothing_is_hidden_below_a_long_chain() {
    let mut story = Story::started();
    let number = |number: u64| -> SpanId { format!("{number:016x}").parse().unwrap() };
    for of in 1..=200 {
        let parent = (of > 1).then(|| number(of - 1));
        let mut span = span("a", parent, 100, 200);
        span.id = number(of);
        tell(&mut story, 1_000, &[span]);
    }
    let trace = ClientTrace {
        trace: TraceId::of_run(run_id()).to_string(),
        span: number(200).to_string(),
    };
    let hidden = LlmFacts {
        trace: Some(trace),
        ..facts(1, vec![came(ContextKind::User, 5)], vec![call("t", "Bash")])
    };
    story.step(1, 2_000, 2_100, hidden);
    story.open(connect(2, 2_200));
    let trace = Trace::of(story.ended(3_000, 0)).unwrap();
    let shown = story::run(&trace).join("\n");
    for seen in ["step 1", "tool Bash", "docs.test"] {
        assert!(shown.contains(seen), "{seen}: {shown}");
    }
    assert_eq!(shown.matches("the agent says").count(), 200);
}

#[test]
fn what_an_agent_tells_is_bounded() {
    let mut story = Story::started();
    for number in 1..=TOLD_OF_RUN + 5 {
        let mut span = span("a", None, 100, 200);
        span.id = format!("{:016x}", number).parse().unwrap();
        tell(&mut story, 1_000, &[span]);
    }
    let trace = Trace::of(story.ended(3_000, 0)).unwrap();
    assert_eq!(
        (trace.nodes.len(), trace.run.told.refused),
        (TOLD_OF_RUN, 5)
    );
}

#[test]
fn what_the_agent_says_is_marked_in_every_line_and_span() {
    let trace = Trace::of(claude().ended(90_000, 0)).unwrap();
    let lines = story::run(&trace);
    insta::assert_snapshot!(lines.join("\n"));
    for node in &trace.nodes {
        let span = crate::spans::of_node(&trace.run, node);
        let is_told = matches!(node.what, What::Told(_));
        let told_by = span.attributes.get("ringfence.told_by");
        assert_eq!(told_by.is_some(), is_told, "{}", span.name);
        let is_counted = span.attributes.get("gen_ai.operation.name").is_some();
        assert!(!(is_told && is_counted), "{}", span.name);
        assert_eq!(span.parent, Some(node.parent), "{}", span.name);
    }
}

#[test]
fn no_span_of_an_agent_is_in_the_notices_of_a_run() {
    let trace = Trace::of(claude().ended(90_000, 0)).unwrap();
    assert!(trace.run.notices.is_empty());
    let is_told = |record: &&Record| matches!(record, Record::Notice(it) if matches!(it.kind, NoticeKind::Told { .. }));
    assert_eq!(claude().records.iter().filter(is_told).count(), 2);
}
