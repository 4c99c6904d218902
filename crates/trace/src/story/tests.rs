use ringfence_model::llm::{ContextItem, ContextKind, LlmFacts, LlmFailure, Purpose};
use ringfence_model::{Action, Effect, Outcome, ReasonCode, Record};

use super::{run, shown, step};
use crate::build::Trace;
use crate::testing::{
    self, Story, asking, call, came, closed, denied, digest, facts, fetch, result,
};

fn told(records: &[Record]) -> String {
    run(&Trace::of(records).unwrap()).join("\n")
}

#[test]
fn a_run_reads_like_a_story() {
    insta::assert_snapshot!(told(&testing::story()));
}

#[test]
fn a_step_tells_what_came_into_its_context_and_from_where() {
    let trace = Trace::of(testing::story()).unwrap();
    let steps = (1..=3).map(|number| step(&trace, number).unwrap().join("\n"));
    insta::assert_snapshot!(steps.collect::<Vec<_>>().join("\n\n"));
    assert_eq!(step(&trace, 4), None);
}

/// With captured texts, a sub-agent, requests beside the work, refusals and failures.
#[test]
fn everything_that_can_happen_to_a_step_is_told() {
    let mut story = Story::started();
    let user = |text: &str| {
        vec![ContextItem {
            text: digest(text.len() as u64, Some(text)),
            ..came(ContextKind::User, 0)
        }]
    };
    let title = LlmFacts {
        tools: 0,
        purpose: Some(Purpose::Title),
        answer: Some(digest(9, Some("Docs fix"))),
        ..facts(1, user("fix the docs"), Vec::new())
    };
    story.step(1, 10, 400, title);
    let mut bash = call("t1", "Task");
    bash.arguments = digest(40, Some(r#"{"prompt":"look at docs","agent":"explore"}"#));
    story.step(2, 20, 900, facts(1, user("fix the docs"), vec![bash]));
    let sub = |facts: LlmFacts| LlmFacts {
        agents: vec!["explore".to_owned()],
        ..facts
    };
    story.step(
        3,
        1_000,
        1_500,
        sub(facts(1, user("look at docs"), vec![call("t2", "Bash")])),
    );
    story.whole(fetch(4, 1_600), 4, 2_000);
    story.step(
        5,
        2_100,
        2_600,
        sub(facts(
            3,
            vec![result(Some("t2"), Some("Bash"), 999)],
            vec![],
        )),
    );
    let mut refused = asking(6, 2_700);
    refused.decision.effect = Effect::Deny;
    refused.decision.code = ReasonCode::ModelNotAllowed;
    refused.decision.reason = "claude-code/llm/anthropic does not allow claude-opus".to_owned();
    story.open(refused);
    story.open(asking(7, 2_800));
    story.close(ringfence_model::Closing {
        outcome: Outcome::Status(529),
        llm: Some(Box::new(LlmFacts {
            failure: Some(LlmFailure {
                kind: "overloaded_error".to_owned(),
                message: "Overloaded".to_owned(),
                retry_after: Some(7),
            }),
            ..LlmFacts::default()
        })),
        ..closed(7, 2_900)
    });
    let mut hosted = asking(8, 3_000);
    if let Action::Llm(request) = &mut hosted.action {
        request.hosted = vec![ringfence_model::llm::HostedFeature::WebSearch];
    }
    story.open(hosted);
    let last = LlmFacts {
        estimated: true,
        redacted: 2,
        findings: vec!["messages[0].content: aws-access-key".to_owned()],
        ..facts(
            3,
            vec![
                came(ContextKind::System, 10),
                came(ContextKind::System, 20),
                result(Some("t1"), None, 1),
            ],
            Vec::new(),
        )
    };
    story.answer(8, 64_000, last);
    insta::assert_snapshot!(told(&story.ended(3_700_000, 1)));
}

#[test]
fn what_others_chose_cannot_drive_the_terminal_or_look_like_a_line_of_ours() {
    let evil = "x\u{1b}[2J\r\nrun of root\u{202e}\u{200b}\u{9b}";
    let mut story = Story::started();
    let mut tool = call(evil, evil);
    tool.arguments = digest(3, Some(evil));
    let item = ContextItem {
        name: Some(evil.to_owned()),
        call: Some(evil.to_owned()),
        text: digest(3, Some(evil)),
        ..came(ContextKind::ToolResult, 3)
    };
    let every = LlmFacts {
        answer: Some(digest(3, Some(evil))),
        agents: vec![evil.to_owned()],
        findings: vec![evil.to_owned()],
        failure: Some(LlmFailure {
            kind: evil.to_owned(),
            message: evil.to_owned(),
            retry_after: None,
        }),
        ..facts(1, vec![item], vec![tool.clone()])
    };
    story.step(1, 0, 10, every.clone());
    let mut other = denied(2, 20);
    other.decision.reason = evil.to_owned();
    other.decision.next_step = Some(evil.to_owned());
    story.open(other);
    story.open(asking(3, 30));
    story.close(ringfence_model::Closing {
        detail: Some(evil.to_owned()),
        llm: Some(Box::new(every)),
        ..closed(3, 40)
    });
    story.note(
        50,
        ringfence_model::NoticeKind::Finding {
            code: evil.to_owned(),
            detail: evil.to_owned(),
        },
    );
    let trace = Trace::of(story.ended(60, 0)).unwrap();
    let mut lines = run(&trace);
    lines.extend(step(&trace, 1).unwrap());
    lines.extend(step(&trace, 2).unwrap());
    for line in &lines {
        let is_plain =
            |character: char| !character.is_control() && !"\u{202e}\u{200b}".contains(character);
        assert!(line.chars().all(is_plain), "{line:?}");
    }
    let marks = lines
        .iter()
        .map(|line| line.matches("x\\u{1b}[2J\\r\\n").count());
    assert!(marks.sum::<usize>() > 12, "{lines:#?}");
}

#[test]
fn ordinary_text_is_shown_as_it_is() {
    assert_eq!(shown("straße 日本 \"a\" \\n"), "straße 日本 \"a\" \\n");
}
