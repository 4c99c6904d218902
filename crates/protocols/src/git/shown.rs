//! Which objects a sandbox was shown as refs of a repository. A server gives out any object that is
//! asked for by name, so where not all refs may be read, only those may be asked for that were shown.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use ringfence_model::git::{Oid, RepoId};
use ringfence_model::{Generation, SandboxId};

use super::limits::{SHOWN_OBJECTS, SHOWN_REPOSITORIES};

static SHOWN: Mutex<VecDeque<Shown>> = Mutex::new(VecDeque::new());

/// Whom something was shown to, by which policy, of which repository. Under another policy the refs
/// have to be listed anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Viewer {
    pub(super) sandbox: SandboxId,
    pub(super) generation: Generation,
    pub(super) repo: RepoId,
}

struct Shown {
    viewer: Viewer,
    objects: HashSet<Oid>,
}

/// Notes that `objects` were shown. The repository that was looked at longest ago is forgotten when
/// there are too many, and its refs have to be listed again.
pub(super) fn note(viewer: &Viewer, objects: impl IntoIterator<Item = Oid>) {
    let mut all = SHOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let at = all.iter().position(|shown| shown.viewer == *viewer);
    let mut shown = at.and_then(|at| all.remove(at)).unwrap_or_else(|| Shown {
        viewer: viewer.clone(),
        objects: HashSet::new(),
    });
    for oid in objects {
        if shown.objects.len() < SHOWN_OBJECTS {
            shown.objects.insert(oid);
        }
    }
    if all.len() >= SHOWN_REPOSITORIES {
        all.pop_front();
    }
    all.push_back(shown);
}

/// The first of `wanted` that was not shown.
pub(super) fn hidden<'o>(viewer: &Viewer, wanted: &'o [Oid]) -> Option<&'o Oid> {
    let all = SHOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let shown = all.iter().find(|shown| shown.viewer == *viewer);
    let was_shown = |oid: &&Oid| shown.is_some_and(|shown| shown.objects.contains(*oid));
    wanted.iter().find(|oid| !was_shown(oid))
}

/// Those of `wanted` that were not shown.
pub(super) fn all_hidden(viewer: &Viewer, wanted: &[Oid]) -> Vec<Oid> {
    let all = SHOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let shown = all.iter().find(|shown| shown.viewer == *viewer);
    let was_shown = |oid: &Oid| shown.is_some_and(|shown| shown.objects.contains(oid));
    let hidden = wanted.iter().filter(|oid| !was_shown(oid));
    hidden.copied().collect()
}

/// All that was shown; nothing where it is more than `most`.
pub(super) fn objects(viewer: &Viewer, most: usize) -> Vec<Oid> {
    let all = SHOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let shown = all.iter().find(|shown| shown.viewer == *viewer);
    let shown = shown.filter(|shown| shown.objects.len() <= most);
    shown.map_or_else(Vec::new, |shown| shown.objects.iter().copied().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_this_sandbox_was_shown_of_this_repository_may_be_wanted() {
        let oid = |digit: &str| digit.repeat(40).parse::<Oid>().unwrap();
        let viewer = Viewer {
            sandbox: SandboxId::new(),
            generation: Generation(1),
            repo: RepoId::try_from("github/acme/docs".to_owned()).unwrap(),
        };
        note(&viewer, [oid("1"), oid("2")]);
        assert_eq!(hidden(&viewer, &[oid("1"), oid("2")]), None);
        let wanted = [oid("1"), oid("3")];
        assert_eq!(hidden(&viewer, &wanted), Some(&oid("3")));
        for other in [
            Viewer {
                sandbox: SandboxId::new(),
                ..viewer.clone()
            },
            Viewer {
                generation: Generation(2),
                ..viewer.clone()
            },
            Viewer {
                repo: RepoId::try_from("github/acme/web".to_owned()).unwrap(),
                ..viewer.clone()
            },
        ] {
            assert!(hidden(&other, &[oid("1")]).is_some(), "{other:?}");
        }
    }
}
