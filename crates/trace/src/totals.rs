//! What a run took, counted as its records come.

use ringfence_model::llm::{ContextKind, LlmFacts, Money, TokenUsage};
use ringfence_model::{Action, Closing, Effect, Outcome, Record};
use serde::Serialize;

/// What a run took. Its JSON is a promise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Requests that a model was to answer and policy let through.
    pub calls: u64,
    /// Tokens, as providers counted them.
    #[serde(flatten)]
    pub tokens: TokenUsage,
    /// What they cost in billionths of a US dollar.
    pub cost: Money,
    /// Calls among them whose tokens or cost are an upper bound.
    pub estimated: u64,
    /// Calls that took tokens that no price is known for; they are not in `cost`.
    pub unpriced: u64,
    /// Tools that models asked for.
    pub tools: u64,
    /// Results of tools that say that the tool failed.
    pub failed_tools: u64,
    /// Actions that did not go ahead, be it by the decision or after it.
    pub denied: u64,
    /// Findings.
    pub findings: u64,
}

impl Totals {
    /// Counts a record.
    pub fn feed(&mut self, record: &Record) {
        match record {
            Record::Opened(event) if event.decision.effect == Effect::Deny => self.denied += 1,
            Record::Opened(event) => {
                let is_call = matches!(&event.action, Action::Llm(request) if request.endpoint.is_inference());
                self.calls += u64::from(is_call);
            }
            Record::Closed(closing) => self.close(closing),
            Record::Notice(notice) => {
                let is_finding = matches!(notice.kind, ringfence_model::NoticeKind::Finding { .. });
                self.findings += u64::from(is_finding);
            }
        }
    }

    fn close(&mut self, closing: &Closing) {
        self.denied += u64::from(matches!(closing.outcome, Outcome::Refused(_)));
        if let Some(facts) = closing.llm.as_deref() {
            self.add(facts);
        }
    }

    fn add(&mut self, facts: &LlmFacts) {
        if let Some(usage) = facts.usage {
            let tokens = &mut self.tokens;
            tokens.input = tokens.input.saturating_add(usage.input);
            tokens.output = tokens.output.saturating_add(usage.output);
            tokens.cache_read = tokens.cache_read.saturating_add(usage.cache_read);
            tokens.cache_write = tokens.cache_write.saturating_add(usage.cache_write);
            tokens.reasoning = tokens.reasoning.saturating_add(usage.reasoning);
            self.unpriced += u64::from(facts.cost.is_none());
        }
        self.cost = self.cost.saturating_add(facts.cost.unwrap_or(Money::ZERO));
        self.estimated += u64::from(facts.estimated);
        self.tools += facts.calls.len() as u64;
        let failed = |kind, is_error: bool| kind == ContextKind::ToolResult && is_error;
        let failed = facts.new.iter().filter(|it| failed(it.kind, it.is_error));
        self.failed_tools += failed.count() as u64;
    }
}

#[cfg(test)]
mod tests {
    use ringfence_model::{ReasonCode, Record};

    use super::*;
    use crate::testing::{self, closed, connect, facts};

    fn totals(records: &[Record]) -> Totals {
        let mut totals = Totals::default();
        records.iter().for_each(|record| totals.feed(record));
        totals
    }

    #[test]
    fn a_run_is_counted_as_it_goes() {
        let totals = totals(&testing::story());
        assert_eq!((totals.calls, totals.tools, totals.failed_tools), (3, 3, 1));
        assert_eq!(totals.tokens.total(), 36_102 + 630);
        assert_eq!(totals.cost.to_string(), "0.0369");
        assert_eq!((totals.denied, totals.findings), (2, 1));
    }

    #[test]
    fn what_is_refused_after_the_decision_is_denied() {
        let refused = Closing {
            outcome: Outcome::Refused(ReasonCode::SniMismatch),
            ..closed(1, 20)
        };
        let records = [Record::Opened(connect(1, 10)), Record::Closed(refused)];
        assert_eq!(totals(&records).denied, 1);
    }

    #[test]
    fn tokens_without_a_price_are_said() {
        let llm = LlmFacts {
            cost: None,
            estimated: true,
            ..facts(1, Vec::new(), Vec::new())
        };
        let mut closing = closed(1, 20);
        closing.llm = Some(Box::new(llm));
        let totals = totals(&[Record::Closed(closing)]);
        assert_eq!((totals.unpriced, totals.estimated), (1, 1));
        assert_eq!(totals.cost, Money::ZERO);
    }
}
