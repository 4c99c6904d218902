//! What a push rests on and does not carry: the upstream is asked for the trees of it, and where not
//! all refs may be read, it has to be something that was shown.

use std::sync::Arc;

use ringfence_git::pack::{Pack, Stop as PackStop};
use ringfence_model::ReasonCode;
use ringfence_model::git::{Oid, RefUpdate};

use super::super::checked::{self, Tip};
use super::super::limits::{ASKED_COMMITS, ASKED_REFS};
use super::super::shown;
use super::look::{Looking, Stop, blocking};

impl Looking<'_> {
    /// The trees of the commits that the push rests on; nothing where they cannot be had.
    pub(super) async fn before(
        &self,
        pack: &Arc<Pack>,
        tips: &[Tip],
        stop: &PackStop,
    ) -> Result<Option<Option<Arc<Pack>>>, Stop> {
        let needed = outside(pack, tips).await?;
        match self.asker(stop).trees(&needed, None).await {
            Ok(before) => Ok(Some(before.map(Arc::new))),
            Err(unproven) => {
                let reason = self.scrubbed(&unproven);
                self.permit.git().note(|facts| facts.findings.push(reason));
                Ok(None)
            }
        }
    }

    /// Where not all refs may be read: checks that the push rests on nothing that was not shown, as
    /// what is pushed to a ref that may be read is read then.
    pub(super) async fn nothing_foreign(
        &self,
        pack: &Arc<Pack>,
        before: Option<&Option<Arc<Pack>>>,
        stop: &PackStop,
    ) -> Result<(), Stop> {
        let rested = outside(pack, &self.tips(None)).await?;
        let is_shown = self.are_shown(&rested, stop).await;
        let (pack, before) = (Arc::clone(pack), before.cloned().flatten());
        let foreign = blocking(move || checked::foreign(&pack, before.as_deref(), &rested)).await?;
        if is_shown && foreign.is_none() {
            return Ok(());
        }
        let reason = "the push rests on objects that none of the refs leads to that may be read";
        Err(Stop::Pack(ReasonCode::RefNotAllowed, reason.to_owned()))
    }

    /// Whether all of these were shown, or what was shown descends from them.
    async fn are_shown(&self, commits: &[Oid], stop: &PackStop) -> bool {
        let hidden = shown::all_hidden(&self.viewer, commits);
        let tips = shown::objects(&self.viewer, ASKED_COMMITS);
        if hidden.is_empty() {
            return true;
        }
        if hidden.len() > ASKED_REFS || tips.is_empty() {
            return false;
        }
        for commit in &hidden {
            let asked = self.asker(stop).is_ancestor(commit, &tips).await;
            if !matches!(asked, Ok(true)) {
                return false;
            }
        }
        shown::note(&self.viewer, hidden);
        true
    }

    /// What refs are set to, each with what its files are compared with.
    pub(super) fn tips(&self, head: Option<Oid>) -> Vec<Tip> {
        let set = self.request.updates.iter().filter(|it| !it.new.is_null());
        let tip = |update: &RefUpdate| Tip {
            new: update.new,
            olds: [Some(update.old).filter(|old| !old.is_null()), head]
                .into_iter()
                .flatten()
                .collect(),
        };
        set.map(tip).collect()
    }
}

/// The commits that the push rests on and that are not in the pack.
async fn outside(pack: &Arc<Pack>, tips: &[Tip]) -> Result<Vec<Oid>, Stop> {
    let known = Arc::clone(pack);
    let mut outside = blocking(move || checked::rested_on(&known)).await?;
    let all = tips
        .iter()
        .flat_map(|tip| tip.olds.iter().chain([&tip.new]));
    outside.extend(all.filter(|oid| pack.kind_of(oid).is_none()));
    outside.sort_unstable();
    outside.dedup();
    Ok(outside)
}
