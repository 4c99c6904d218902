//! Whether the tokens of a request are good for it. A token that is not is refused and reported:
//! it may be another sandbox's.

use jiff::Timestamp;
use ringfence_model::{ReasonCode, Secret};
use ringfence_policy::RequestTerms;

use super::draft::Draft;
use super::exchange::Exchange;
use super::fault::Fault;
use super::places::Places;
use crate::limits::TOKENS_IN_REQUEST;
use crate::pipeline::{TokenEntry, without_tokens};

/// The stable code of the finding that a token does not count here.
const FOREIGN_TOKEN: &str = "foreign-token";

/// The stable code of the finding that a token stands where no credential belongs.
const MISPLACED_TOKEN: &str = "misplaced-token";

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
            report(exchange, FOREIGN_TOKEN, reason)
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

/// Checks that no token stands where none belongs: what was decided on is what is sent.
pub(super) fn check_places(
    exchange: &Exchange<'_>,
    draft: &Draft,
    places: Places<'_>,
) -> Result<(), Fault> {
    match places.misplaced(draft) {
        None => Ok(()),
        Some(place) => Err(misplaced(exchange, &place)),
    }
}

/// The refusal of a token that stands in `place`, and the finding.
pub(super) fn misplaced(exchange: &Exchange<'_>, place: &str) -> Fault {
    let reason = format!("a token stands where no credential belongs: in {place}");
    let next_step = "send the token only where the client puts its credential";
    report(exchange, MISPLACED_TOKEN, reason).but(next_step)
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
            Err(report(exchange, FOREIGN_TOKEN, reason))
        }
    }
}

/// The refusal, and the finding.
fn report(exchange: &Exchange<'_>, code: &'static str, reason: String) -> Fault {
    let permit = exchange.permit;
    let detail = format!("{} (event {}): {reason}", permit.action(), permit.event());
    let detail = without_tokens(&detail);
    exchange.gateway.find(exchange.session, code, detail);
    Fault::refused(ReasonCode::TokenInvalid, reason)
}
