use ringfence_model::llm::{ClientTrace, ContextKind, LlmFacts};
use ringfence_model::mcp::McpFacts;
use ringfence_model::{NoticeKind, Record, SpanId, Told, ToldSpan, TraceId};

use super::{Builder, Trace};
use crate::node::{Node, ToolEnd, What};
use crate::testing::{
    self, Story, asking, call, calling, came, connect, denied, event_id, facts, fetch, get, result,
};

fn trace(records: &[Record]) -> Trace {
    Trace::of(records).unwrap()
}

/// What a node is called in these tests, and what its parent is.
fn shape(trace: &Trace) -> Vec<String> {
    let name = |node: &Node| match &node.what {
        What::Llm(asked) => format!("step {}", asked.step.unwrap_or(0)),
        What::Tool(tool) => tool.call.name.clone(),
        What::Action(action) => format!("event {}", number(action.event.id)),
        What::Told(told) => told.name.clone(),
    };
    let parent = |node: &Node| {
        let of = trace.nodes.iter().find(|it| it.id == node.parent);
        of.map_or_else(|| "run".to_owned(), name)
    };
    let one = |node| format!("{} < {}", name(node), parent(node));
    trace.nodes.iter().map(one).collect()
}

fn number(id: ringfence_model::EventId) -> u32 {
    u32::try_from(id.uuid().as_u128() & 0xffff_ffff).unwrap()
}

#[test]
fn what_happens_while_a_tool_runs_is_part_of_it() {
    assert_eq!(
        shape(&trace(&testing::story())),
        [
            "step 1 < run",
            "Bash < run",
            "event 2 < Bash",
            "event 3 < Bash",
            "event 4 < event 3",
            "event 5 < Bash",
            "event 6 < Bash",
            "step 2 < run",
            "Read < run",
            "Edit < run",
            "step 3 < run",
        ]
    );
}

#[test]
fn a_tool_lasts_from_the_answer_that_asks_for_it_to_the_request_that_brings_its_result() {
    let trace = trace(&testing::story());
    let tools: Vec<&Node> = trace
        .nodes
        .iter()
        .filter(|node| matches!(node.what, What::Tool(_)))
        .collect();
    assert_eq!(tools[0].start, testing::at(3_300));
    assert_eq!(tools[0].end, Some(testing::at(4_500)));
    let What::Tool(edit) = &tools[2].what else {
        panic!();
    };
    let ToolEnd::Result { item, answered_by } = &edit.ended else {
        panic!();
    };
    assert!(item.is_error);
    assert_eq!(*answered_by, event_id(8));
    assert_eq!((edit.together, edit.step), (2, Some(2)));
}

#[test]
fn results_without_ids_belong_to_calls_of_their_name_in_order() {
    let mut story = Story::started();
    let calls = vec![
        call("g1", "read_file"),
        call("g2", "shell"),
        call("g3", "read_file"),
    ];
    story.step(
        1,
        0,
        1_000,
        facts(1, vec![came(ContextKind::User, 5)], calls),
    );
    let results = vec![
        result(None, Some("read_file"), 1),
        result(None, Some("shell"), 2),
        result(None, Some("read_file"), 3),
    ];
    story.step(2, 2_000, 3_000, facts(5, results, Vec::new()));
    let trace = trace(&story.ended(4_000, 0));
    let mut of: Vec<(String, u64)> = trace
        .nodes
        .iter()
        .filter_map(|node| match &node.what {
            What::Tool(tool) => match &tool.ended {
                ToolEnd::Result { item, .. } => Some((tool.call.id.clone(), item.text.octets)),
                _ => None,
            },
            _ => None,
        })
        .collect();
    of.sort();
    let expected = [("g1", 1), ("g2", 2), ("g3", 3)];
    assert_eq!(of, expected.map(|(id, octets)| (id.to_owned(), octets)));
}

#[test]
fn what_one_of_several_tools_did_is_said_to_be_of_one_of_them() {
    let mut story = Story::started();
    let calls = vec![call("1", "Read"), call("2", "Bash")];
    story.step(
        1,
        0,
        1_000,
        facts(1, vec![came(ContextKind::User, 5)], calls),
    );
    story.whole(fetch(2, 1_500), 2, 1_600);
    let results = vec![result(Some("1"), None, 1), result(Some("2"), None, 1)];
    story.step(3, 2_000, 3_000, facts(4, results, Vec::new()));
    let trace = trace(&story.ended(4_000, 0));
    let Some(What::Action(action)) = trace
        .nodes
        .iter()
        .find(|node| node.id == SpanId::of_event(event_id(2)))
        .map(|node| {
            assert_eq!(node.parent, trace.root());
            &node.what
        })
    else {
        panic!();
    };
    assert_eq!(action.candidates, ["Bash", "Read"]);
}

#[test]
fn a_request_on_an_old_connection_is_part_of_the_tool_that_made_it() {
    let mut story = Story::started();
    story.open(connect(1, 50));
    story.whole(get(2, 60, 1), 2, 70);
    let calls = vec![call("1", "WebFetch")];
    story.step(
        3,
        100,
        1_000,
        facts(1, vec![came(ContextKind::User, 5)], calls),
    );
    story.whole(get(4, 1_100, 1), 4, 1_200);
    story.step(
        5,
        2_000,
        3_000,
        facts(3, vec![result(Some("1"), None, 1)], Vec::new()),
    );
    let trace = trace(&story.ended(4_000, 0));
    let shape = shape(&trace);
    assert!(shape.contains(&"event 2 < event 1".to_owned()), "{shape:?}");
    assert!(
        shape.contains(&"event 4 < WebFetch".to_owned()),
        "{shape:?}"
    );
    assert!(shape.contains(&"event 1 < run".to_owned()), "{shape:?}");
}

#[test]
fn the_connection_that_a_model_is_asked_over_is_no_doing_of_a_tool() {
    let mut story = Story::started();
    let user = vec![came(ContextKind::User, 5)];
    story.step(1, 0, 1_000, facts(1, user, vec![call("1", "Bash")]));
    story.open(connect(2, 1_990));
    let mut asking = asking(3, 2_000);
    asking.parent = Some(event_id(2));
    story.open(asking);
    story.answer(
        3,
        3_000,
        facts(3, vec![result(Some("1"), None, 1)], Vec::new()),
    );
    story.close(testing::closed(2, 3_010));
    let shape = shape(&trace(&story.ended(4_000, 0)));
    assert!(shape.contains(&"event 2 < run".to_owned()), "{shape:?}");
    assert!(shape.contains(&"step 2 < run".to_owned()), "{shape:?}");
}

#[test]
fn a_sub_agent_is_part_of_the_tool_that_started_it() {
    let named = |agent: &str, facts: LlmFacts| LlmFacts {
        agents: vec![agent.to_owned()],
        ..facts
    };
    for name in [None, Some("explore")] {
        let of = |facts: LlmFacts| match name {
            Some(name) => named(name, facts),
            None => facts,
        };
        let mut story = Story::started();
        let user = || vec![came(ContextKind::User, 5)];
        story.step(1, 0, 1_000, facts(1, user(), vec![call("1", "Task")]));
        story.step(
            2,
            1_100,
            2_000,
            of(facts(1, user(), vec![call("2", "Bash")])),
        );
        story.whole(fetch(3, 2_100), 3, 2_200);
        story.step(
            4,
            2_300,
            3_000,
            of(facts(3, vec![result(Some("2"), None, 1)], vec![])),
        );
        story.step(
            5,
            3_100,
            4_000,
            facts(3, vec![result(Some("1"), None, 1)], vec![]),
        );
        let shape = shape(&trace(&story.ended(5_000, 0)));
        let expected = [
            "step 1 < run",
            "Task < run",
            "step 2 < Task",
            "Bash < Task",
            "event 3 < Bash",
            "step 3 < Task",
            "step 4 < run",
        ];
        assert_eq!(shape, expected, "{name:?}");
    }
}

#[test]
fn an_agent_that_was_there_before_a_tool_is_no_sub_agent_of_it() {
    let named = |facts: LlmFacts| LlmFacts {
        agents: vec!["/root".to_owned()],
        ..facts
    };
    let mut story = Story::started();
    let user = || vec![came(ContextKind::User, 5)];
    story.step(
        1,
        0,
        1_000,
        named(facts(1, user(), vec![call("1", "shell")])),
    );
    story.step(2, 1_500, 1_900, named(facts(1, user(), Vec::new())));
    let shape = shape(&trace(&story.ended(4_000, 0)));
    assert_eq!(shape, ["step 1 < run", "shell < run", "step 2 < run"]);
}

#[test]
fn a_title_beside_the_work_is_part_of_no_tool() {
    let mut story = Story::started();
    let user = || vec![came(ContextKind::User, 5)];
    story.step(1, 0, 1_000, facts(1, user(), vec![call("1", "Bash")]));
    let title = LlmFacts {
        tools: 0,
        ..facts(1, user(), Vec::new())
    };
    story.step(2, 1_100, 1_900, title);
    story.step(
        3,
        2_000,
        3_000,
        facts(3, vec![result(Some("1"), None, 1)], vec![]),
    );
    let trace = trace(&story.ended(4_000, 0));
    assert_eq!(
        shape(&trace),
        ["step 1 < run", "Bash < run", "step 2 < run", "step 3 < run"]
    );
}

#[test]
fn a_tool_without_result_ends_when_the_conversation_goes_on() {
    let mut story = Story::started();
    let user = || vec![came(ContextKind::User, 5)];
    story.step(1, 0, 1_000, facts(1, user(), vec![call("1", "Bash")]));
    story.step(2, 2_000, 3_000, facts(3, user(), Vec::new()));
    story.open(denied(3, 3_500));
    let trace = trace(&story.ended(4_000, 0));
    assert_eq!(
        shape(&trace),
        [
            "step 1 < run",
            "Bash < run",
            "step 2 < run",
            "event 3 < run"
        ]
    );
    let Some(What::Tool(tool)) = trace.nodes.get(1).map(|node| &node.what) else {
        panic!();
    };
    assert!(matches!(tool.ended, ToolEnd::Abandoned));
}

#[test]
fn what_happens_while_a_model_is_asked_waits_for_its_facts() {
    let mut story = Story::started();
    let user = vec![came(ContextKind::User, 5)];
    story.step(1, 0, 1_000, facts(1, user, vec![call("1", "Bash")]));
    story.open(asking(2, 2_000));
    story.whole(fetch(3, 2_100), 3, 2_200);
    let mut builder = Builder::default();
    for record in &story.records {
        builder.feed(record);
    }
    let ready = builder.take_ready();
    assert_eq!(ready.len(), 1, "the first step: {ready:?}");
    let facts = facts(3, vec![result(Some("1"), None, 1)], Vec::new());
    story.answer(2, 3_000, facts);
    for record in story.records.iter().skip(5) {
        builder.feed(record);
    }
    let shape: Vec<(SpanId, SpanId)> = builder
        .take_ready()
        .iter()
        .map(|node| (node.id, node.parent))
        .collect();
    let (fetched, root) = (
        SpanId::of_event(event_id(3)),
        SpanId::root(testing::run_id()),
    );
    assert_eq!(shape.len(), 3, "the tool, the second step and the fetch");
    assert!(
        shape.contains(&(fetched, root)),
        "the tool had ended before: {shape:?}"
    );
}

#[test]
fn what_is_given_out_as_it_goes_is_all_there_is() {
    let records = testing::story();
    let mut builder = Builder::default();
    let mut given = Vec::new();
    for record in &records {
        builder.feed(record);
        given.extend(builder.take_ready());
    }
    let (run, rest) = builder.finish();
    assert_eq!(run.unwrap().exit_code, Some(0));
    assert!(rest.is_empty(), "all was over");
    assert_eq!(given.len(), trace(&records).nodes.len());
}

#[test]
fn a_run_whose_writer_died_shows_what_was_open() {
    let mut records = testing::story();
    records.truncate(11);
    let trace = trace(&records);
    assert_eq!(trace.run.ended, None);
    let open: Vec<&Node> = trace.nodes.iter().filter(|it| it.end.is_none()).collect();
    assert_eq!(open.len(), 3, "a tool, a connection and a step: {open:?}");
}

#[test]
fn a_trace_is_the_same_however_often_it_is_built() {
    let json = || serde_json::to_value(trace(&testing::story())).unwrap();
    assert_eq!(json(), json());
    let value = json();
    assert_eq!(value["trace"], "0192f0c1000070008000000000000001");
    assert_eq!(value["root"], "8000000000000001");
    assert_eq!(value["totals"]["calls"], 3);
    assert_eq!(value["totals"]["input"], 36_102);
    assert_eq!(value["totals"]["cost"], 36_900_000);
    assert_eq!(value["totals"]["denied"], 2);
}

#[test]
fn much_that_happens_beside_a_long_answer_takes_no_long_time() {
    let started = std::time::Instant::now();
    let mut builder = Builder::default();
    builder.feed(&Record::Opened(asking(1, 0)));
    for number in 2..20_000 {
        let millis = i64::from(number);
        builder.feed(&Record::Opened(connect(number, millis)));
        builder.feed(&Record::Closed(testing::closed(number, millis)));
        builder.take_ready();
    }
    let took = started.elapsed();
    assert!(took < std::time::Duration::from_secs(5), "{took:?}");
}

/// What a model asks for is known by the name that clients give to tools of servers.
#[test]
fn of_several_tools_a_call_is_part_of_the_one_that_has_its_name() {
    let mut story = Story::started();
    let asked = [
        ("a", "Bash"),
        ("b", "mcp__tracker__create_issue"),
        ("c", "mcp__tracker__list_"),
        ("d", "mcp__tracker__twice"),
        ("e", "mcp__tracker__twice"),
    ];
    let calls = asked.map(|(id, name)| call(id, name)).to_vec();
    story.step(1, 0, 100, facts(1, Vec::new(), calls));
    let names = ["create_issue", "list.", "twice", "other"];
    for (number, name) in (2..).zip(names) {
        story.called(calling(number, 200, name), number, McpFacts::default());
    }
    let shape = shape(&trace(&story.ended(900, 0)));
    for line in [
        "event 2 < mcp__tracker__create_issue",
        "event 3 < mcp__tracker__list_",
        "event 4 < run",
        "event 5 < run",
    ] {
        assert!(shape.iter().any(|it| it == line), "{line}: {shape:?}");
    }
}

/// As it is told by `traceparent` in `_meta`, which is later than the call itself.
#[test]
fn a_call_is_part_of_the_span_that_the_client_told_it_is() {
    let mut story = Story::started();
    let calls = vec![call("a", "Bash"), call("b", "Task")];
    story.step(1, 0, 100, facts(1, Vec::new(), calls));
    let joined = McpFacts {
        trace: Some(ClientTrace {
            trace: TraceId::of_run(testing::run_id()).to_string(),
            span: "00f067aa0ba902b7".to_owned(),
        }),
        ..McpFacts::default()
    };
    story.called(calling(2, 200, "create_issue"), 2, joined);
    story.note(
        300,
        NoticeKind::Told {
            spans: vec![ToldSpan {
                id: "00f067aa0ba902b7".parse().unwrap(),
                parent: None,
                start: testing::at(150),
                end: testing::at(290),
                what: Told {
                    name: "work".to_owned(),
                    ..Told::default()
                },
            }],
            refused: 0,
            dropped: 0,
        },
    );
    let shape = shape(&trace(&story.ended(900, 0)));
    assert!(shape.contains(&"event 2 < work".to_owned()), "{shape:?}");
}
