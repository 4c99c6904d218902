//! Landlock: the second wall around the file system. Where a mistake in the mounts would show
//! the agent something of the host, this still refuses to open it.
//!
//! Every file-system right and every scope that the running kernel knows is handled. The
//! network rights are not: they know ports only, and the network namespace has no way out.

use std::collections::BTreeMap;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset,
    RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, Scope,
};

use crate::spec::{self, Mount};

/// What the agent may do at which path, and with which inherited files.
pub(crate) struct Rules<'a> {
    /// The mounts that make up the file system.
    pub(crate) mounts: &'a [Mount],
    /// Standard streams that are regular files: a program may open them again by name.
    pub(crate) streams: Vec<(BorrowedFd<'a>, spec::Access)>,
}

/// The newest version of Landlock that the kernel offers; 0 where it has none.
pub(crate) fn kernel_version() -> usize {
    const QUERY_VERSION: usize = 1;
    crate::sys::probe(
        libc::SYS_landlock_create_ruleset,
        [0, 0, QUERY_VERSION, 0, 0, 0],
    )
    .unwrap_or(0)
}

/// Restricts this thread and all that it starts. Also sets no-new-privileges.
pub(crate) fn restrict(rules: &Rules<'_>) -> Result<(), RulesetError> {
    let handled = AccessFs::from_all(NEWEST);
    // The kernel may be older than the newest version known here; then its own rights are used.
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(handled)?
        .scope(Scope::from_all(NEWEST))?
        .create()?;
    ruleset = add(ruleset, Path::new("/"), AccessFs::ReadDir.into())?;
    for (path, access) in needed(rules.mounts) {
        ruleset = add(ruleset, &path, access)?;
    }
    for (stream, access) in &rules.streams {
        let access = match access {
            spec::Access::Read => AccessFs::ReadFile.into(),
            spec::Access::Write => AccessFs::WriteFile | AccessFs::Truncate,
        };
        ruleset = ruleset.add_rule(PathBeneath::new(*stream, access))?;
    }
    ruleset.restrict_self()?;
    Ok(())
}

/// A rule holds for everything below its path, so a mount below another one needs a rule of its
/// own only for rights that the other's does not give.
fn needed(mounts: &[Mount]) -> BTreeMap<PathBuf, BitFlags<AccessFs>> {
    // `/etc` holds nothing but what the plan put there.
    let mut rules = BTreeMap::from([(PathBuf::from("/etc"), AccessFs::from_read(NEWEST))]);
    for (path, access) in mounts.iter().flat_map(accesses) {
        let given = path
            .ancestors()
            .filter_map(|above| rules.get(above).copied())
            .fold(BitFlags::EMPTY, |given, access| given | access);
        if !given.contains(access) {
            *rules.entry(path).or_insert(BitFlags::EMPTY) |= access;
        }
    }
    rules
}

fn add(
    ruleset: RulesetCreated,
    path: &Path,
    access: BitFlags<AccessFs>,
) -> Result<RulesetCreated, RulesetError> {
    let Ok(place) = PathFd::new(path) else {
        // What is not there cannot be opened; a protected path may be covered by a later mount.
        return Ok(ruleset);
    };
    let access = if path.is_dir() {
        access
    } else {
        access & AccessFs::from_file(NEWEST)
    };
    ruleset.add_rule(PathBeneath::new(place, access))
}

fn accesses(mount: &Mount) -> Vec<(PathBuf, BitFlags<AccessFs>)> {
    let read = AccessFs::from_read(NEWEST);
    let all = AccessFs::from_all(NEWEST) & !(AccessFs::MakeBlock | AccessFs::MakeChar);
    // A socket in a directory of the host's may be one of the host's.
    let not_sockets = all & !BitFlags::from(AccessFs::ResolveUnix);
    match mount {
        Mount::Bind { at, access, .. } => vec![match access {
            spec::Access::Read => (at.clone(), read),
            spec::Access::Write => (at.clone(), not_sockets),
        }],
        Mount::Overlay { at, .. } => vec![(at.clone(), not_sockets)],
        Mount::Tmpfs { at, .. } => vec![(at.clone(), all)],
        Mount::File { at, .. } | Mount::Copy { path: at } => vec![(at.clone(), read)],
        Mount::Given { at, instead_of, .. } => {
            let places = instead_of.iter().chain([at]);
            places.map(|place| (place.clone(), read)).collect()
        }
        Mount::Proc => vec![(PathBuf::from("/proc"), read)],
        Mount::Dev => vec![(PathBuf::from("/dev"), all)],
        Mount::Symlink { .. } | Mount::Link { .. } => Vec::new(),
    }
}

/// The newest version whose rights are known here.
const NEWEST: ABI = ABI::V9;
