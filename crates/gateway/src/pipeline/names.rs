//! Names in a git request, which are the agent's words: of refs, push options and files. One that
//! holds a secret is decided on and sent, if it may be, but not written down.

use ringfence_inspect::secrets::Detector;
use ringfence_inspect::{REPLACEMENT, ScrubSet};
use ringfence_model::git::{GitFacts, GitOperation, RefName};
use ringfence_model::{Closing, Decision};

/// What is not written down.
const SILENCE: &str = "it holds what looks like a secret, and is not recorded";

/// Octets that reasons repeat of a name at least, be it as long as it may.
const REPEATED_OCTETS: usize = 64;

/// The secrets that are looked for, and the names in which one was found.
pub(super) struct Names<'a> {
    own: &'a ScrubSet,
    /// Each with what stands for it.
    found: Vec<(String, String)>,
}

impl<'a> Names<'a> {
    /// `own` are the values that no agent may hold.
    pub(super) const fn new(own: &'a ScrubSet) -> Self {
        Self {
            own,
            found: Vec::new(),
        }
    }

    /// Whether a secret was found.
    pub(super) const fn any(&self) -> bool {
        !self.found.is_empty()
    }

    /// Takes them out of an operation.
    pub(super) fn operation(&mut self, operation: &mut GitOperation) {
        match operation {
            GitOperation::Push {
                updates, options, ..
            } => {
                updates.iter_mut().for_each(|it| self.name(&mut it.name));
                options.iter_mut().for_each(|it| self.text(it));
            }
            GitOperation::ListRefs { prefixes } => {
                prefixes.iter_mut().for_each(|it| self.text(it));
            }
            GitOperation::LfsBatch { ref_name, .. } => {
                ref_name.iter_mut().for_each(|it| self.text(it));
            }
            GitOperation::LfsLocks { query } => query.iter_mut().for_each(|it| self.text(it)),
            GitOperation::LfsLock { path } => self.text(path),
            _ => {}
        }
    }

    /// Takes them out of what a decision says, which may repeat them.
    pub(super) fn decision(&self, decision: &mut Decision) {
        self.sentence(&mut decision.reason);
        decision
            .next_step
            .iter_mut()
            .for_each(|it| self.sentence(it));
    }

    /// Takes them out of how an operation ended.
    pub(super) fn closing(own: &'a ScrubSet, facts: &mut GitFacts, closing: &mut Closing) {
        let mut names = Names::new(own);
        for update in &mut facts.updates {
            names.name(&mut update.name);
        }
        if !names.any() {
            return;
        }
        let refused = facts
            .updates
            .iter_mut()
            .filter_map(|it| it.refused.as_mut());
        let said = refused.chain(&mut facts.findings);
        let ended = closing.detail.iter_mut().chain(&mut closing.next_step);
        said.chain(ended).for_each(|it| names.sentence(it));
    }

    fn name(&mut self, name: &mut RefName) {
        if !self.is_secret(name.as_str()) {
            return;
        }
        let namespace = name.as_str().split('/').nth(1).unwrap_or("heads");
        // A namespace with a secret in it is no namespace.
        let namespace = if self.is_secret(namespace) || name.as_str().split('/').count() < 3 {
            "heads"
        } else {
            namespace
        };
        let placeholder = RefName::new(&format!("refs/{namespace}/{REPLACEMENT}"));
        if let Ok(placeholder) = placeholder {
            let known = (name.as_str().to_owned(), placeholder.as_str().to_owned());
            self.found.push(known);
            *name = placeholder;
        }
    }

    fn text(&mut self, text: &mut String) {
        if self.is_secret(text) {
            let known = std::mem::replace(text, REPLACEMENT.to_owned());
            self.found.push((known, text.clone()));
        }
    }

    /// A sentence may have been cut within a name.
    fn sentence(&self, text: &mut String) {
        for (name, placeholder) in &self.found {
            *text = text.replace(name.as_str(), placeholder);
        }
        let begin = |(name, _): &(String, String)| name.get(..REPEATED_OCTETS).map(str::to_owned);
        let is_cut = self
            .found
            .iter()
            .filter_map(begin)
            .any(|begin| text.contains(&begin));
        if is_cut || self.is_secret(text) {
            SILENCE.clone_into(text);
        }
    }

    fn is_secret(&self, text: &str) -> bool {
        self.own.finds(text.as_bytes()) || !Detector::shared().find(text.as_bytes()).is_empty()
    }
}

#[cfg(test)]
mod tests {
    use ringfence_model::git::{ObjectFormat, Oid, RefChange, RefResult, RefUpdate};
    use ringfence_model::{EventId, Generation, Outcome, ReasonCode, Secret};

    use super::*;
    use crate::pipeline::refusal::denial;

    const OWN: &str = "s3cr3t-of-this-gateway-8Qz1";
    const PLAIN: &str = "refs/heads/agent/x";

    fn own() -> ScrubSet {
        ScrubSet::new(&[Secret::new(OWN)]).unwrap()
    }

    /// What looks like a token, written apart so that it is none here.
    fn token() -> String {
        ["hvs.", "q7RkX2Vb9Zt4Mw3Jh8Pd5Lx1Gc6Ns0"].concat()
    }

    fn push(names: &[&str], options: &[&str]) -> GitOperation {
        let null = Oid::null(ObjectFormat::Sha1);
        let update = |name: &&str| RefUpdate {
            name: RefName::new(name).unwrap(),
            old: null,
            new: null,
            change: RefChange::Create,
        };
        GitOperation::Push {
            updates: names.iter().map(update).collect(),
            options: options.iter().map(|&option| option.to_owned()).collect(),
            atomic: false,
        }
    }

    #[test]
    fn names_with_a_secret_are_not_recorded_and_others_are() {
        let own = own();
        let long = format!("refs/heads/{}{}", "x/".repeat(40), token());
        for (name, recorded) in [
            (
                format!("refs/heads/agent/{OWN}"),
                "refs/heads/REDACTED-BY-RINGFENCE",
            ),
            (
                format!("refs/tags/{}", token()),
                "refs/tags/REDACTED-BY-RINGFENCE",
            ),
            (format!("refs/{OWN}/x"), "refs/heads/REDACTED-BY-RINGFENCE"),
            (format!("refs/{OWN}"), "refs/heads/REDACTED-BY-RINGFENCE"),
            (long, "refs/heads/REDACTED-BY-RINGFENCE"),
        ] {
            let mut names = Names::new(&own);
            let mut operation = push(&[&name, PLAIN], &["ci.skip", OWN]);
            names.operation(&mut operation);
            let expected = push(&[recorded, PLAIN], &["ci.skip", REPLACEMENT]);
            assert_eq!(operation, expected);
            let cut: String = name.chars().take(115).collect();
            let reason = format!("not to create {cut}… or {OWN}");
            let mut decision = denial(ReasonCode::RefNotAllowed, &reason, Generation(1));
            decision.next_step = Some(format!("allow {cut}"));
            names.decision(&mut decision);
            let said = format!("{decision:?}");
            assert!(!said.contains(&cut) && !said.contains(OWN), "{said}");
        }
        let mut names = Names::new(&own);
        let mut operation = push(&[PLAIN], &[]);
        names.operation(&mut operation);
        assert!(!names.any());
        assert_eq!(operation, push(&[PLAIN], &[]));
    }

    #[test]
    fn an_end_does_not_repeat_what_the_begin_left_out() {
        let own = own();
        let secret = format!("refs/heads/{OWN}");
        let result = |name: &str, refused: Option<&str>| RefResult {
            name: RefName::new(name).unwrap(),
            change: RefChange::Create,
            refused: refused.map(str::to_owned),
        };
        let mut facts = GitFacts {
            updates: vec![
                result(&secret, None),
                result(PLAIN, Some(&format!("not sent: {secret}"))),
            ],
            findings: vec!["the name of a ref: x".to_owned()],
            ..GitFacts::default()
        };
        let mut closing = Closing {
            id: EventId::new(),
            time: jiff::Timestamp::UNIX_EPOCH,
            outcome: Outcome::Done,
            detail: Some(format!("rule p/git/1 forbids {secret}")),
            next_step: None,
            upstream: None,
            sent: 0,
            received: 0,
            duration_us: 0,
            scrubbed: 0,
            llm: None,
            mcp: None,
            git: None,
        };
        Names::closing(&own, &mut facts, &mut closing);
        let placeholder = format!("refs/heads/{REPLACEMENT}");
        let said = format!("not sent: {placeholder}");
        assert_eq!(
            facts.updates,
            [result(&placeholder, None), result(PLAIN, Some(&said))]
        );
        assert_eq!(facts.findings, ["the name of a ref: x"]);
        let detail = format!("rule p/git/1 forbids {placeholder}");
        assert_eq!(closing.detail.as_deref(), Some(detail.as_str()));
    }
}
