//! Records for the tests of metrics.

use jiff::Timestamp;
use ringfence_gateway::Identity;
use ringfence_model::llm::{LlmEndpoint, LlmFacts, LlmRequest, Money, ProviderName, TokenUsage};
use ringfence_model::{
    Action, Closing, Connect, Decision, Effect, Entry, Event, EventId, Generation, Notice,
    NoticeKind, Outcome, ReasonCode, Record, RunId, SandboxId,
};

pub(super) fn identity() -> Identity {
    Identity {
        agent: "coder".parse().unwrap(),
        workspace: "local".parse().unwrap(),
        run: "0192f0c1-0000-7000-8000-000000000001".parse().unwrap(),
        sandbox: SandboxId::new(),
    }
}

pub(super) fn opened(action: Action, code: ReasonCode) -> Event {
    Event {
        id: EventId::new(),
        parent: None,
        time: Timestamp::now(),
        run: RunId::new(),
        sandbox: SandboxId::new(),
        agent: "coder".parse().unwrap(),
        workspace: "local".parse().unwrap(),
        action,
        decision: Decision {
            effect: match code {
                ReasonCode::Allowed => Effect::Allow,
                _ => Effect::Deny,
            },
            code,
            reason: "because".to_owned(),
            rule: None,
            generation: Generation(1),
            next_step: None,
            credential: None,
            access: None,
        },
    }
}

pub(super) fn connect() -> Action {
    Action::Connect(Connect {
        destination: "evil.test:443".parse().unwrap(),
        entry: Entry::Transparent,
    })
}

/// A streamed request to a model.
pub(super) fn ask(model: &str) -> Action {
    Action::Llm(Box::new(LlmRequest {
        destination: "api.anthropic.com:443".parse().unwrap(),
        provider: ProviderName::new("anthropic").unwrap(),
        endpoint: LlmEndpoint::Messages,
        model: Some(model.to_owned()),
        alias: None,
        path: "/v1/messages".to_owned(),
        query: None,
        stream: true,
        max_output_tokens: None,
        hosted: Vec::new(),
        octets: 100,
    }))
}

/// What an answer took that went well.
pub(super) fn facts() -> LlmFacts {
    LlmFacts {
        usage: Some(TokenUsage {
            input: 1_000,
            output: 50,
            cache_read: 900,
            cache_write: 0,
            cache_write_long: 0,
            reasoning: 20,
        }),
        cost: Some(Money::from_nanos(250_000_000)),
        first_octets_us: Some(300_000),
        redacted: 2,
        ..LlmFacts::default()
    }
}

pub(super) fn closed(event: &Event, outcome: Outcome, llm: LlmFacts) -> Record {
    Record::Closed(Closing {
        id: event.id,
        time: Timestamp::now(),
        outcome,
        detail: None,
        next_step: None,
        upstream: None,
        sent: 1,
        received: 2,
        duration_us: 2_000_000,
        scrubbed: 3,
        git: None,
        llm: Some(Box::new(llm)),
        mcp: None,
    })
}

pub(super) fn noted(kind: NoticeKind) -> Record {
    Record::Notice(Notice {
        time: Timestamp::now(),
        run: RunId::new(),
        sandbox: SandboxId::new(),
        agent: "coder".parse().unwrap(),
        kind,
    })
}
