//! Finds what looks like a secret in text that goes out: tokens of known services, private keys,
//! passwords in URLs, and values of high entropy where something is called a password, a key or a
//! token. The rules are data ([`Rule`]); nothing here ever gives out the value that was found.
//!
//! Each place where an anchor of a rule stands (one automaton for all of them) is judged by what is
//! in a window around it, so what is found does not depend on the pieces in which a text comes, and
//! costs time in proportion to the text. The text is read as it is: nothing is decoded, so that a
//! secret in base64, UTF-16 or an archive is not found.
//!
//! A finding may stop somebody's work, so a rule has to be right nearly always: placeholders,
//! examples of vendors' manuals, hashes, UUIDs and words are passed over.

mod around;
mod assigned;
mod charset;
mod key_block;
mod likeness;
mod name;
mod pattern;
mod redact;
mod rule;
mod search;
mod table;
mod url;
mod web_token;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, LazyLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

pub use rule::Rule;
pub use search::Search;

/// Every rule, compiled. Clones share one copy.
#[derive(Clone)]
pub struct Detector(Arc<Compiled>);

struct Compiled {
    anchors: AhoCorasick,
    /// By number of the anchor in the automaton, the rule that it belongs to.
    owners: Vec<&'static Rule>,
}

/// Where something was found, and by which rule. Never what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Finding {
    /// The line, from 1.
    pub line: u64,
    /// The id of the rule.
    pub rule: &'static str,
}

impl Detector {
    /// Compiles the rules: some milliseconds, so this is done once for a process.
    #[must_use]
    pub fn new() -> Self {
        let pairs = || {
            let anchors = |rule: &'static Rule| rule.anchors.iter().map(move |text| (*text, rule));
            rules().flat_map(anchors)
        };
        let built = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::DFA))
            .match_kind(MatchKind::Standard)
            .build(pairs().map(|(text, _)| text));
        #[expect(
            clippy::expect_used,
            reason = "the anchors are a table of this crate, far below what an automaton can hold"
        )]
        let anchors = built.expect("the anchors of the table make an automaton");
        Self(Arc::new(Compiled {
            anchors,
            owners: pairs().map(|(_, rule)| rule).collect(),
        }))
    }

    /// The same for all of the process, compiled when it is asked for first.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: LazyLock<Detector> = LazyLock::new(Detector::new);
        &SHARED
    }

    /// Begins a text.
    #[must_use]
    pub fn search(&self) -> Search {
        Search::new(self.clone())
    }

    /// What is in a text that is here whole.
    #[must_use]
    pub fn find(&self, text: &[u8]) -> Vec<Finding> {
        self.search().whole(text)
    }
}

impl Default for Detector {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Detector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Detector")
            .field("anchors", &self.0.owners.len())
            .finish_non_exhaustive()
    }
}

/// Every rule, for lists of them.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    table::ALL.iter().flat_map(|table| table.iter())
}
