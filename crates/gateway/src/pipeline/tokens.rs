//! The tokens that one sandbox may present. Only their digests are here: who reads the memory of
//! the gateway's process learns no token that an agent holds.

use std::ops::Range;
use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use ringfence_model::{CredentialName, TokenId};
use tokio::sync::watch;

/// How every token starts, so that one can be told from any other text.
pub const TOKEN_PREFIX: &str = "rf_";

/// Octets of a token, its prefix included: the prefix and 43 characters of base64url without
/// padding, which are 32 random octets.
pub const TOKEN_OCTETS: usize = TOKEN_PREFIX.len() + 43;

/// One token as the gateway knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenEntry {
    /// Its id in the record.
    pub id: TokenId,
    /// SHA-256 of the whole token.
    pub digest: [u8; 32],
    /// The credentials that it stands for.
    pub scope: Vec<CredentialName>,
    /// When it ends.
    pub expires: Option<Timestamp>,
}

/// Why a token does not count here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenFault {
    /// It is no token of this sandbox: another sandbox's, a revoked one or an invented one.
    #[error("it is not a token of this sandbox, or it was revoked")]
    Unknown,
    /// It was one.
    #[error("it has expired")]
    Expired,
}

/// The tokens of one sandbox, which the control side replaces as they are issued and revoked.
#[derive(Debug)]
pub struct Tokens {
    entries: watch::Sender<Arc<[TokenEntry]>>,
}

impl Default for Tokens {
    fn default() -> Self {
        Self {
            entries: watch::Sender::new(Arc::from([])),
        }
    }
}

impl Tokens {
    /// The tokens that are valid from now on. What is under way by a token that is not among them
    /// is cut.
    pub fn replace(&self, entries: Vec<TokenEntry>) {
        self.entries.send_replace(entries.into());
    }

    /// What is known.
    #[must_use]
    pub fn entries(&self) -> Vec<TokenEntry> {
        self.entries.borrow().to_vec()
    }

    /// The entry of a token. Compares whole digests, each in constant time, and always with all
    /// of them.
    ///
    /// # Errors
    /// See [`TokenFault`].
    pub fn check(&self, presented: &[u8], now: Timestamp) -> Result<TokenEntry, TokenFault> {
        let presented = digest(&SHA256, presented);
        let entries = Arc::clone(&self.entries.borrow());
        let mut found = None;
        for entry in entries.iter() {
            if verify_slices_are_equal(&entry.digest, presented.as_ref()).is_ok() {
                found = Some(entry);
            }
        }
        let entry = found.ok_or(TokenFault::Unknown)?;
        if entry.has_expired(now) {
            return Err(TokenFault::Expired);
        }
        Ok(entry.clone())
    }

    /// Grows with every change.
    pub(crate) fn changes(&self) -> watch::Receiver<Arc<[TokenEntry]>> {
        self.entries.subscribe()
    }

    /// Whether a token that was accepted earlier still counts.
    pub(crate) fn is_valid(&self, id: TokenId, now: Timestamp) -> bool {
        let entries = self.entries.borrow();
        let entry = entries.iter().find(|entry| entry.id == id);
        entry.is_some_and(|entry| !entry.has_expired(now))
    }
}

impl TokenEntry {
    fn has_expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

/// The places in `text` of what has the form of a token and is no part of a longer word.
pub(crate) fn tokens_in(text: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = find_prefix(text, from) {
        let end = at + TOKEN_OCTETS;
        let body = text.get(at + TOKEN_PREFIX.len()..end);
        let whole = body.is_some_and(|body| body.iter().copied().all(is_symbol));
        let before = at.checked_sub(1).and_then(|at| text.get(at)).copied();
        let after = text.get(end).copied();
        if whole && !before.is_some_and(is_symbol) && !after.is_some_and(is_symbol) {
            found.push(at..end);
            from = end;
        } else {
            from = at + 1;
        }
    }
    found
}

/// The places in a query as it is written at which one of its parameters holds a token once it is
/// decoded (`application/x-www-form-urlencoded`).
fn tokens_in_query(query: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut begin = 0;
    for parameter in query.split('&') {
        let (text, places) = decoded(parameter.as_bytes());
        let place = |at: usize| places.get(at).map_or(parameter.len(), |place| *place);
        for token in tokens_in(&text) {
            found.push(begin + place(token.start)..begin + place(token.end));
        }
        begin += parameter.len() + 1;
    }
    found
}

/// A query as policy decides on it and as it is recorded: of each token in it, only the prefix is
/// left. What only looks like a part of a token stays.
#[must_use]
pub fn without_tokens(query: &str) -> String {
    let mut kept = String::with_capacity(query.len());
    let mut from = 0;
    for token in tokens_in_query(query) {
        kept.push_str(query.get(from..token.start).unwrap_or_default());
        kept.push_str(TOKEN_PREFIX);
        from = token.end;
    }
    kept + query.get(from..).unwrap_or_default()
}

/// A parameter decoded, and where each octet of it stands in what was decoded.
fn decoded(parameter: &[u8]) -> (Vec<u8>, Vec<usize>) {
    let mut text = Vec::with_capacity(parameter.len());
    let mut places = Vec::with_capacity(parameter.len());
    let mut at = 0;
    while let Some(octet) = parameter.get(at) {
        let escaped = (*octet == b'%').then(|| parameter.get(at + 1..at + 3));
        let value = escaped.flatten().and_then(hexadecimal);
        places.push(at);
        at += if value.is_some() { 3 } else { 1 };
        text.push(match octet {
            b'+' => b' ',
            plain => value.unwrap_or(*plain),
        });
    }
    (text, places)
}

fn hexadecimal(digits: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*digits.get(at)?).to_digit(16);
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

fn find_prefix(text: &[u8], from: usize) -> Option<usize> {
    let prefix = TOKEN_PREFIX.as_bytes();
    let rest = text.get(from..)?;
    let at = rest
        .windows(prefix.len())
        .position(|window| window == prefix)?;
    Some(from + at)
}

/// The alphabet of base64url (RFC 4648, section 5).
const fn is_symbol(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(fill: char) -> String {
        format!("{TOKEN_PREFIX}{}", fill.to_string().repeat(43))
    }

    fn entry(token: &str, expires: Option<Timestamp>) -> TokenEntry {
        TokenEntry {
            id: TokenId::new(),
            digest: digest(&SHA256, token.as_bytes())
                .as_ref()
                .try_into()
                .unwrap(),
            scope: vec!["github".parse().unwrap()],
            expires,
        }
    }

    #[test]
    fn only_the_whole_token_of_this_sandbox_counts() {
        let tokens = Tokens::default();
        let now = Timestamp::now();
        let mine = entry(&token('a'), None);
        tokens.replace(vec![entry(&token('b'), None), mine.clone()]);
        assert_eq!(tokens.check(token('a').as_bytes(), now), Ok(mine));
        let unknown = Err(TokenFault::Unknown);
        assert_eq!(tokens.check(token('c').as_bytes(), now), unknown);
        let cut = token('a');
        assert_eq!(
            tokens.check(&cut.as_bytes()[..TOKEN_OCTETS - 1], now),
            unknown
        );
        assert_eq!(tokens.check(b"", now), unknown);
    }

    #[test]
    fn a_token_ends_at_its_expiry_and_with_its_revocation() {
        let tokens = Tokens::default();
        let now = Timestamp::now();
        let entry = entry(&token('a'), Some(now));
        let before = now - jiff::SignedDuration::from_secs(1);
        tokens.replace(vec![entry.clone()]);
        assert!(tokens.check(token('a').as_bytes(), before).is_ok());
        assert!(tokens.is_valid(entry.id, before));
        let expired = tokens.check(token('a').as_bytes(), now);
        assert_eq!(expired, Err(TokenFault::Expired));
        assert!(!tokens.is_valid(entry.id, now));
        tokens.replace(Vec::new());
        assert!(!tokens.is_valid(entry.id, before));
    }

    #[test]
    fn tokens_are_found_wherever_they_stand_but_not_inside_words() {
        let (one, two) = (token('a'), token('-'));
        let cases: [(String, &[usize]); 10] = [
            (one.clone(), &[0]),
            (format!("Bearer {one}"), &[7]),
            (format!("{one},{two}"), &[0, 47]),
            (format!("x{one}"), &[]),
            (format!("{one}x"), &[]),
            (format!("pe{one}"), &[]),
            (one[..45].to_owned(), &[]),
            (format!("rf_rf_{}", &one[3..40]), &[]),
            (format!("rf_ {one}"), &[4]),
            (String::new(), &[]),
        ];
        for (text, expected) in cases {
            let found = tokens_in(text.as_bytes());
            let expected: Vec<_> = expected.iter().map(|at| *at..at + TOKEN_OCTETS).collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn a_query_is_shortened_by_its_whole_tokens_and_by_nothing_else() {
        let one = token('a');
        let percent = one.replace('_', "%5f").replacen('r', "%72", 1);
        for (query, expected) in [
            (one.clone(), "rf_".to_owned()),
            (format!("a=1&t={one}&b=2"), "a=1&t=rf_&b=2".to_owned()),
            (format!("t={one}+{one}"), "t=rf_+rf_".to_owned()),
            (format!("t={percent}&{one}=x"), "t=rf_&rf_=x".to_owned()),
            (format!("t=%20{one}%0a"), "t=%20rf_%0a".to_owned()),
            (format!("t={one}z"), format!("t={one}z")),
            (format!("t={one}%7a"), format!("t={one}%7a")),
            (format!("t=%7a{one}"), format!("t=%7a{one}")),
            (format!("t={one}%"), "t=rf_%".to_owned()),
            (
                "a=rf_short&%zz=%4&&".to_owned(),
                "a=rf_short&%zz=%4&&".to_owned(),
            ),
        ] {
            assert_eq!(without_tokens(&query), expected, "{query}");
        }
    }
}
