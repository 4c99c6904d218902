//! One git rule against one git request: what an allow lacks for it, and whether a forbid takes it.

use jiff::Timestamp;
use ringfence_model::git::{GitOperation, LfsDirection, RefChange, RefName, RefUpdate};
use ringfence_model::{Access, ReasonCode};

use crate::compile::GitRule;
use crate::document::RefChangeWord;

/// The first thing that an allow of the right repository lacks, from the farthest to the closest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lack {
    /// It lets the repository be read alone.
    Access,
    /// More refs than it lets one push change.
    TooManyRefs(u64),
    /// A change of a ref.
    Ref(RefName, RefChange),
    /// A ref would not move forward, or it is not proven that it does.
    NotForward(RefName, RefChange),
    /// LFS objects for a ref that may not change.
    LfsRef(String),
    /// An LFS object that is too large.
    LfsSize,
    /// A push option.
    Option(String),
    Expired,
}

/// How a change is looked at of which it is not known whether it moves a ref forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    /// It is found out later.
    Pending,
    /// It could not be found out.
    Failed,
}

impl Lack {
    pub(crate) const fn code(&self) -> ReasonCode {
        match self {
            Self::Access => ReasonCode::AccessNotAllowed,
            Self::Ref(..) | Self::LfsRef(_) => ReasonCode::RefNotAllowed,
            Self::NotForward(..) => ReasonCode::NotFastForward,
            Self::TooManyRefs(_) | Self::LfsSize => ReasonCode::LimitReached,
            Self::Option(_) => ReasonCode::ConditionNotMet,
            Self::Expired => ReasonCode::RuleExpired,
        }
    }
}

/// What an allow of the right repository lacks.
pub(crate) fn lack(rule: &GitRule, operation: &GitOperation, now: Timestamp) -> Option<Lack> {
    if operation.access() == Access::Write && rule.access == Some(Access::Read) {
        return Some(Lack::Access);
    }
    let lack = match operation {
        GitOperation::Push {
            updates, options, ..
        } => push(rule, updates, options, Proof::Pending),
        GitOperation::LfsBatch {
            direction: LfsDirection::Upload,
            objects,
            octets,
            ref_name,
        } => lfs_batch(rule, (*objects, *octets), ref_name.as_deref()),
        GitOperation::LfsTransfer {
            direction: LfsDirection::Upload,
            octets,
            ..
        } => (*octets > rule.limits.lfs_octets).then_some(Lack::LfsSize),
        _ => None,
    };
    lack.or_else(|| rule.has_expired(now).then_some(Lack::Expired))
}

/// What an allow that may write lacks for a push.
pub(super) fn push(
    rule: &GitRule,
    updates: &[RefUpdate],
    options: &[String],
    proof: Proof,
) -> Option<Lack> {
    let count = u64::try_from(updates.len()).unwrap_or(u64::MAX);
    if count > rule.limits.refs {
        return Some(Lack::TooManyRefs(count));
    }
    let lack = |update: &RefUpdate| change(rule, &update.name, update.change, proof);
    updates.iter().find_map(lack).or_else(|| {
        let is_taken = |option: &String| rule.options.iter().any(|known| known.matches(option));
        let other = options.iter().find(|option| !is_taken(option))?;
        Some(Lack::Option(other.clone()))
    })
}

fn change(rule: &GitRule, name: &RefName, change: RefChange, proof: Proof) -> Option<Lack> {
    let words = rule.words_for(name);
    let forward = words.contains(&RefChangeWord::FastForward);
    let is_allowed = match (RefChangeWord::of(change), proof) {
        (Some(word), _) => words.contains(&word),
        (None, Proof::Pending) => forward || words.contains(&RefChangeWord::Force),
        (None, Proof::Failed) => words.contains(&RefChangeWord::Force),
    };
    if is_allowed {
        return None;
    }
    let is_move = matches!(change, RefChange::Force | RefChange::Update);
    Some(if is_move && forward {
        Lack::NotForward(name.clone(), change)
    } else {
        Lack::Ref(name.clone(), change)
    })
}

/// Objects for a ref are uploaded before it is pushed: some change of it must be allowed.
fn lfs_batch(rule: &GitRule, (objects, octets): (u32, u64), name: Option<&str>) -> Option<Lack> {
    if let Some(name) = name {
        let words = RefName::new(name).map(|name| rule.words_for(&name));
        let writes = |word: &RefChangeWord| *word != RefChangeWord::Delete;
        if !words.is_ok_and(|words| words.iter().any(writes)) {
            return Some(Lack::LfsRef(name.to_owned()));
        }
    }
    let most = rule.limits.lfs_octets.saturating_mul(u64::from(objects));
    (octets > most).then_some(Lack::LfsSize)
}

/// Whether a forbid of the right repository takes a request.
pub(crate) fn is_taken(rule: &GitRule, operation: &GitOperation) -> bool {
    if rule.changes.is_empty() {
        return is_access_taken(rule, operation.access());
    }
    match operation {
        GitOperation::Push { updates, .. } => taken(rule, updates, Proof::Pending).is_some(),
        _ => false,
    }
}

/// Whether a forbid takes all reading, or all writing, of the right repository.
pub(super) fn is_access_taken(rule: &GitRule, access: Access) -> bool {
    rule.changes.is_empty() && (rule.access.is_none() || rule.access == Some(access))
}

/// The first change that a forbid takes. One that could not be proven counts as what is forbidden.
pub(super) fn taken<'a>(
    rule: &GitRule,
    updates: &'a [RefUpdate],
    proof: Proof,
) -> Option<&'a RefUpdate> {
    let is_taken = |update: &&RefUpdate| {
        let words = rule.words_for(&update.name);
        let (forward, force) = (
            words.contains(&RefChangeWord::FastForward),
            words.contains(&RefChangeWord::Force),
        );
        match (RefChangeWord::of(update.change), proof) {
            (Some(word), _) => words.contains(&word),
            (None, Proof::Pending) => forward && force,
            (None, Proof::Failed) => forward || force,
        }
    };
    updates.iter().find(is_taken)
}
