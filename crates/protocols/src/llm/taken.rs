//! What a request takes before it is sent: a place among those under way, and what it can cost from
//! the budgets of its rule.

use std::sync::Arc;
use std::time::Instant;

use http::Response;
use ringfence_gateway::http::ResponseBody;
use ringfence_gateway::llm::LlmTerms;
use ringfence_gateway::{Charge, Permit, Stopped};
use ringfence_llm::refusal::Why;
use ringfence_model::ReasonCode;
use ringfence_model::llm::LlmEndpoint;

use super::service::Client;
use super::spend::{self, Bill, Kept};
use super::throttle::{Admitted, THROTTLE};
use super::words::{Dialect, Words};

/// Why a request that policy allows is not sent after all.
pub(super) struct Stop {
    code: ReasonCode,
    reason: String,
    why: Option<Why>,
    retry_after: Option<u64>,
}

impl Stop {
    pub(super) const fn refused(code: ReasonCode, reason: String) -> Self {
        Self {
            code,
            reason,
            why: None,
            retry_after: None,
        }
    }

    pub(super) fn say(self, permit: Permit, dialect: Dialect) -> Response<ResponseBody> {
        self.words(permit).respond(dialect)
    }

    /// The same in words.
    pub(super) fn words(self, permit: Permit) -> Words {
        let refusal = permit.refuse(self.code, &self.reason);
        let mut words = Words::of(&Stopped::Refused(refusal));
        if let Some(why) = self.why {
            words = words.because(why);
        }
        if let Some(seconds) = self.retry_after {
            words = words.after(seconds);
        }
        words
    }
}

impl Client {
    /// Takes a place among the requests under way, and what it can cost from the budgets.
    pub(super) async fn take(
        &self,
        terms: &Arc<LlmTerms>,
        bill: &Bill,
        endpoint: LlmEndpoint,
    ) -> Result<(Option<Admitted>, Kept), Stop> {
        let most = bill.most();
        let sandbox = self.session.identity().sandbox;
        let admitted = THROTTLE.admit(sandbox, terms, Instant::now(), most.tokens);
        let admitted = admitted.map_err(|busy| {
            let seconds = busy.retry_after.as_secs().max(1);
            let reason = format!(
                "rule {} allows no more {} now: try again in {seconds} s",
                terms.rule, busy.what
            );
            Stop {
                code: ReasonCode::LimitReached,
                reason,
                why: Some(Why::Rate),
                retry_after: Some(seconds),
            }
        })?;
        if terms.budgets.is_empty() || !endpoint.is_inference() {
            return Ok((Some(admitted), Kept(None)));
        }
        let counts_money = terms.budgets.iter().any(|budget| budget.cost.is_some());
        if counts_money && !bill.has_price() {
            let reason = format!(
                "rule {} has a budget of money, and no price is known of this model: `prices` or `unknownPrice` of the rule can say one",
                terms.rule
            );
            return Err(Stop::refused(ReasonCode::BudgetExhausted, reason));
        }
        let kept = self.reserve(terms, most).await?;
        Ok((Some(admitted), kept))
    }

    async fn reserve(&self, terms: &Arc<LlmTerms>, most: Charge) -> Result<Kept, Stop> {
        let budgets = Arc::clone(self.gateway.budgets());
        let identity = self.session.identity();
        if let Some(taken) = budgets.reserve_at_once(identity, &terms.budgets, most) {
            return Ok(Kept(Some(taken)));
        }
        let identity = self.session.identity().clone();
        let of_rule = Arc::clone(terms);
        let reserving = tokio::task::spawn_blocking(move || {
            budgets.reserve(&identity, &of_rule.rule, &of_rule.budgets, most)
        });
        let reserved = reserving.await.map_err(|_| {
            let reason = "budgets cannot be read".to_owned();
            Stop::refused(ReasonCode::Unavailable, reason)
        })?;
        reserved.map(|it| Kept(Some(it))).map_err(|why| {
            let (reason, retry_after) = spend::in_words(&why, most);
            Stop {
                code: ReasonCode::BudgetExhausted,
                reason: format!("rule {}: {reason}", terms.rule),
                why: retry_after.map(|_| Why::Rate),
                retry_after,
            }
        })
    }
}
