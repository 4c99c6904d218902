//! What may be shown to an agent at all: directories that must not be a workspace, and files
//! that must not be in one.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs;
use std::path::{Component, Path, PathBuf};

use super::{PlanError, Request, WorkspaceMode};

/// Refuses a request whose workspace, shown paths or steering files would give the agent what
/// it must not have. `directory` is the workspace without links.
pub(super) fn check(request: &Request, directory: &Path) -> Result<(), PlanError> {
    workspace(directory, &request.home)?;
    for shown in request.read.iter().map(PathBuf::as_path).chain([directory]) {
        private(shown, &request.private)?;
        sockets(shown)?;
    }
    if request.workspace.mode == WorkspaceMode::ReadWrite {
        for file in &request.steering {
            steering(file, directory)?;
        }
    }
    Ok(())
}

/// A home directory, one that holds it, one that tools keep secrets in, and the system's
/// directories are no workspace.
fn workspace(directory: &Path, home: &Path) -> Result<(), PlanError> {
    let home = canonical(home);
    if home.starts_with(directory) {
        return Err(PlanError::WorkspaceTooWide(directory.to_owned()));
    }
    let holds_secrets = SECRETS
        .iter()
        .any(|name| directory.starts_with(home.join(name)));
    if holds_secrets {
        return Err(PlanError::WorkspaceHoldsSecrets(directory.to_owned()));
    }
    let within = |path: &&str| directory.starts_with(path);
    let is_system = SYSTEM.iter().any(within)
        && !UNDER_SYSTEM
            .iter()
            .any(|path| directory.starts_with(path) && directory != Path::new(path));
    if is_system || TOP.iter().any(|path| directory == Path::new(path)) {
        return Err(PlanError::WorkspaceIsSystem(directory.to_owned()));
    }
    Ok(())
}

/// Neither a directory that must stay outside, nor anything in it, nor what holds it, is shown.
fn private(shown: &Path, private: &[PathBuf]) -> Result<(), PlanError> {
    let shown = canonical(shown);
    for private in private {
        let private = canonical(private);
        if shown.starts_with(&private) || private.starts_with(&shown) {
            return Err(PlanError::ShowsPrivate { shown, private });
        }
    }
    Ok(())
}

/// Directories in which programs of the caller's listen on unix sockets.
fn sockets(shown: &Path) -> Result<(), PlanError> {
    let shown = canonical(shown);
    let is_shared = TOP.iter().any(|path| shown == Path::new(path)) || shown.starts_with("/run");
    if is_shared && shown.is_dir() {
        return Err(PlanError::WorkspaceIsSystem(shown));
    }
    Ok(())
}

/// A file that decides about the run, reached by no name that the agent could write.
fn steering(file: &Path, workspace: &Path) -> Result<(), PlanError> {
    let passes = passed(file).iter().any(|path| path.starts_with(workspace));
    if passes {
        return Err(PlanError::SteeredFromInside(file.to_owned()));
    }
    Ok(())
}

/// Every path that is looked up when `file` is opened: itself, its parents, and what links on
/// the way lead to.
fn passed(file: &Path) -> Vec<PathBuf> {
    let mut rest: VecDeque<OsString> =
        parts(&std::path::absolute(file).unwrap_or_else(|_| file.to_owned()));
    let mut at = PathBuf::from("/");
    let mut passed = Vec::new();
    let mut links = 0;
    while let Some(part) = rest.pop_front() {
        if part == ".." {
            at.pop();
            continue;
        }
        let next = at.join(&part);
        passed.push(next.clone());
        match fs::read_link(&next) {
            Ok(target) if links < MOST_LINKS => {
                links += 1;
                if target.is_absolute() {
                    at = PathBuf::from("/");
                }
                for part in parts(&target).into_iter().rev() {
                    rest.push_front(part);
                }
            }
            _ => at = next,
        }
    }
    passed
}

fn parts(path: &Path) -> VecDeque<OsString> {
    path.components()
        .filter_map(|component| match component {
            Component::Normal(part) => Some(part.to_owned()),
            Component::ParentDir => Some(OsString::from("..")),
            _ => None,
        })
        .collect()
}

fn canonical(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// The system's own directories.
const SYSTEM: [&str; 14] = [
    "/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/nix", "/proc", "/run", "/sbin",
    "/sys", "/usr", "/var",
];

/// Where people do have projects, below directories of the system's.
const UNDER_SYSTEM: [&str; 5] = [
    "/usr/src",
    "/usr/local/src",
    "/var/tmp",
    "/var/www",
    "/var/lib",
];

/// Directories that all share: a project is a directory in one, never one itself.
const TOP: [&str; 8] = [
    "/", "/home", "/mnt", "/opt", "/srv", "/tmp", "/var/tmp", "/var/lib",
];

/// Where tools keep credentials, below the home directory.
const SECRETS: [&str; 14] = [
    ".aws",
    ".azure",
    ".config/gcloud",
    ".config/gh",
    ".docker",
    ".gnupg",
    ".kube",
    ".local/share/keyrings",
    ".mozilla",
    ".password-store",
    ".ssh",
    ".config/ringfence",
    ".local/share/ringfence",
    ".claude",
];

/// As many links as the kernel follows.
const MOST_LINKS: usize = 40;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn directories_that_hold_secrets_or_the_system_are_no_workspace() {
        let home = Path::new("/home/ann");
        for bad in [
            "/",
            "/home",
            "/home/ann",
            "/home/ann/.ssh",
            "/home/ann/.aws/x",
            "/etc/ssh",
            "/usr/share",
            "/var",
            "/run/user/1000",
            "/tmp",
            "/var/tmp",
            "/proc/1",
            "/opt",
        ] {
            assert!(workspace(Path::new(bad), home).is_err(), "{bad}");
        }
        for good in [
            "/home/ann/src/web",
            "/tmp/build",
            "/srv/app",
            "/usr/src/linux",
            "/opt/app",
            "/var/www/site",
        ] {
            assert!(workspace(Path::new(good), home).is_ok(), "{good}");
        }
    }

    #[test]
    fn a_steering_file_is_reached_by_no_name_in_the_workspace() {
        let base = tempfile::tempdir().unwrap();
        let base = fs::canonicalize(base.path()).unwrap();
        let workspace = base.join("work");
        fs::create_dir_all(&workspace).unwrap();
        fs::write(base.join("outside.yaml"), "").unwrap();
        fs::write(workspace.join("inside.yaml"), "").unwrap();
        // A link in the workspace to a file outside, and one outside that leads through it.
        symlink(base.join("outside.yaml"), workspace.join("link.yaml")).unwrap();
        symlink(workspace.join("link.yaml"), base.join("through.yaml")).unwrap();
        for bad in [
            "work/inside.yaml",
            "work/link.yaml",
            "through.yaml",
            "work/../work/link.yaml",
        ] {
            assert!(steering(&base.join(bad), &workspace).is_err(), "{bad}");
        }
        assert!(steering(&base.join("outside.yaml"), &workspace).is_ok());
    }
}
