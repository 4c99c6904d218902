//! Audit records. An action has one [`Event`], opened before the first upstream byte, and one
//! [`Closing`] after the last. [`Notice`] records what is not an action: a run that starts,
//! a layer that was switched off, a policy that was loaded.

use std::net::SocketAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::decision::{Decision, Generation, ReasonCode};
use crate::git::GitFacts;
use crate::ids::{AgentName, EventId, RunId, SandboxId, WorkspaceName};
use crate::llm::{LlmFacts, Money};
use crate::mcp::McpFacts;
use crate::told::ToldSpan;

/// The version of the serialised form of [`Record`].
pub const RECORD_VERSION: u16 = 1;

/// One line of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "kebab-case")]
#[expect(
    clippy::large_enum_variant,
    reason = "a record is written and read one at a time, never kept in numbers"
)]
pub enum Record {
    /// An action was decided on.
    Opened(Event),
    /// An allowed action came to its end.
    Closed(Closing),
    /// Something happened that is not an action.
    Notice(Notice),
}

impl Record {
    /// When it was written.
    #[must_use]
    pub const fn time(&self) -> Timestamp {
        match self {
            Self::Opened(event) => event.time,
            Self::Closed(closing) => closing.time,
            Self::Notice(notice) => notice.time,
        }
    }
}

/// The record of one action and its decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its id; a refusal shows it to the agent.
    pub id: EventId,
    /// The event of the enclosing action, for example the connection of a request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<EventId>,
    /// When the decision was made.
    pub time: Timestamp,
    /// The run that it belongs to.
    pub run: RunId,
    /// The sandbox that it came from.
    pub sandbox: SandboxId,
    /// The agent that tried.
    pub agent: AgentName,
    /// The workspace of the agent.
    pub workspace: WorkspaceName,
    /// What it tried.
    pub action: Action,
    /// What was decided.
    pub decision: Decision,
}

/// How an allowed action ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    /// The event that it closes.
    pub id: EventId,
    /// When it ended.
    pub time: Timestamp,
    /// How it ended.
    pub outcome: Outcome,
    /// What was refused after the decision, or what went wrong, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What to do about a refusal after the decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_step: Option<String>,
    /// The upstream, where one was reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream: Option<Upstream>,
    /// Octets from the agent to the upstream.
    pub sent: u64,
    /// Octets from the upstream to the agent.
    pub received: u64,
    /// Microseconds from the decision to the end.
    pub duration_us: u64,
    /// Credential values that were removed from what went to the agent.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub scrubbed: u64,
    /// For a git request: what it turned out to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git: Option<Box<GitFacts>>,
    /// For a request to a language model: what it took, and what came into its context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub llm: Option<Box<LlmFacts>>,
    /// For a message to a server of the Model Context Protocol: what came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mcp: Option<Box<McpFacts>>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// How an allowed action ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", content = "code", rename_all = "kebab-case")]
pub enum Outcome {
    /// Both sides ended it in good order.
    Done,
    /// An HTTP response was relayed; its status code.
    Status(u16),
    /// Refused after the decision: the bytes were not what was decided on.
    Refused(ReasonCode),
    /// The upstream could not be resolved, reached or understood.
    UpstreamFailed,
    /// A timeout of the gateway ended it.
    TimedOut,
    /// A side broke off, or the gateway stopped.
    Aborted,
}

/// The real system that was reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upstream {
    /// The address that was dialled, or the corporate proxy's.
    pub address: SocketAddr,
    /// The TLS server name that the agent sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sni: Option<String>,
    /// The protocols that the agent offered by ALPN.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alpn: Vec<String>,
}

/// The record of something that is not an action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// When it happened.
    pub time: Timestamp,
    /// The run that it belongs to.
    pub run: RunId,
    /// The sandbox that it is about.
    pub sandbox: SandboxId,
    /// The agent of the run.
    pub agent: AgentName,
    /// What happened.
    pub kind: NoticeKind,
}

/// What happened, other than an action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "notice", rename_all = "kebab-case")]
pub enum NoticeKind {
    /// A run started.
    RunStarted {
        /// The command and its arguments.
        command: Vec<String>,
        /// The profiles in force.
        profiles: Vec<String>,
        /// The host's path of the workspace directory.
        directory: String,
        /// The run whose agent uses it, where it is a server that was started for one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hosted_by: Option<RunId>,
    },
    /// A run ended.
    RunEnded {
        /// The exit code of the command.
        exit_code: i32,
    },
    /// A layer of the sandbox is off because the user said so by flag.
    LayerOff {
        /// The layer's name, as `ringfence doctor` prints it.
        layer: String,
    },
    /// A policy came into force.
    PolicyLoaded {
        /// Its number.
        generation: Generation,
    },
    /// A policy could not be loaded; the one before stays in force.
    PolicyRejected {
        /// What is wrong with it.
        error: String,
    },
    /// A person approved a push that had been held. The notice is of no run of an agent.
    PushApproved {
        /// The event of the push.
        event: EventId,
        /// Until when the same push passes.
        until: Timestamp,
    },
    /// A person rejected a push that had been held, or took its approval back. The notice is of no
    /// run of an agent.
    PushRejected {
        /// The event of the push.
        event: EventId,
    },
    /// A person approved one call of a tool that had been held. The notice is of no run of an agent.
    CallApproved {
        /// The event of the call.
        event: EventId,
        /// Until when the same call passes, once.
        until: Timestamp,
        /// The number that this machine has for the user who said so.
        by: u32,
    },
    /// A person rejected a call that had been held, or took its approval back. The notice is of no
    /// run of an agent.
    CallRejected {
        /// The event of the call.
        event: EventId,
        /// The number that this machine has for the user who said so.
        by: u32,
    },
    /// A person gave a budget anew. The notice is of no run of an agent.
    BudgetReset {
        /// Whose it is, and its window: `agent claude, day`.
        budget: String,
        /// Tokens that had been spent of it.
        tokens: u64,
        /// Money that had been spent of it.
        cost: Money,
    },
    /// The agent told of its own work. Its word, not what was seen.
    Told {
        /// Its spans.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        spans: Vec<ToldSpan>,
        /// Spans that were refused since the notice before this one: of another trace or time,
        /// malformed, or too many.
        #[serde(default, skip_serializing_if = "is_zero")]
        refused: u64,
        /// Requests with logs or metrics since then. They are taken, and not kept.
        #[serde(default, skip_serializing_if = "is_zero")]
        dropped: u64,
    },
    /// Something that a person should look at.
    Finding {
        /// The stable code, for example `protected-path-written`.
        code: String,
        /// What was found, in words.
        detail: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The stored form of version 1 as it was first released; it must be readable for ever.
    const SAMPLE_V1: &str = include_str!("event/sample-v1.jsonl");

    #[test]
    fn samples_of_version_1_round_trip() {
        assert!(SAMPLE_V1.lines().count() >= 3);
        for line in SAMPLE_V1.lines() {
            let record: Record = serde_json::from_str(line).unwrap();
            assert_eq!(serde_json::to_string(&record).unwrap(), line);
        }
    }

    #[test]
    fn a_budget_given_anew_has_one_form() {
        const TEXT: &str = r#"{"notice":"budget-reset","budget":"agent claude, day","tokens":12,"cost":250000000}"#;
        let kind: NoticeKind = serde_json::from_str(TEXT).unwrap();
        assert_eq!(serde_json::to_string(&kind).unwrap(), TEXT);
    }

    #[test]
    fn what_an_agent_tells_has_one_form() {
        const FULL: &str = r#"{"notice":"told","spans":[{"id":"e3d48efd49350919","parent":"f86fe8dfd5e81050","start":"2026-11-22T07:00:00Z","end":"2026-11-22T07:00:01Z","name":"claude_code.tool","failed":true,"tool":"Bash","call":"toolu_1","model":"m","decision":"accept"},{"id":"f86fe8dfd5e81050","start":"2026-11-22T07:00:00Z","end":"2026-11-22T07:00:01Z","name":"x"}],"refused":2,"dropped":3}"#;
        for text in [FULL, r#"{"notice":"told"}"#] {
            let kind: NoticeKind = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&kind).unwrap(), text);
        }
        let zero = FULL.replace("e3d48efd49350919", "0000000000000000");
        assert!(serde_json::from_str::<NoticeKind>(&zero).is_err());
    }

    #[test]
    fn what_a_person_says_to_what_was_held_has_one_form() {
        const EVENT: &str = "0192f0c1-0000-7000-9000-000000000001";
        for text in [
            format!(
                r#"{{"notice":"push-approved","event":"{EVENT}","until":"2026-11-22T07:00:00Z"}}"#
            ),
            format!(r#"{{"notice":"push-rejected","event":"{EVENT}"}}"#),
            format!(
                r#"{{"notice":"call-approved","event":"{EVENT}","until":"2026-11-22T07:00:00Z","by":1000}}"#
            ),
            format!(r#"{{"notice":"call-rejected","event":"{EVENT}","by":1000}}"#),
        ] {
            let kind: NoticeKind = serde_json::from_str(&text).unwrap();
            assert_eq!(serde_json::to_string(&kind).unwrap(), text);
        }
    }
}
