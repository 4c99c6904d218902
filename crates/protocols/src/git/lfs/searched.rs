//! Searches what is uploaded, as it comes, for what the files of a push are searched for.

use ringfence_gateway::git::PushFacts;
use ringfence_inspect::secrets::{Finding, Search};
use ringfence_inspect::{ScrubSet, Scrubber};

use super::super::checked::{detector, is_own};
use super::super::limits::FINDINGS;

/// One object that is being searched.
pub(super) struct Searching {
    own: Scrubber,
    others: Search,
    /// What is left of the octets without our own secrets, which nobody reads.
    scrubbed: Vec<u8>,
}

/// What was found in it, never the values.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Searched {
    own_secrets: u64,
    /// What else looks like a secret: line and rule, at most [`FINDINGS`].
    pub(super) places: Vec<String>,
}

impl Searching {
    pub(super) fn new(own: ScrubSet) -> Self {
        Self {
            own: Scrubber::new(own),
            others: detector().search(),
            scrubbed: Vec::new(),
        }
    }

    /// Takes the next octets.
    pub(super) fn feed(&mut self, octets: &[u8]) {
        self.own.feed(octets, &mut self.scrubbed);
        self.scrubbed.clear();
        self.others.feed(octets);
    }

    pub(super) fn finish(mut self) -> Searched {
        self.own.finish(&mut self.scrubbed);
        let (tokens, others): (Vec<Finding>, Vec<Finding>) =
            self.others.finish().into_iter().partition(is_own);
        let place = |finding: &Finding| format!("line {}: {}", finding.line, finding.rule);
        Searched {
            own_secrets: self.own.found() + tokens.len() as u64,
            places: others.iter().take(FINDINGS).map(place).collect(),
        }
    }
}

impl Searched {
    /// The same as what is known of a push.
    pub(super) fn facts(&self) -> PushFacts {
        PushFacts {
            own_secrets: self.own_secrets,
            findings: self.places.len() as u64,
            ..PushFacts::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use ringfence_model::Secret;

    use super::*;

    fn search(own: &[Secret], pieces: &[&[u8]]) -> Searched {
        let mut searching = Searching::new(ScrubSet::new(own).unwrap());
        for piece in pieces {
            searching.feed(piece);
        }
        searching.finish()
    }

    #[test]
    fn what_is_found_does_not_depend_on_the_pieces() {
        // Written apart, so that it is none here.
        let token = ["hvs.", "q7RkX2Vb9Zt4Mw3Jh8Pd5Lx1Gc6Ns0"].concat();
        let text = format!("\u{0}binary\u{1}\nkey = {token}\n");
        let (one, two) = text.as_bytes().split_at(20);
        let whole = search(&[], &[text.as_bytes()]);
        assert_eq!(whole.places, ["line 2: vault-token"]);
        assert_eq!(whole.own_secrets, 0);
        assert_eq!(search(&[], &[one, two]), whole);
        assert_eq!(search(&[], &[b"plain\n"]), Searched::default());
    }

    #[test]
    fn our_own_are_counted_apart() {
        let own = Secret::new("s3cr3t-of-this-gateway-8Qz1");
        let found = search(&[own], &[b"it is s3cr3t-of-this-", b"gateway-8Qz1."]);
        assert_eq!(found.facts().own_secrets, 1);
        assert_eq!(found.facts().findings, 0);
    }
}
