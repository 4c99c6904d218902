//! Protected names that are symbolic links, or lie behind one. The link itself must stay, and what
//! it leads to must be protected at its real path: the person's tools go through the link.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

/// Where a name of the workspace leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Way {
    /// The links of the workspace that are followed, in order.
    pub(super) links: Vec<PathBuf>,
    /// The path at the end; none if it is outside of the workspace, where the agent cannot write.
    pub(super) end: Option<PathBuf>,
}

impl Way {
    /// The directories of the workspace that hold a link or the end: renaming one would lead the
    /// name elsewhere.
    pub(super) fn parents(&self, workspace: &Path) -> Vec<PathBuf> {
        self.links
            .iter()
            .chain(&self.end)
            .flat_map(|path| path.ancestors().skip(1))
            .filter(|parent| parent.starts_with(workspace) && *parent != workspace)
            .map(Path::to_owned)
            .collect()
    }
}

/// Follows `name`, which starts at `workspace`, a real path, component by component.
pub(super) fn follow(workspace: &Path, name: &Path) -> io::Result<Way> {
    let mut way = Way {
        links: Vec::new(),
        end: None,
    };
    let mut ahead: VecDeque<OsString> = VecDeque::new();
    let mut at = workspace.to_owned();
    if !push(&mut ahead, name) {
        return Ok(way);
    }
    while let Some(component) = ahead.pop_front() {
        if component == ".." {
            if at == workspace {
                return Ok(way);
            }
            at.pop();
            continue;
        }
        let next = at.join(&component);
        let target = match fs::symlink_metadata(&next) {
            Ok(meta) if meta.is_symlink() => fs::read_link(&next)?,
            Ok(_) => {
                at = next;
                continue;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                at = next;
                continue;
            }
            Err(error) => return Err(error),
        };
        if way.links.len() == MOST_LINKS {
            return Err(io::Error::other(format!(
                "{} is a link that leads to itself",
                next.display()
            )));
        }
        way.links.push(next);
        let target = match target.strip_prefix(workspace) {
            Ok(inside) => {
                at = workspace.to_owned();
                inside.to_owned()
            }
            Err(_) => target,
        };
        if !push(&mut ahead, &target) {
            return Ok(way);
        }
    }
    way.end = Some(at);
    Ok(way)
}

/// Puts a relative path in front of what is ahead. False if it is absolute.
fn push(ahead: &mut VecDeque<OsString>, path: &Path) -> bool {
    for component in path.components().rev() {
        match component {
            Component::Normal(name) => ahead.push_front(name.to_owned()),
            Component::ParentDir => ahead.push_front("..".into()),
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return false,
        }
    }
    true
}

/// As many as the kernel follows.
const MOST_LINKS: usize = 40;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_are_followed_to_their_end_below_the_workspace() {
        let directory = tempfile::tempdir().unwrap();
        let workspace = fs::canonicalize(directory.path()).unwrap();
        fs::create_dir_all(workspace.join("a/b")).unwrap();
        for (target, name) in [
            ("a", "plain"),
            ("../plain/b", "a/up"),
            ("a/up/./missing", "long"),
            ("../outside", "out"),
            ("/etc", "far"),
            ("around", "round"),
            ("round", "around"),
        ] {
            symlink(target, workspace.join(name)).unwrap();
        }
        symlink(workspace.join("a/b"), workspace.join("absolute")).unwrap();
        for (name, links, end) in [
            ("a/b", vec![], Some("a/b")),
            ("a/missing", vec![], Some("a/missing")),
            ("plain", vec!["plain"], Some("a")),
            ("plain/b/x", vec!["plain"], Some("a/b/x")),
            ("long", vec!["long", "a/up", "plain"], Some("a/b/missing")),
            ("absolute", vec!["absolute"], Some("a/b")),
            ("out", vec!["out"], None),
            ("far/passwd", vec!["far"], None),
        ] {
            let way = follow(&workspace, Path::new(name)).unwrap();
            let links: Vec<_> = links.into_iter().map(|link| workspace.join(link)).collect();
            assert_eq!(way.links, links, "{name}");
            assert_eq!(way.end, end.map(|end| workspace.join(end)), "{name}");
        }
        assert!(follow(&workspace, Path::new("round")).is_err());
    }
}
