//! Records for the tests of this crate: a run is told call by call, in milliseconds after its start,
//! with ids that never change.

use jiff::{SignedDuration, Timestamp};
use ringfence_model::git::{GitOperation, GitRequest, RepoId};
use ringfence_model::llm::{
    ContextItem, ContextKind, LlmEndpoint, LlmFacts, LlmRequest, ProviderName, TextDigest,
    TokenUsage, ToolCall,
};
use ringfence_model::mcp::{McpFacts, McpRequest, McpVerb};
use ringfence_model::{
    Action, Closing, Connect, Decision, Effect, Entry, Event, EventId, Generation, HttpRequest,
    Notice, NoticeKind, Outcome, ReasonCode, Record, RuleRef, RunId, Scheme,
};

pub(crate) fn run_id() -> RunId {
    "0192f0c1-0000-7000-8000-000000000001".parse().unwrap()
}

pub(crate) fn event_id(number: u32) -> EventId {
    let text = format!("0192f0c1-0000-7000-9000-{number:012x}");
    text.parse().unwrap()
}

pub(crate) fn at(millis: i64) -> Timestamp {
    let start: Timestamp = "2026-11-22T06:00:00Z".parse().unwrap();
    start + SignedDuration::from_millis(millis)
}

fn event(number: u32, millis: i64, action: Action) -> Event {
    Event {
        id: event_id(number),
        parent: None,
        time: at(millis),
        run: run_id(),
        sandbox: "0192f0c1-0000-7000-a000-000000000001".parse().unwrap(),
        agent: "coder".parse().unwrap(),
        workspace: "local".parse().unwrap(),
        action,
        decision: Decision {
            effect: Effect::Allow,
            code: ReasonCode::Allowed,
            reason: "allowed by claude-code/network/docs".to_owned(),
            rule: Some(RuleRef("claude-code/network/docs".to_owned())),
            generation: Generation(1),
            next_step: None,
            credential: None,
            access: None,
        },
    }
}

/// A connection, allowed.
pub(crate) fn connect(number: u32, millis: i64) -> Event {
    let connect = Connect {
        destination: "docs.test:443".parse().unwrap(),
        entry: Entry::Transparent,
    };
    event(number, millis, Action::Connect(connect))
}

/// A connection to somewhere else, denied.
pub(crate) fn denied(number: u32, millis: i64) -> Event {
    let mut event = connect(number, millis);
    event.action = Action::Connect(Connect {
        destination: "evil.test:443".parse().unwrap(),
        entry: Entry::Transparent,
    });
    event.decision = Decision {
        effect: Effect::Deny,
        code: ReasonCode::NoRule,
        reason: "no rule allows evil.test:443".to_owned(),
        rule: None,
        next_step: Some("ringfence allow evil.test:443".to_owned()),
        ..event.decision
    };
    event
}

/// A request on a connection, allowed.
pub(crate) fn get(number: u32, millis: i64, parent: u32) -> Event {
    let request = HttpRequest {
        destination: "docs.test:443".parse().unwrap(),
        scheme: Scheme::Https,
        method: "GET".to_owned(),
        path: "/guide".to_owned(),
        query: Some("key=hidden".to_owned()),
        headers: Vec::new(),
        content: None,
    };
    let mut event = event(number, millis, Action::Http(request));
    event.parent = Some(event_id(parent));
    event
}

/// A fetch of git, allowed.
pub(crate) fn fetch(number: u32, millis: i64) -> Event {
    let request = GitRequest {
        destination: "github.com:443".parse().unwrap(),
        repo: RepoId::try_from("github/acme/docs".to_owned()).unwrap(),
        operation: GitOperation::Fetch {
            wants: 1,
            filter: None,
            shallow: false,
        },
    };
    let mut event = event(number, millis, Action::Git(request));
    event.decision.rule = Some(RuleRef("claude-code/git/docs".to_owned()));
    event
}

/// A call of a tool of the server `tracker`, allowed.
pub(crate) fn calling(number: u32, millis: i64, tool: &str) -> Event {
    let request = McpRequest {
        destination: "mcp.acme.test:443".parse().unwrap(),
        server: "tracker".parse().unwrap(),
        verb: McpVerb::CallTool,
        method: Some("tools/call".to_owned()),
        target: Some(tool.to_owned()),
        arguments: None,
        reads_only: None,
        path: "/mcp".to_owned(),
        version: Some("2025-11-25".to_owned()),
        octets: 120,
    };
    event(number, millis, Action::Mcp(Box::new(request)))
}

/// A request to a model, allowed.
pub(crate) fn asking(number: u32, millis: i64) -> Event {
    let request = LlmRequest {
        destination: "api.anthropic.com:443".parse().unwrap(),
        provider: ProviderName::new("anthropic").unwrap(),
        endpoint: LlmEndpoint::Messages,
        model: Some("claude-sonnet-4-5".to_owned()),
        alias: None,
        path: "/v1/messages".to_owned(),
        query: None,
        stream: true,
        max_output_tokens: Some(32_000),
        hosted: Vec::new(),
        octets: 48_000,
    };
    let mut event = event(number, millis, Action::Llm(Box::new(request)));
    event.decision.rule = Some(RuleRef("claude-code/llm/anthropic".to_owned()));
    event
}

pub(crate) fn closed(number: u32, millis: i64) -> Closing {
    Closing {
        id: event_id(number),
        time: at(millis),
        outcome: Outcome::Status(200),
        detail: None,
        next_step: None,
        upstream: None,
        sent: 517,
        received: 4_096,
        duration_us: 1,
        scrubbed: 0,
        git: None,
        llm: None,
        mcp: None,
    }
}

pub(crate) fn digest(octets: u64, text: Option<&str>) -> TextDigest {
    TextDigest {
        octets,
        digest: format!("{octets:032x}"),
        text: text.map(str::to_owned),
    }
}

pub(crate) fn came(kind: ContextKind, octets: u64) -> ContextItem {
    ContextItem {
        kind,
        call: None,
        name: None,
        is_error: false,
        text: digest(octets, None),
    }
}

/// The result of a call.
pub(crate) fn result(call: Option<&str>, name: Option<&str>, octets: u64) -> ContextItem {
    ContextItem {
        call: call.map(str::to_owned),
        name: name.map(str::to_owned),
        ..came(ContextKind::ToolResult, octets)
    }
}

pub(crate) fn call(id: &str, name: &str) -> ToolCall {
    ToolCall {
        id: id.to_owned(),
        name: name.to_owned(),
        arguments: digest(31, None),
    }
}

/// What a step of an agent turned out to be.
pub(crate) fn facts(items: u64, new: Vec<ContextItem>, calls: Vec<ToolCall>) -> LlmFacts {
    LlmFacts {
        model: Some("claude-sonnet-4-5-20250929".to_owned()),
        finish: vec![
            if calls.is_empty() {
                "end_turn"
            } else {
                "tool_use"
            }
            .to_owned(),
        ],
        usage: Some(TokenUsage {
            input: 12_034,
            output: 210,
            cache_read: 11_000,
            ..TokenUsage::default()
        }),
        cost: Some("0.0123".parse().unwrap()),
        first_octets_us: Some(420_000),
        tools: 12,
        items,
        new,
        calls,
        ..LlmFacts::default()
    }
}

/// A run that is being told.
#[derive(Default)]
pub(crate) struct Story {
    pub(crate) records: Vec<Record>,
}

impl Story {
    pub(crate) fn started() -> Self {
        let mut story = Self::default();
        story.note(
            0,
            NoticeKind::RunStarted {
                command: ["claude", "-p", "fix the docs"].map(str::to_owned).to_vec(),
                profiles: vec!["claude-code".to_owned()],
                directory: "/home/u/work".to_owned(),
                hosted_by: None,
            },
        );
        story
    }

    pub(crate) fn note(&mut self, millis: i64, kind: NoticeKind) {
        self.records.push(Record::Notice(Notice {
            time: at(millis),
            run: run_id(),
            sandbox: "0192f0c1-0000-7000-a000-000000000001".parse().unwrap(),
            agent: "coder".parse().unwrap(),
            kind,
        }));
    }

    pub(crate) fn ended(mut self, millis: i64, exit_code: i32) -> Vec<Record> {
        self.note(millis, NoticeKind::RunEnded { exit_code });
        self.records
    }

    pub(crate) fn open(&mut self, event: Event) {
        self.records.push(Record::Opened(event));
    }

    pub(crate) fn close(&mut self, closing: Closing) {
        self.records.push(Record::Closed(closing));
    }

    /// An action that is over before anything else happens.
    pub(crate) fn whole(&mut self, event: Event, number: u32, millis: i64) {
        self.open(event);
        self.close(closed(number, millis));
    }

    /// A call that is over before anything else happens.
    pub(crate) fn called(&mut self, event: Event, number: u32, facts: McpFacts) {
        let millis = event.time.duration_since(at(0)).as_millis();
        self.open(event);
        self.close(Closing {
            mcp: Some(Box::new(facts)),
            ..closed(number, i64::try_from(millis).unwrap() + 5)
        });
    }

    /// A request to a model from one time to another.
    pub(crate) fn step(&mut self, number: u32, from: i64, to: i64, facts: LlmFacts) {
        self.open(asking(number, from));
        self.answer(number, to, facts);
    }

    pub(crate) fn answer(&mut self, number: u32, millis: i64, facts: LlmFacts) {
        self.close(Closing {
            llm: Some(Box::new(facts)),
            ..closed(number, millis)
        });
    }
}

/// A run in which a tool fetches, is denied something, and fails; and one answers by two tools.
pub(crate) fn story() -> Vec<Record> {
    let mut story = Story::started();
    let first = vec![
        came(ContextKind::System, 12_000),
        came(ContextKind::User, 12),
    ];
    story.step(
        1,
        100,
        3_300,
        facts(2, first, vec![call("toolu_1", "Bash")]),
    );
    story.whole(fetch(2, 3_400), 2, 3_800);
    story.open(connect(3, 3_900));
    story.whole(get(4, 3_950, 3), 4, 4_100);
    story.open(denied(5, 4_150));
    story.open(denied(6, 4_200));
    let second = vec![result(Some("toolu_1"), None, 2_100)];
    let calls = vec![call("toolu_2", "Read"), call("toolu_3", "Edit")];
    story.open(asking(7, 4_500));
    story.close(closed(3, 4_600));
    story.answer(7, 6_000, facts(4, second, calls));
    let failed = ContextItem {
        is_error: true,
        ..result(Some("toolu_3"), None, 90)
    };
    let third = vec![result(Some("toolu_2"), None, 8_000), failed];
    story.step(
        8,
        6_100,
        7_500,
        LlmFacts {
            answer: Some(digest(140, None)),
            ..facts(7, third, Vec::new())
        },
    );
    story.note(
        7_600,
        NoticeKind::Finding {
            code: "private-copy-changed".to_owned(),
            detail: "M .git/hooks/post-checkout".to_owned(),
        },
    );
    story.ended(7_700, 0)
}
