//! What git runs or reads its settings from, in a given workspace. A repository's directory need
//! not be `.git`, and its settings can lead to further files in the workspace.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::Shape;

/// The paths to protect, below `workspace` and relative to it. `is_foreign` tells of a path that
/// exists only because another run made it.
pub(super) fn paths(workspace: &Path, is_foreign: impl Fn(&Path) -> bool) -> Vec<(PathBuf, Shape)> {
    let dot_git = workspace.join(".git");
    if dot_git.is_dir() && !is_foreign(&dot_git) {
        return repository(workspace, Path::new(".git"));
    }
    if dot_git.is_file() && !is_foreign(&dot_git) {
        let mut paths = vec![(PathBuf::from(".git"), Shape::File)];
        if let Some(directory) = redirected(workspace, &dot_git) {
            paths.extend(repository(workspace, &directory));
        }
        return paths;
    }
    // Without a repository, `.git` itself is protected: one that the agent makes would have the
    // settings that it likes. The same holds for a bare one, which a `HEAD` at the top makes.
    let mut paths = vec![(PathBuf::from(".git"), Shape::Directory)];
    if workspace.join("HEAD").exists() && !is_foreign(&workspace.join("HEAD")) {
        paths.extend(repository(workspace, Path::new("")));
    } else {
        paths.push((PathBuf::from("HEAD"), Shape::File));
    }
    paths
}

/// The paths of a repository's own directory, and those that its settings name.
fn repository(workspace: &Path, directory: &Path) -> Vec<(PathBuf, Shape)> {
    let mut paths: Vec<(PathBuf, Shape)> = [
        ("hooks", Shape::Directory),
        ("config", Shape::File),
        ("config.worktree", Shape::File),
        ("modules", Shape::Directory),
    ]
    .into_iter()
    .map(|(name, shape)| (directory.join(name), shape))
    .collect();
    let config = workspace.join(directory).join("config");
    for (base, named) in named(&read(&config)) {
        let base = match base {
            Base::Repository => workspace.join(directory),
            Base::Workspace => workspace.to_owned(),
        };
        let path = normal(&base.join(named));
        let shape = if path.is_dir() {
            Shape::Directory
        } else {
            Shape::File
        };
        if let Ok(inside) = path.strip_prefix(workspace)
            && path.exists()
            && !inside.as_os_str().is_empty()
        {
            paths.push((inside.to_owned(), shape));
        }
    }
    paths
}

/// Where a `.git` file leads (gitrepository-layout(5)), if it is below the workspace.
fn redirected(workspace: &Path, file: &Path) -> Option<PathBuf> {
    let text = read(file);
    let target = text.strip_prefix("gitdir:")?.trim();
    let path = normal(&workspace.join(target));
    path.strip_prefix(workspace).ok().map(Path::to_owned)
}

/// Where a relative path in git's configuration starts from.
#[derive(Debug, PartialEq, Eq)]
enum Base {
    Repository,
    Workspace,
}

/// The files and directories that a configuration names: included files and the hooks' directory
/// (git-config(1)).
fn named(config: &str) -> Vec<(Base, String)> {
    let mut section = String::new();
    let mut found = Vec::new();
    for line in config.lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[') {
            section = header
                .split([' ', ']'])
                .next()
                .unwrap_or_default()
                .to_ascii_lowercase();
        }
        let setting = line.rsplit(']').next().unwrap_or(line);
        let Some((key, value)) = setting.split_once('=') else {
            continue;
        };
        let value = value.trim().trim_matches('"').to_owned();
        match (section.as_str(), key.trim().to_ascii_lowercase().as_str()) {
            ("include" | "includeif", "path") => found.push((Base::Repository, value)),
            ("core", "hookspath" | "fsmonitor" | "attributesfile") => {
                found.push((Base::Workspace, value))
            }
            _ => {}
        }
    }
    found.truncate(MOST_NAMED);
    found
}

/// Without `.` and `..`, by name alone.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            std::path::Component::ParentDir => {
                normal.pop();
            }
            std::path::Component::CurDir => {}
            other => normal.push(other),
        }
    }
    normal
}

fn read(path: &Path) -> String {
    let mut text = String::new();
    let _ = fs::File::open(path).map(|file| file.take(MOST_OCTETS).read_to_string(&mut text));
    text
}

const MOST_OCTETS: u64 = 1024 * 1024;
const MOST_NAMED: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_lead_to_files_are_found() {
        let config = "[core]\n\thooksPath = .githooks\n[include]\n\tpath = ../settings\n[includeIf \"gitdir:x\"]\n path=a\n[user]\n\tpath = no\n";
        assert_eq!(
            named(config),
            [
                (Base::Workspace, ".githooks".to_owned()),
                (Base::Repository, "../settings".to_owned()),
                (Base::Repository, "a".to_owned()),
            ]
        );
    }

    fn names(workspace: &Path) -> Vec<String> {
        paths(workspace, |_| false)
            .into_iter()
            .map(|(path, _)| path.display().to_string())
            .collect()
    }

    #[test]
    fn a_repository_elsewhere_in_the_workspace_is_protected_too() {
        let workspace = tempfile::tempdir().unwrap();
        fs::create_dir(workspace.path().join(".bare")).unwrap();
        fs::write(workspace.path().join(".git"), "gitdir: ./.bare\n").unwrap();
        let names = names(workspace.path());
        for expected in [".git", ".bare/hooks", ".bare/config"] {
            assert!(names.iter().any(|name| name == expected), "{names:?}");
        }
    }

    #[test]
    fn what_the_configuration_names_is_protected_where_it_is_in_the_workspace() {
        let workspace = tempfile::tempdir().unwrap();
        fs::create_dir_all(workspace.path().join(".git")).unwrap();
        fs::create_dir_all(workspace.path().join(".githooks")).unwrap();
        fs::write(workspace.path().join("settings"), "").unwrap();
        let config = "[core]\nhooksPath = .githooks\n[include]\npath = ../settings\n[include]\npath = /etc/passwd\n";
        fs::write(workspace.path().join(".git/config"), config).unwrap();
        let names = names(workspace.path());
        for expected in [".githooks", "settings"] {
            assert!(names.iter().any(|name| name == expected), "{names:?}");
        }
        assert!(
            !names.iter().any(|name| name.contains("passwd")),
            "{names:?}"
        );
    }

    #[test]
    fn without_a_repository_none_can_be_made() {
        let workspace = tempfile::tempdir().unwrap();
        assert_eq!(names(workspace.path()), [".git", "HEAD"]);
    }
}
