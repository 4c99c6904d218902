//! Objects that were refused a moment ago. git-lfs tries an upload nine times, half a minute long,
//! and says then only that it did not work; what a batch says of an object ends it at once and is
//! shown.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use ringfence_model::SandboxId;
use ringfence_model::git::RepoId;
use tokio::time::Instant;

use super::super::limits::{LFS_REFUSED, LFS_REFUSED_LIFE};

static REFUSED: Mutex<Refused> = Mutex::new(Refused(VecDeque::new()));

/// One object of one repository, as one sandbox sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) sandbox: SandboxId,
    pub(super) repo: RepoId,
    pub(super) oid: String,
}

/// Remembers for [`LFS_REFUSED_LIFE`] why an object was refused.
pub(super) fn note(sent: Sent, words: String) {
    let mut refused = REFUSED.lock().unwrap_or_else(PoisonError::into_inner);
    refused.note(sent, words, Instant::now());
}

/// Why an object was refused a moment ago. It is told once, so that who tries again is looked at again.
pub(super) fn take(sent: &Sent) -> Option<String> {
    let mut refused = REFUSED.lock().unwrap_or_else(PoisonError::into_inner);
    refused.take(sent, Instant::now())
}

struct Refused(VecDeque<(Sent, String, Instant)>);

impl Refused {
    fn note(&mut self, sent: Sent, words: String, now: Instant) {
        self.0.retain(|(known, ..)| *known != sent);
        if self.0.len() >= LFS_REFUSED {
            self.0.pop_front();
        }
        self.0.push_back((sent, words, now));
    }

    fn take(&mut self, sent: &Sent, now: Instant) -> Option<String> {
        self.0
            .retain(|(.., since)| now.duration_since(*since) < LFS_REFUSED_LIFE);
        let at = self.0.iter().position(|(known, ..)| known == sent)?;
        self.0.remove(at).map(|(_, words, _)| words)
    }
}

#[cfg(test)]
mod tests {
    use ringfence_model::git::GitUpstream;

    use super::*;

    fn sent(sandbox: SandboxId, oid: &str) -> Sent {
        let github = GitUpstream::builtin().swap_remove(0);
        Sent {
            sandbox,
            repo: RepoId::new(&github, "acme/web").unwrap(),
            oid: oid.to_owned(),
        }
    }

    #[test]
    fn a_refusal_is_told_once_soon_and_to_its_sandbox() {
        let (one, other) = (SandboxId::new(), SandboxId::new());
        let now = Instant::now();
        let mut refused = Refused(VecDeque::new());
        let note = |refused: &mut Refused| refused.note(sent(one, "a"), "why".to_owned(), now);
        note(&mut refused);
        assert_eq!(refused.take(&sent(other, "a"), now), None);
        assert_eq!(refused.take(&sent(one, "b"), now), None);
        assert_eq!(refused.take(&sent(one, "a"), now).as_deref(), Some("why"));
        assert_eq!(refused.take(&sent(one, "a"), now), None);
        note(&mut refused);
        assert_eq!(refused.take(&sent(one, "a"), now + LFS_REFUSED_LIFE), None);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let one = SandboxId::new();
        let now = Instant::now();
        let mut refused = Refused(VecDeque::new());
        for number in 0..=LFS_REFUSED {
            refused.note(sent(one, &number.to_string()), String::new(), now);
        }
        assert_eq!(refused.0.len(), LFS_REFUSED);
        assert_eq!(refused.take(&sent(one, "0"), now), None);
    }
}
