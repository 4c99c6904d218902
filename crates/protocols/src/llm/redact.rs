//! What must not reach a provider in the texts of a request: credentials and tokens of this
//! gateway never do, and what looks like a secret does as the rule says.
//!
//! What is taken out has a stable name in its place, so that a model can still tell one secret from
//! another and its answers stay the same from call to call. The name is made with a key that no
//! sandbox knows, and says nothing about the secret.

use std::sync::LazyLock;

use ringfence_gateway::llm::LlmSecrets;
use ringfence_inspect::secrets::Detector;
use ringfence_inspect::{REPLACEMENT, ScrubSet};
use ringfence_llm::request::Request;
use ringfence_model::EventId;
use sha2::{Digest as _, Sha256};

use super::limits::FINDINGS;

/// The rules are compiled when the first request comes, once for the process.
static DETECTOR: LazyLock<Detector> = LazyLock::new(Detector::new);

/// The key of the names, made anew for each process.
static KEY: LazyLock<[EventId; 4]> = LazyLock::new(|| {
    // Each holds at least 62 bits of the kernel's randomness (RFC 9562, section 5.7).
    [(); 4].map(|()| EventId::new())
});

/// What was found in the texts of a request.
#[derive(Debug, Default)]
pub(super) struct Searched {
    /// Place and rule of each, never the text.
    pub(super) findings: Vec<String>,
    /// Texts that were taken out.
    pub(super) redacted: u64,
    /// Where the first is that the rule does not let through, and what it is.
    pub(super) blocked: Option<String>,
}

/// Searches every text of a request, and takes out what must not go on.
pub(super) fn search(request: &mut Request, own: &ScrubSet, secrets: LlmSecrets) -> Searched {
    let mut searched = Searched::default();
    request.texts(&mut |place, text| {
        let scrubbed = without_own(text, own);
        if scrubbed.is_some() {
            searched.note(&format!("{place}: {OWN}"));
            searched.redacted += 1;
        }
        let rest = scrubbed.as_deref().unwrap_or(text);
        let redacted = match secrets {
            LlmSecrets::Redact => searched.redact(&place, rest),
            LlmSecrets::Block | LlmSecrets::Observe => {
                searched.look(&place, rest, secrets == LlmSecrets::Block)
            }
        };
        redacted.or(scrubbed)
    });
    searched
}

/// What a finding of a credential of the gateway's own is called.
const OWN: &str = "credential";
/// The rule for tokens of ours, which are worth nothing elsewhere, and never go on.
const OWN_TOKEN: &str = "ringfence-token";

impl Searched {
    fn note(&mut self, finding: &str) {
        if self.findings.len() < FINDINGS && !self.findings.iter().any(|it| it == finding) {
            self.findings.push(finding.to_owned());
        }
    }

    fn redact(&mut self, place: &impl std::fmt::Display, text: &str) -> Option<String> {
        let mut found = Vec::new();
        let redacted = DETECTOR.redact(text, &mut |rule, value| {
            found.push(rule);
            pseudonym(rule, value)
        });
        for rule in found {
            self.redacted += 1;
            self.note(&format!("{place}: {rule}"));
        }
        redacted
    }

    /// Notes what is there. Only tokens of ours are taken out.
    fn look(&mut self, place: &impl std::fmt::Display, text: &str, blocks: bool) -> Option<String> {
        let mut has_token = false;
        for finding in DETECTOR.find(text.as_bytes()) {
            let told = format!("{place}: {}", finding.rule);
            self.note(&told);
            if finding.rule == OWN_TOKEN {
                has_token = true;
            } else if blocks {
                self.blocked.get_or_insert(told);
            }
        }
        has_token.then(|| {
            self.redacted += 1;
            let redacted = DETECTOR.redact(text, &mut |rule, value| match rule {
                OWN_TOKEN => pseudonym(rule, value),
                _ => value.to_owned(),
            });
            redacted.unwrap_or_default()
        })
    }
}

/// The text without credentials of the gateway's own, in whatever encoding.
fn without_own(text: &str, own: &ScrubSet) -> Option<String> {
    let scrubbed = own.scrub(text.as_bytes())?;
    Some(String::from_utf8_lossy(&scrubbed).into_owned())
}

/// The text as it may be kept: without whatever looks like a secret, by the same names as in what
/// goes to the provider.
pub(crate) fn clean(text: &str, own: &ScrubSet) -> Option<String> {
    let scrubbed = without_own(text, own);
    let rest = scrubbed.as_deref().unwrap_or(text);
    let redacted = DETECTOR.redact(rest, &mut |rule, value| pseudonym(rule, value));
    redacted.or(scrubbed)
}

/// What was found in a text.
pub(crate) struct LookedAt {
    /// The rules, each as often as it was found.
    pub(crate) rules: Vec<&'static str>,
    /// Whether a credential or a token of the gateway's own is among it.
    pub(crate) is_own: bool,
    /// The text without those; none where there were none.
    pub(crate) without_own: Option<String>,
    /// The text without all that was found; none where nothing was.
    pub(crate) redacted: Option<String>,
}

/// Looks at a text for what looks like a secret, and for credentials of the gateway's own.
pub(crate) fn looked_at(text: &str, own: &ScrubSet) -> LookedAt {
    let without_own = without_own(text, own);
    let mut rules = Vec::new();
    if without_own.is_some() {
        rules.push(OWN);
    }
    let rest = without_own.as_deref().unwrap_or(text);
    let mut is_own = without_own.is_some();
    let redacted = DETECTOR.redact(rest, &mut |rule, value| {
        is_own |= rule == OWN_TOKEN;
        rules.push(rule);
        pseudonym(rule, value)
    });
    LookedAt {
        rules,
        is_own,
        redacted: redacted.or_else(|| without_own.clone()),
        without_own,
    }
}

/// Whether a text holds the mark of something that was taken out of another.
pub(crate) fn has_marker(text: &str) -> bool {
    let is_name = |rest: &str| {
        let name = rest
            .split_once('>')
            .and_then(|(name, _)| name.rsplit_once(' '));
        name.is_some_and(|(_, digits)| {
            digits.len() == 2 * SHORT && digits.bytes().all(|b| b.is_ascii_hexdigit())
        })
    };
    text.contains(REPLACEMENT) || text.split(MARK).skip(1).any(is_name)
}

/// What the name of a secret begins with.
const MARK: &str = "<secret ";

/// Octets of the digest at its end.
const SHORT: usize = 4;

/// A name for a secret: the same for the same secret, and of no use for finding it.
fn pseudonym(rule: &str, value: &str) -> String {
    let mut hash = Sha256::new();
    for part in *KEY {
        hash.update(part.uuid().as_bytes());
    }
    hash.update(value.as_bytes());
    let hash = hash.finalize();
    let short = hash.iter().take(SHORT).map(|octet| format!("{octet:02x}"));
    format!("{MARK}{rule} {}>", short.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_has_one_name_and_the_name_is_no_secret() {
        let value = format!("ghp_{}", "a1B2".repeat(9));
        let name = pseudonym("github-token", &value);
        assert_eq!(name, pseudonym("github-token", &value));
        assert_ne!(name, pseudonym("github-token", &format!("{value}x")));
        assert!(DETECTOR.find(name.as_bytes()).is_empty());
        assert!(has_marker(&format!("a {name} b")));
        assert!(!has_marker(
            "kubectl create <secret name> in <secret my namespace>"
        ));
    }
}
