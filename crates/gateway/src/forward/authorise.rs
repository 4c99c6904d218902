//! Whether the tokens of a request are good for it. A token that is not is refused and reported:
//! it may be another sandbox's.

use jiff::Timestamp;
use ringfence_model::{ReasonCode, Secret};
use ringfence_policy::RequestTerms;

use super::exchange::Exchange;
use super::fault::Fault;
use crate::limits::TOKENS_IN_REQUEST;
use crate::pipeline::TokenEntry;

/// The stable code of these findings.
const FOREIGN_TOKEN: &str = "foreign-token";

/// Checks that each token is one of this sandbox's.
pub(super) fn admit(
    exchange: &Exchange<'_>,
    presented: &[Secret],
    now: Timestamp,
) -> Result<Vec<TokenEntry>, Fault> {
    if presented.len() > TOKENS_IN_REQUEST {
        let reason = format!("the request holds more than {TOKENS_IN_REQUEST} tokens");
        return Err(Fault::refused(ReasonCode::LimitReached, reason));
    }
    let tokens = exchange.session.tokens();
    let check = |token: &Secret| {
        tokens.check(token.expose(), now).map_err(|fault| {
            let reason = format!("the token of the request does not count: {fault}");
            report(exchange, reason)
        })
    };
    let mut admitted: Vec<TokenEntry> = Vec::new();
    for token in presented {
        let entry = check(token)?;
        if !admitted.contains(&entry) {
            admitted.push(entry);
        }
    }
    Ok(admitted)
}

/// Checks that the tokens are what these terms want.
pub(super) fn check_terms(
    exchange: &Exchange<'_>,
    terms: &RequestTerms,
    tokens: &[TokenEntry],
) -> Result<(), Fault> {
    if terms.token_required && tokens.is_empty() {
        let reason = "the request carries no token of Ringfence's, which the rule wants";
        let refused = Fault::refused(ReasonCode::TokenMissing, reason);
        return Err(refused.but(
            "send the token that stands in the environment, where the client puts its credential",
        ));
    }
    let Some(name) = &terms.credential else {
        return Ok(());
    };
    match tokens.iter().find(|token| !token.scope.contains(name)) {
        None => Ok(()),
        Some(token) => {
            let reason = format!("the token {} is not for the credential `{name}`", token.id);
            Err(report(exchange, reason))
        }
    }
}

/// The refusal, and the finding.
fn report(exchange: &Exchange<'_>, reason: String) -> Fault {
    let permit = exchange.permit;
    let detail = format!("{} (event {}): {reason}", permit.action(), permit.event());
    exchange
        .gateway
        .find(exchange.session, FOREIGN_TOKEN, detail);
    Fault::refused(ReasonCode::TokenInvalid, reason)
}
