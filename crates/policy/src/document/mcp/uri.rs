//! Patterns of the URIs of resources.

mod readings;

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::readings::readings;
use super::super::{Glob, GlobError};
use crate::limits::PATTERN_OCTETS;

/// A URI in which `*` stands for any text without `/`, `**` between slashes for any segments, and
/// `{a,b}` for `a` or `b`; or `**` for every URI.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct UriPattern {
    text: String,
    /// None: every URI.
    parts: Option<Parts>,
}

#[derive(Debug, Clone)]
struct Parts {
    /// All before what patterns can be in: `file:///`.
    start: String,
    globs: Vec<Glob>,
    folded: Vec<Glob>,
}

/// Why a text is no such pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UriPatternError {
    /// Not a URI.
    #[error("a resource is known by its URI, as in `file:///docs/**`")]
    Shape,
    /// Not a pattern.
    #[error("{0}")]
    Glob(#[from] GlobError),
}

const EVERY: &str = "**";

impl UriPattern {
    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a URI matches as a whole.
    #[must_use]
    pub fn matches(&self, uri: &str) -> bool {
        let Some(parts) = &self.parts else {
            return true;
        };
        let rest = uri.strip_prefix(&parts.start);
        rest.is_some_and(|rest| parts.globs.iter().any(|glob| glob.matches(rest.as_bytes())))
    }

    /// Whether it matches what some reader may take a URI for, in whatever case.
    #[must_use]
    pub fn matches_folded(&self, uri: &str) -> bool {
        self.parts.is_none() || readings(uri).iter().any(|uri| self.matches_any_case(uri))
    }

    fn matches_any_case(&self, uri: &str) -> bool {
        let Some(parts) = &self.parts else {
            return true;
        };
        let Some((start, rest)) = uri.split_at_checked(parts.start.len()) else {
            return false;
        };
        let matches = |glob: &Glob| glob.matches(rest.as_bytes());
        start.eq_ignore_ascii_case(&parts.start) && parts.folded.iter().any(matches)
    }

    /// Whether it matches a template itself, or could match what becomes of it: the template begins
    /// with all of the pattern that stands for itself.
    #[must_use]
    pub fn touches(&self, template: &str) -> bool {
        let literal = template.split('{').next().unwrap_or_default();
        let own = self.text.split(['*', '{']).next().unwrap_or_default();
        self.matches(template) || (self.parts.is_some() && literal.starts_with(own))
    }
}

impl UriPattern {
    /// Whether something of a template could match, in whatever case: one of the two begins with all
    /// of the other that stands for itself.
    pub(crate) fn overlaps_folded(&self, template: &str) -> bool {
        let literal = template.split('{').next().unwrap_or_default();
        let own = self.text.split(['*', '{']).next().unwrap_or_default();
        let (literal, own) = (literal.to_ascii_lowercase(), own.to_ascii_lowercase());
        self.matches_folded(template) || literal.starts_with(&own) || own.starts_with(&literal)
    }
}

impl FromStr for UriPattern {
    type Err = UriPatternError;

    fn from_str(text: &str) -> Result<Self, UriPatternError> {
        if text == EVERY {
            return Ok(Self {
                text: text.to_owned(),
                parts: None,
            });
        }
        let is_odd = |c: char| c.is_control() || c == ' ' || c == '\\';
        let (scheme, rest) = text.split_once(':').ok_or(UriPatternError::Shape)?;
        let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+-.".contains(&b);
        let is_scheme =
            scheme.starts_with(|c: char| c.is_ascii_lowercase()) && scheme.bytes().all(is_plain);
        if !is_scheme || text.len() > PATTERN_OCTETS || text.contains(is_odd) {
            return Err(UriPatternError::Shape);
        }
        let pattern = rest.trim_start_matches('/');
        let start = text.strip_suffix(pattern).unwrap_or_default().to_owned();
        let globs = Glob::all(pattern)?;
        Ok(Self {
            text: text.to_owned(),
            parts: Some(Parts {
                start,
                folded: globs.iter().cloned().map(Glob::folded).collect(),
                globs,
            }),
        })
    }
}

impl PartialEq for UriPattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for UriPattern {}

impl fmt::Display for UriPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for UriPattern {
    type Error = UriPatternError;

    fn try_from(text: String) -> Result<Self, UriPatternError> {
        text.parse()
    }
}

impl From<UriPattern> for String {
    fn from(pattern: UriPattern) -> Self {
        pattern.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_ends_at_a_slash_and_two_do_not() {
        let pattern: UriPattern = "file:///docs/**".parse().unwrap();
        assert!(pattern.matches("file:///docs/a/b.md"));
        assert!(!pattern.matches("file:///docs2/a"));
        let pattern: UriPattern = "test://*".parse().unwrap();
        assert!(pattern.matches("test://static-text"));
        assert!(!pattern.matches("test://template/1/data"));
    }

    #[test]
    fn a_template_is_touched_where_something_of_it_could_match() {
        let pattern: UriPattern = "test://template/**".parse().unwrap();
        assert!(pattern.touches("test://template/{id}/data"));
        assert!(!pattern.touches("test://other/{id}"));
        assert!(!pattern.touches("test://temp{x}"));
    }

    #[test]
    fn every_uri_has_a_pattern_of_its_own() {
        let pattern: UriPattern = "**".parse().unwrap();
        assert!(pattern.matches("a:b") && pattern.touches("x://{a}"));
    }

    #[test]
    fn case_does_not_matter_where_something_is_forbidden() {
        let pattern: UriPattern = "file:///secret/*".parse().unwrap();
        assert!(pattern.matches_folded("FILE:///Secret/X"));
        assert!(!pattern.matches("FILE:///Secret/X"));
    }

    #[test]
    fn what_is_forbidden_is_so_in_every_spelling() {
        let file: UriPattern = "file:///secret/**".parse().unwrap();
        for uri in [
            "file:///%73ecret/a",
            "file:///SEC%52ET/a",
            "file:/secret/a",
            "file://localhost/secret/a",
            "FILE://LocalHost/secret/a",
            "file:////secret/a",
            "file:///secret//a",
            "file:///secret/a%20b",
        ] {
            assert!(file.matches_folded(uri), "{uri}");
        }
        for uri in [
            "file:///docs/a",
            "file://localhost/docs/a",
            "file:///secret2/a",
        ] {
            assert!(!file.matches_folded(uri), "{uri}");
        }
        let one: UriPattern = "https://a.test/keys/one".parse().unwrap();
        for uri in [
            "https://a.test:443/keys/one",
            "https://me@a.test/keys/one",
            "https://a.test./keys/one",
            "https://a.test/keys/one?x=1",
            "https://a.test/keys/one#x",
            "https://a.test/keys/%6Fne?x#y",
        ] {
            assert!(one.matches_folded(uri), "{uri}");
        }
        for uri in [
            "https://a.test:8443/keys/one",
            "https://b.test/keys/one",
            "https://a.test/keys/two?keys/one",
        ] {
            assert!(!one.matches_folded(uri), "{uri}");
        }
    }

    #[test]
    fn a_wider_template_overlaps_what_is_forbidden() {
        let pattern: UriPattern = "file:///secret/**".parse().unwrap();
        for (template, is) in [
            ("file:///{path}", true),
            ("FILE:///Secret/{name}", true),
            ("file:///secret/keys/{name}", true),
            ("file:///docs/{name}", false),
        ] {
            assert_eq!(pattern.overlaps_folded(template), is, "{template}");
        }
    }

    #[test]
    fn what_is_no_uri_is_refused() {
        for text in [
            "",
            "docs/**",
            "*",
            "a b:c",
            "file:///a\\b",
            ":x",
            "file:///",
            "*://x",
            "F:x",
        ] {
            assert!(text.parse::<UriPattern>().is_err(), "{text}");
        }
    }
}
