//! What the record says of the refs of a push: none was changed until the upstream has said so. The
//! event stays open for as long as somebody may still note something.

use ringfence_gateway::{NoteHold, Permit, Stopped};
use ringfence_git::wire::report::Report;
use ringfence_git::wire::text::one_line;
use ringfence_model::git::{GitFacts, RefName, RefResult, RefUpdate};

const NOT_SENT: &str = "it was not sent on";
const UNSAID: &str = "it was sent on, and the upstream did not say whether it was done";

/// Notes what becomes of the refs of one push.
pub(super) struct Noting(NoteHold);

impl Noting {
    /// Begins with a push of which nothing was sent on yet.
    pub(super) fn begin(permit: &Permit, updates: &[RefUpdate]) -> Self {
        let hold = permit.git().hold();
        let results = updates.iter().map(|update| RefResult {
            name: update.name.clone(),
            change: update.change,
            refused: Some(NOT_SENT.to_owned()),
        });
        hold.note(|facts| facts.updates = results.collect());
        Self(hold)
    }

    /// The push did not go on; `of` says more of a ref than the whole reason does.
    pub(super) fn stopped(&self, stopped: &Stopped, of: impl Fn(&RefName) -> Option<String>) {
        let reason = one_line(reason(stopped));
        self.0.note(|facts| {
            refuse(facts, |name| of(name).unwrap_or_else(|| reason.clone()));
        });
    }

    /// The push is sent on, and may be done from now on.
    pub(super) fn sent(&self) {
        self.0.note(|facts| refuse(facts, |_| UNSAID.to_owned()));
    }

    /// The upstream gave no report, or none on all refs.
    pub(super) fn unsaid(&self, reason: &str) {
        let reason = one_line(&format!("{UNSAID}: {reason}"));
        self.0.note(|facts| refuse(facts, |_| reason.clone()));
    }

    /// What the upstream said.
    pub(super) fn report(&self, report: &Report) {
        self.0.note(|facts| say(facts, report));
    }
}

/// Why it was stopped, in words.
pub(super) fn reason(stopped: &Stopped) -> &str {
    match stopped {
        Stopped::Refused(refusal) => &refusal.decision.reason,
        Stopped::Failed(failure) => &failure.reason,
    }
}

/// Says why of each ref that is not known to be changed.
fn refuse(facts: &mut GitFacts, reason: impl Fn(&RefName) -> String) {
    for RefResult { name, refused, .. } in &mut facts.updates {
        if refused.is_some() {
            *refused = Some(reason(name));
        }
    }
}

/// A ref was changed where the report says so, and the pack was taken in.
fn say(facts: &mut GitFacts, report: &Report) {
    for RefResult { name, refused, .. } in &mut facts.updates {
        let said = report.refs.iter().find(|said| said.name == *name);
        let outcome = said.map(|said| said.outcome.as_ref());
        *refused = match (outcome, &report.unpack) {
            (Some(Err(reason)), _) => Some(reason.clone()),
            (Some(Ok(_)), Ok(())) => None,
            (_, Err(reason)) => Some(format!("the pack was not taken in: {reason}")),
            (None, Ok(())) => Some(UNSAID.to_owned()),
        };
    }
}

#[cfg(test)]
mod tests {
    use ringfence_git::wire::report::{Changed, RefReport};
    use ringfence_model::git::RefChange;

    use super::*;

    fn name(name: &str) -> RefName {
        RefName::new(name).unwrap()
    }

    fn facts() -> GitFacts {
        let result = |of| RefResult {
            name: name(of),
            change: RefChange::Create,
            refused: Some(UNSAID.to_owned()),
        };
        GitFacts {
            updates: vec![result("refs/heads/a"), result("refs/heads/b")],
            ..GitFacts::default()
        }
    }

    fn refused(facts: &GitFacts) -> Vec<Option<&str>> {
        let updates = facts.updates.iter();
        updates.map(|update| update.refused.as_deref()).collect()
    }

    fn report(unpack: Result<(), &str>, refs: &[(&str, Result<(), &str>)]) -> Report {
        let one = |(of, outcome): &(&str, Result<(), &str>)| RefReport {
            name: name(of),
            outcome: outcome.map(|()| Changed::default()).map_err(str::to_owned),
        };
        Report {
            unpack: unpack.map_err(str::to_owned),
            refs: refs.iter().map(one).collect(),
        }
    }

    #[test]
    fn a_ref_was_changed_only_where_the_upstream_says_so() {
        let (a, b) = ("refs/heads/a", "refs/heads/b");
        for (report, expected) in [
            (
                report(Ok(()), &[(b, Ok(())), (a, Err("hook declined"))]),
                [Some("hook declined"), None],
            ),
            (report(Ok(()), &[(a, Ok(()))]), [None, Some(UNSAID)]),
            (
                report(Err("no space"), &[(a, Ok(()))]),
                [Some("the pack was not taken in: no space"); 2],
            ),
            (report(Ok(()), &[]), [Some(UNSAID); 2]),
        ] {
            let mut facts = facts();
            say(&mut facts, &report);
            assert_eq!(refused(&facts), expected, "{report:?}");
        }
    }

    #[test]
    fn what_is_known_to_be_done_stays_done_whatever_comes_after_it() {
        let mut facts = facts();
        say(&mut facts, &report(Ok(()), &[("refs/heads/a", Ok(()))]));
        refuse(&mut facts, |_| "it broke off".to_owned());
        assert_eq!(refused(&facts), [None, Some("it broke off")]);
    }
}
