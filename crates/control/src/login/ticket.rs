//! One attempt of a person's at an authorization server: what the browser takes there, and what it
//! must bring back (RFC 6749, section 4.1; RFC 7636; RFC 9207).

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::percent_decode_str;
use ringfence_model::Secret;
use zeroize::Zeroizing;

use super::error::{LoginError, refused, shown};
use super::limits::ANSWER_OCTETS;
use super::metadata::OFFLINE;
use crate::endpoint::Endpoint;
use crate::mint::form;

/// An attempt. It is good for one answer.
#[derive(Debug)]
pub struct Ticket {
    pub(super) redirect: String,
    pub(super) verifier: Secret,
    state: Secret,
    issuer: String,
    is_issuer_told: bool,
    again: String,
    url: String,
}

/// What a ticket is for.
pub(super) struct Journey<'a> {
    pub(super) authorization: &'a Endpoint,
    pub(super) issuer: &'a str,
    pub(super) is_issuer_told: bool,
    pub(super) client: &'a str,
    pub(super) redirect: &'a str,
    pub(super) resource: &'a str,
    pub(super) scope: Option<&'a str>,
    pub(super) again: String,
}

/// What a browser brought back.
#[derive(Debug)]
pub(super) enum Brought {
    /// Somebody else's: it says nothing about this attempt.
    Foreign,
    /// The end of this attempt.
    Ended(Result<Secret, LoginError>),
}

impl Ticket {
    pub(super) fn new(journey: Journey<'_>) -> Result<Self, LoginError> {
        let (verifier, state) = (random()?, random()?);
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.expose()));
        let mut fields: Vec<(&str, &[u8])> = vec![
            ("response_type", b"code"),
            ("client_id", journey.client.as_bytes()),
            ("redirect_uri", journey.redirect.as_bytes()),
            ("state", state.expose()),
            ("code_challenge", challenge.as_bytes()),
            ("code_challenge_method", b"S256"),
            ("resource", journey.resource.as_bytes()),
        ];
        if let Some(scope) = journey.scope {
            fields.push(("scope", scope.as_bytes()));
            if scope.split(' ').any(|it| it == OFFLINE) {
                // OpenID Connect Core, section 11: without it that scope is ignored.
                fields.push(("prompt", b"consent"));
            }
        }
        let own = journey.authorization.query().unwrap_or_default();
        let is_own = |pair: &str| {
            let name = pair.split('=').next().unwrap_or_default();
            fields
                .iter()
                .any(|(known, _)| decoded(name).as_deref() == Some(*known))
        };
        if own.split('&').any(is_own) {
            return Err(refused(
                "where the browser is led has a parameter that a login sets by itself; ask whoever runs the server",
            ));
        }
        let separator = if own.is_empty() { '?' } else { '&' };
        let query = form(&fields);
        let query = String::from_utf8_lossy(query.expose()).into_owned();
        let whole = journey.authorization.to_string();
        let url = format!("{}{separator}{query}", whole.trim_end_matches('?'));
        Ok(Self {
            redirect: journey.redirect.to_owned(),
            issuer: journey.issuer.to_owned(),
            is_issuer_told: journey.is_issuer_told,
            again: journey.again,
            verifier,
            state,
            url,
        })
    }

    /// Where a person's browser has to go.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The code of an address that a person copied out of a browser.
    ///
    /// # Errors
    /// Where it is not the answer to this attempt.
    pub fn pasted(&self, text: &str) -> Result<Secret, LoginError> {
        let wrong = || {
            LoginError::Given(format!(
                "this is not where the browser was led to at the end: it starts with {}?; start again: {}",
                self.redirect, self.again
            ))
        };
        let (base, query) = text.trim().split_once('?').ok_or_else(wrong)?;
        if base != self.redirect {
            return Err(wrong());
        }
        match self.brought(query.split('#').next().unwrap_or_default()) {
            Brought::Ended(ended) => ended,
            Brought::Foreign => Err(refused(format!(
                "this is the answer to another login (its state is not the one of this); start again: {}",
                self.again
            ))),
        }
    }

    /// Reads the query that a browser brought back.
    pub(super) fn brought(&self, query: &str) -> Brought {
        let Some(answer) = Answer::read(query) else {
            return Brought::Foreign;
        };
        let state = answer.state.as_ref();
        let is_ours = state.is_some_and(|state| {
            verify_slices_are_equal(state.expose(), self.state.expose()).is_ok()
        });
        if !is_ours {
            return Brought::Foreign;
        }
        Brought::Ended(self.code(answer))
    }

    fn code(&self, answer: Answer) -> Result<Secret, LoginError> {
        let again = &self.again;
        match &answer.issuer {
            Some(issuer) if *issuer != self.issuer => {
                return Err(refused(format!(
                    "the answer is from another authorization server (`{}`, not `{}`), so its code is not used; start again: {again}",
                    shown(issuer),
                    shown(&self.issuer)
                )));
            }
            None if self.is_issuer_told => {
                return Err(refused(format!(
                    "the answer does not say which authorization server it is from, as this one always does, so its code is not used; start again: {again}"
                )));
            }
            _ => {}
        }
        if let Some(error) = answer.error {
            let words = answer.description.unwrap_or_default();
            let words = format!("{}: {}", shown(&error), shown(&words));
            return Err(refused(format!(
                "the authorization server said no: {}; start again: {again}",
                words.trim_end_matches(": ")
            )));
        }
        answer
            .code
            .filter(|code| !code.expose().is_empty())
            .ok_or_else(|| {
                refused(format!(
                    "the answer has neither code nor error; start again: {again}"
                ))
            })
    }
}

/// The parameters of an answer, each of them once.
#[derive(Default)]
struct Answer {
    state: Option<Secret>,
    code: Option<Secret>,
    issuer: Option<String>,
    error: Option<String>,
    description: Option<String>,
}

impl Answer {
    fn read(query: &str) -> Option<Self> {
        if query.len() > ANSWER_OCTETS {
            return None;
        }
        let mut answer = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = decoded(value)?;
            let is_twice = match decoded(name)?.as_str() {
                "state" => answer.state.replace(Secret::new(value)).is_some(),
                "code" => answer.code.replace(Secret::new(value)).is_some(),
                "iss" => answer.issuer.replace(value).is_some(),
                "error" => answer.error.replace(value).is_some(),
                "error_description" => answer.description.replace(value).is_some(),
                _ => false,
            };
            if is_twice {
                return None;
            }
        }
        Some(answer)
    }
}

fn decoded(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().ok()?;
    Some(decoded.into_owned())
}

/// 256 random bits, in characters that go everywhere.
fn random() -> Result<Secret, LoginError> {
    let mut octets = Zeroizing::new([0; 32]);
    rand::fill(octets.as_mut_slice()).map_err(|_| LoginError::Random)?;
    let text = Zeroizing::new(URL_SAFE_NO_PAD.encode(octets.as_slice()));
    Ok(Secret::new(text.as_bytes()))
}

#[cfg(test)]
mod tests;
