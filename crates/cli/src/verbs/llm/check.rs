//! `ringfence llm check`: the decision of the gateway, without a gateway.

use jiff::Timestamp;
use ringfence_model::Generation;

use crate::args::llm::CheckArguments;
use crate::failure::{Failure, REFUSED};
use crate::output;
use crate::profiles::Sources;

/// Explains the decision. Returns the exit code.
pub(super) fn check(asked: CheckArguments) -> Result<i32, Failure> {
    let policy = Sources::new(&asked.profiles, &[], &asked.agent)?.load(Generation(1))?;
    let action = super::action(&policy, &asked.provider, asked.wish)?;
    let explanation = policy.explain(&action, Timestamp::now());
    if asked.json {
        output::json(&explanation);
    } else {
        output::line(explanation.to_string().trim_end());
    }
    let is_allowed = explanation.decision.is_allow();
    Ok(if is_allowed { 0 } else { REFUSED })
}
