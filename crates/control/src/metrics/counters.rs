//! Counts the records of one run. It is fed where they are written, so it does no more than look up
//! and add; it never waits for a scrape longer than that takes to copy a number.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use ringfence_gateway::Identity;
use ringfence_model::llm::{LlmFacts, LlmRequest, TokenUsage};
use ringfence_model::{Action, ActionKind, Closing, Event, EventId, NoticeKind, Outcome, Record};

use super::budgets::BudgetGauges;
use super::families::Families;
use super::limits::{ERRORS, FINDINGS, MODEL_OCTETS, MODELS, OPEN, WORD_OCTETS};
use super::words::Words;
use crate::budgets::LocalBudgets;

/// The metrics of one run. Clones share them.
#[derive(Debug, Clone)]
pub struct Metrics(Arc<Parts>);

struct Parts {
    registry: Registry,
    families: Families,
    seen: Mutex<Seen>,
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

/// What has to be remembered between records.
struct Seen {
    open: HashMap<EventId, Open>,
    /// Models, each behind its provider.
    models: Words,
    errors: Words,
    findings: Words,
}

/// An allowed action that goes on.
struct Open {
    kind: ActionKind,
    asked: Option<Asked>,
}

/// A request that a model answers.
struct Asked {
    provider: String,
    model: String,
    stream: bool,
}

impl Metrics {
    /// Those of a run, with the budgets that it spends from.
    #[must_use]
    pub fn new(of: &Identity, budgets: Arc<LocalBudgets>) -> Self {
        let mut registry = Registry::default();
        let families = Families::register(&mut registry, of);
        registry.register_collector(Box::new(BudgetGauges::new(budgets)));
        let seen = Seen {
            open: HashMap::new(),
            models: Words::new(MODELS, MODEL_OCTETS),
            errors: Words::new(ERRORS, WORD_OCTETS),
            findings: Words::new(FINDINGS, WORD_OCTETS),
        };
        Self(Arc::new(Parts {
            registry,
            families,
            seen: Mutex::new(seen),
        }))
    }

    /// Counts the next record.
    pub fn feed(&self, record: &Record) {
        let mut seen = self.0.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match record {
            Record::Opened(event) => self.opened(&mut seen, event),
            Record::Closed(closing) => self.closed(&mut seen, closing),
            Record::Notice(notice) => self.noted(&mut seen, &notice.kind),
        }
    }

    /// All of them in OpenMetrics 1.0.
    pub(super) fn written(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.0.registry)?;
        Ok(text)
    }

    fn opened(&self, seen: &mut Seen, event: &Event) {
        let kind = event.action.kind();
        let effect = if event.decision.is_allow() {
            "allow"
        } else {
            "deny"
        };
        let decided = [
            ("protocol", protocol(kind)),
            ("effect", effect),
            ("code", event.decision.code.as_str()),
        ];
        self.0.families.decisions.get_or_create(&decided).inc();
        if !event.decision.is_allow() || seen.open.len() >= OPEN {
            return;
        }
        let asked = match &event.action {
            Action::Llm(request) => asked(request),
            Action::Connect(_) | Action::Http(_) | Action::Git(_) | Action::Mcp(_) => None,
        };
        let open = Open { kind, asked };
        self.go_on(&open, 1);
        seen.open.insert(event.id, open);
    }

    fn go_on(&self, open: &Open, by: i64) {
        let families = &self.0.families;
        let kind = [("protocol", protocol(open.kind))];
        families.open.get_or_create(&kind).inc_by(by);
        if let Some(asked) = open.asked.as_ref().filter(|asked| asked.stream) {
            let provider = [("provider", asked.provider.clone())];
            families.streams.get_or_create(&provider).inc_by(by);
        }
    }

    fn closed(&self, seen: &mut Seen, closing: &Closing) {
        let families = &self.0.families;
        families.scrubbed.inc_by(closing.scrubbed);
        let Some(open) = seen.open.remove(&closing.id) else {
            return;
        };
        self.go_on(&open, -1);
        if let Outcome::Refused(code) = closing.outcome {
            let refused = [("protocol", protocol(open.kind)), ("code", code.as_str())];
            families.refusals.get_or_create(&refused).inc();
        }
        if let Some(asked) = open.asked {
            self.answered(seen, &asked, closing);
        }
    }

    fn answered(&self, seen: &mut Seen, asked: &Asked, closing: &Closing) {
        let families = &self.0.families;
        let nothing = LlmFacts::default();
        let facts = closing.llm.as_deref().unwrap_or(&nothing);
        let error = error(facts, closing.outcome);
        // A name that no provider answers to is a name that an agent made up.
        let named = format!("{}/{}", asked.provider, asked.model);
        let known = match error {
            None => seen.models.learn(&named),
            Some(_) => seen.models.find(&named),
        };
        let is_known = known == named;
        let model = if is_known {
            &asked.model
        } else {
            super::words::OTHER
        };
        let of = || {
            [
                ("provider", asked.provider.clone()),
                ("model", model.to_owned()),
            ]
        };
        let took = seconds(closing.duration_us);
        families.duration.get_or_create(&of()).observe(took);
        if let Some(first) = facts.first_octets_us.filter(|_| asked.stream) {
            families
                .first_chunk
                .get_or_create(&of())
                .observe(seconds(first));
        }
        if let Some(usage) = &facts.usage {
            self.took(&of(), usage);
        }
        if let Some(cost) = facts.cost {
            let dollars = number(cost.nanos()) / 1e9;
            families.cost.get_or_create(&of()).inc_by(dollars);
        }
        if let Some(error) = error {
            let [provider, model] = of();
            let kind = ("type", seen.errors.learn(&error).to_owned());
            families
                .errors
                .get_or_create(&[provider, model, kind])
                .inc();
        }
        if facts.redacted > 0 {
            let [provider, _] = of();
            let redacted = families.redacted.get_or_create(&[provider]);
            redacted.inc_by(facts.redacted);
        }
    }

    fn took(&self, of: &[(&'static str, String); 2], usage: &TokenUsage) {
        let families = &self.0.families;
        let with = |kind: &str| {
            let [provider, model] = of.clone();
            [provider, model, ("type", kind.to_owned())]
        };
        for (kind, count) in [("input", usage.input), ("output", usage.output)] {
            families.tokens.get_or_create(&with(kind)).inc_by(count);
        }
        for (kind, count) in [("read", usage.cache_read), ("write", usage.cache_write)] {
            families.cached.get_or_create(&with(kind)).inc_by(count);
        }
        families.reasoning.get_or_create(of).inc_by(usage.reasoning);
    }

    fn noted(&self, seen: &mut Seen, kind: &NoticeKind) {
        let families = &self.0.families;
        match kind {
            NoticeKind::Finding { code, .. } => {
                let code = [("code", seen.findings.learn(code).to_owned())];
                families.findings.get_or_create(&code).inc();
            }
            NoticeKind::PolicyLoaded { generation } => {
                let generation = i64::try_from(generation.0).unwrap_or(i64::MAX);
                families.generation.set(generation);
            }
            NoticeKind::PolicyRejected { .. } => {
                families.policies_rejected.inc();
            }
            NoticeKind::RunStarted { .. }
            | NoticeKind::RunEnded { .. }
            | NoticeKind::LayerOff { .. }
            | NoticeKind::PushApproved { .. }
            | NoticeKind::PushRejected { .. }
            | NoticeKind::CallApproved { .. }
            | NoticeKind::CallRejected { .. }
            | NoticeKind::BudgetReset { .. }
            | NoticeKind::Told { .. } => {}
        }
    }
}

/// What a request asks of a model; none where no model is to answer.
fn asked(request: &LlmRequest) -> Option<Asked> {
    let model = request.model.clone()?;
    request.endpoint.is_inference().then(|| Asked {
        provider: request.provider.to_string(),
        model,
        stream: request.stream,
    })
}

/// What went wrong, in a word.
fn error(facts: &LlmFacts, outcome: Outcome) -> Option<String> {
    if let Some(failure) = &facts.failure {
        return Some(failure.kind.clone());
    }
    match outcome {
        Outcome::Status(status) if status >= 400 => Some(status.to_string()),
        Outcome::Refused(code) => Some(code.as_str().to_owned()),
        Outcome::UpstreamFailed => Some("upstream_failed".to_owned()),
        Outcome::TimedOut => Some("timeout".to_owned()),
        Outcome::Aborted => Some("aborted".to_owned()),
        Outcome::Done | Outcome::Status(_) => None,
    }
}

const fn protocol(kind: ActionKind) -> &'static str {
    match kind {
        ActionKind::Connect => "connect",
        ActionKind::Http => "http",
        ActionKind::Git => "git",
        ActionKind::Llm => "llm",
        ActionKind::Mcp => "mcp",
    }
}

fn seconds(micros: u64) -> f64 {
    number(micros) / 1e6
}

#[expect(
    clippy::cast_precision_loss,
    reason = "metrics have no exact numbers with decimals; the record has"
)]
fn number(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
