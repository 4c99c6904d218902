//! Asking an issuer: one POST, or two where the issuer's clock is not ours.

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use ringfence_gateway::{Outbound, OutboundError, OwnRequest, SigV4, sign_own};
use ringfence_model::Secret;
use zeroize::Zeroizing;

use super::MintError;
use super::limits::{SKEW_FOLLOWED, SKEW_NOTICED};
use super::words::Hidden;
use crate::credential::Secrets;
use crate::endpoint::Endpoint;

/// How an issuer is reached, and what time it is.
pub(super) struct Issuer<'a> {
    outbound: &'a Outbound,
    clock: fn() -> Timestamp,
    secrets: &'a Secrets,
}

/// What an issuer is asked.
pub(super) struct Asked {
    pub(super) endpoint: Endpoint,
    /// Header fields beyond those of every request.
    pub(super) headers: Vec<(String, Secret)>,
    pub(super) content_type: &'static str,
    pub(super) body: Secret,
    /// Keys that the request is signed with, and when.
    pub(super) signed: Option<(SigV4, Timestamp)>,
    /// What the issuer must not be heard to repeat, beyond the credential's own secrets.
    pub(super) hidden: Vec<Secret>,
}

/// What it answered.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content_type: Option<String>,
    pub(super) body: Secret,
    /// When that was by our clock.
    pub(super) time: Timestamp,
    /// When that was by the issuer's clock.
    pub(super) date: Option<Timestamp>,
    pub(super) hidden: Hidden,
}

impl<'a> Issuer<'a> {
    pub(super) fn new(
        outbound: &'a Outbound,
        clock: fn() -> Timestamp,
        secrets: &'a Secrets,
    ) -> Self {
        Self {
            outbound,
            clock,
            secrets,
        }
    }

    /// When it is.
    pub(super) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// The same, reached through something else.
    pub(super) const fn through<'b>(&self, outbound: &'b Outbound) -> Issuer<'b>
    where
        'a: 'b,
    {
        Issuer {
            outbound,
            clock: self.clock,
            secrets: self.secrets,
        }
    }

    pub(super) const fn outbound(&self) -> &'a Outbound {
        self.outbound
    }

    /// Asks once.
    pub(super) async fn post(&self, asked: Asked) -> Result<Answer, MintError> {
        // Most of a key file is no secret; what is comes with what is asked.
        let own = self.secrets.iter().filter(|(name, _)| *name != "key");
        let own = own.map(|(_, secret)| secret.clone());
        let hidden = Hidden::default()
            .with(own.collect())
            .with(asked.hidden.clone());
        let sent = self.outbound.send(request(asked)?).await;
        let response = sent.map_err(|error| match error {
            OutboundError::Request(why) => MintError::Settings(why.to_owned()),
            OutboundError::TooLarge => MintError::Malformed(error.to_string()),
            error => MintError::Unreachable(error.to_string()),
        })?;
        let header = |name: &str| {
            let found = response.headers.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.clone())
        };
        Ok(Answer {
            status: response.status,
            content_type: header("content-type"),
            date: header("date").as_deref().and_then(read_date),
            time: (self.clock)(),
            body: response.body,
            hidden,
        })
    }

    /// Asks with an assertion that `make` signs for a time. Where the issuer refuses it and has
    /// another time than we have, it is asked once more by its own. TLS has proved whose time it
    /// is, and the assertion is good for that issuer only.
    pub(super) async fn post_signed<F>(&self, make: F) -> Result<Answer, MintError>
    where
        F: Fn(Timestamp) -> Result<Asked, MintError>,
    {
        let answer = self.post(make((self.clock)())?).await?;
        match answer.other_time() {
            Some(theirs) if matches!(answer.status, 400 | 401) => self.post(make(theirs)?).await,
            _ => Ok(answer),
        }
    }
}

impl Answer {
    /// When a moment of the issuer's clock is by ours.
    pub(super) fn by_our_clock(&self, theirs: Timestamp) -> Option<Timestamp> {
        match self.date {
            Some(date) => self.time.checked_add(theirs.duration_since(date)).ok(),
            None => Some(theirs),
        }
    }

    /// The issuer's time, where it is plainly another one than ours.
    fn other_time(&self) -> Option<Timestamp> {
        let date = self.date?;
        let skew = date.duration_since(self.time).as_secs().abs();
        (skew > SKEW_NOTICED && skew <= SKEW_FOLLOWED).then_some(date)
    }
}

/// The date of RFC 9110, section 5.6.7, in the one form that is still written.
fn read_date(text: &str) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

fn request(asked: Asked) -> Result<OwnRequest, MintError> {
    let mut headers = vec![
        ("accept".to_owned(), Secret::new("application/json")),
        ("content-type".to_owned(), Secret::new(asked.content_type)),
    ];
    for (name, value) in asked.headers {
        headers.retain(|(known, _)| *known != name);
        headers.push((name, value));
    }
    let mut request = OwnRequest {
        method: "POST".to_owned(),
        url: asked.endpoint.url(),
        headers,
        body: asked.body,
    };
    match asked.signed {
        Some((keys, time)) if !sign_own(&mut request, &keys, time.into()) => {
            Err(MintError::Settings("it cannot sign a request".to_owned()))
        }
        _ => Ok(request),
    }
}

/// The type of [`form`].
pub(super) const FORM: &str = "application/x-www-form-urlencoded";

/// What stays as it is in a form.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');

/// One value of a form, encoded.
pub(super) fn encoded(value: &[u8]) -> Secret {
    Secret::new(concat(percent_encode(value, KEPT), value.len()).as_slice())
}

/// Names and values as `application/x-www-form-urlencoded`.
pub(crate) fn form(fields: &[(&str, &[u8])]) -> Secret {
    let length = fields
        .iter()
        .map(|(name, value)| 2 + name.len() + value.len())
        .sum();
    let mut body = concat(std::iter::empty(), length);
    for (name, value) in fields {
        if !body.is_empty() {
            body.push(b'&');
        }
        append(&mut body, percent_encode(name.as_bytes(), KEPT));
        body.push(b'=');
        append(&mut body, percent_encode(value, KEPT));
    }
    Secret::new(body.as_slice())
}

/// With room for the longest encoding, so that no copy is left behind by growing.
fn concat<'a>(parts: impl Iterator<Item = &'a str>, length: usize) -> Zeroizing<Vec<u8>> {
    let mut octets = Zeroizing::new(Vec::with_capacity(3 * length));
    append(&mut octets, parts);
    octets
}

fn append<'a>(octets: &mut Vec<u8>, parts: impl Iterator<Item = &'a str>) {
    for part in parts {
        octets.extend_from_slice(part.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_holds_what_it_was_given_and_nothing_more() {
        let fields: [(&str, &[u8]); 3] = [
            ("grant_type", b"urn:x"),
            ("client_secret", b"a&b=c%\r\n+ \xff"),
            ("scope", "ü".as_bytes()),
        ];
        let expected = "grant_type=urn%3Ax&client_secret=a%26b%3Dc%25%0D%0A%2B%20%FF&scope=%C3%BC";
        assert_eq!(form(&fields), Secret::new(expected));
        assert_eq!(encoded(b"a:b"), Secret::new("a%3Ab"));
    }

    #[test]
    fn the_date_of_a_header_is_read() {
        let expected: Timestamp = "1994-11-06T08:49:37Z".parse().unwrap();
        assert_eq!(read_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(expected));
        for text in [
            "",
            "yesterday",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "784111777",
        ] {
            assert_eq!(read_date(text), None, "{text}");
        }
    }

    fn answer(time: &str, date: Option<&str>) -> Answer {
        Answer {
            status: 401,
            content_type: None,
            body: Secret::new(""),
            time: time.parse().unwrap(),
            date: date.map(|date| date.parse().unwrap()),
            hidden: Hidden::default(),
        }
    }

    #[test]
    fn another_clock_is_followed_within_reason() {
        let ours = "2026-11-22T12:00:00Z";
        for (theirs, is_followed) in [
            ("2026-11-22T12:05:00Z", true),
            ("2026-11-22T11:55:00Z", true),
            ("2026-11-22T12:00:20Z", false),
            ("2026-11-22T11:59:40Z", false),
            ("2026-11-22T12:16:00Z", false),
            ("2036-11-22T12:00:00Z", false),
        ] {
            let other = answer(ours, Some(theirs)).other_time();
            assert_eq!(other.is_some(), is_followed, "{theirs}");
        }
        assert_eq!(answer(ours, None).other_time(), None);
    }

    #[test]
    fn a_moment_of_their_clock_is_moved_to_ours() {
        let answer = answer("2026-11-22T12:00:00Z", Some("2026-11-22T12:05:00Z"));
        let theirs = "2026-11-22T13:05:00Z".parse().unwrap();
        let ours = "2026-11-22T13:00:00Z".parse().unwrap();
        assert_eq!(answer.by_our_clock(theirs), Some(ours));
    }
}
