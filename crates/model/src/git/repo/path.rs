//! From the path of a URL, or of a rule, to the identity of a repository.
//!
//! Nothing is decoded and nothing is normalised but what a kind of server itself does not tell
//! apart: letter case, one `.git`, the spellings of Azure DevOps. What could be read in
//! another way by another parser is refused.

use super::{GitUpstream, RepoError, RepoId, UpstreamKind};
use crate::host::Host;
use crate::limits::REPO_PATH_OCTETS;

impl RepoId {
    /// The repository of a rule or of a command line: `acme/docs`, `acme/docs.git`.
    ///
    /// # Errors
    /// See [`RepoError`].
    pub fn new(upstream: &GitUpstream, path: &str) -> Result<Self, RepoError> {
        match Self::read(upstream, None, &format!("/{path}"))? {
            (repo, "") => Ok(repo),
            _ => Err(RepoError::Shape(upstream.name.clone())),
        }
    }

    /// The repository that the path of a URL on one of the server's hosts leads to, and what
    /// follows it in the path: `info/refs`, `git-upload-pack`, or nothing.
    ///
    /// # Errors
    /// See [`RepoError`].
    pub fn from_url_path<'p>(
        upstream: &GitUpstream,
        host: &Host,
        path: &'p str,
    ) -> Result<(Self, &'p str), RepoError> {
        let shape = || RepoError::Shape(upstream.name.clone());
        if !upstream.is_known_as(host) {
            return Err(shape());
        }
        let below = below_base(upstream, path).ok_or_else(shape)?;
        Self::read(upstream, organisation(upstream, host), below)
    }

    /// The same for a path that begins below the server's base path: `/acme/docs/info/refs`.
    ///
    /// # Errors
    /// See [`RepoError`].
    pub fn from_prefixed_path<'p>(
        upstream: &GitUpstream,
        path: &'p str,
    ) -> Result<(Self, &'p str), RepoError> {
        Self::read(upstream, None, path)
    }

    fn read<'p>(
        upstream: &GitUpstream,
        organisation: Option<&str>,
        path: &'p str,
    ) -> Result<(Self, &'p str), RepoError> {
        let kind = upstream.kind;
        check_characters(kind, path)?;
        let segments = segments(path).ok_or_else(|| RepoError::Shape(upstream.name.clone()))?;
        let cut = match kind {
            UpstreamKind::Github | UpstreamKind::Gitea | UpstreamKind::Bitbucket => {
                first_two(&segments)
            }
            UpstreamKind::Gitlab => before_tail(&segments, 2),
            UpstreamKind::GenericHttps | UpstreamKind::Ssh => before_tail(&segments, 1),
            UpstreamKind::AzureDevops => azure(&segments, organisation),
        };
        let (names, end) = cut.ok_or_else(|| RepoError::Shape(upstream.name.clone()))?;
        let path_of_repo = canonical(kind, &names)?;
        if path_of_repo.len() > REPO_PATH_OCTETS {
            return Err(RepoError::TooLong);
        }
        if ends_at_tail(kind) && has_tail(&path_of_repo) {
            return Err(RepoError::Ambiguous("it ends as a request of git does"));
        }
        let repo = Self {
            upstream: upstream.name.clone(),
            path: path_of_repo,
        };
        Ok((repo, tail(path, end)))
    }
}

/// A part of a path and where it ends.
#[derive(Debug, Clone, Copy)]
struct Segment<'p> {
    text: &'p str,
    end: usize,
}

/// Names of a repository, and where its part of the path ends.
type Cut<'p> = Option<(Vec<&'p str>, usize)>;

/// The path below the base path, with the slash that it begins with.
fn below_base<'p>(upstream: &GitUpstream, path: &'p str) -> Option<&'p str> {
    let (base, below) = path.split_at_checked(upstream.base_path.len())?;
    let is_base = if folds_case(upstream.kind) {
        base.eq_ignore_ascii_case(&upstream.base_path)
    } else {
        base == upstream.base_path
    };
    (is_base && below.starts_with('/')).then_some(below)
}

/// Azure DevOps' older hosts: `org.visualstudio.com`.
fn organisation<'h>(upstream: &GitUpstream, host: &'h Host) -> Option<&'h str> {
    let name = host
        .name()
        .filter(|_| upstream.kind == UpstreamKind::AzureDevops)?;
    let organisation = name.as_str().strip_suffix(".visualstudio.com")?;
    (organisation != "vs-ssh").then_some(organisation)
}

const fn folds_case(kind: UpstreamKind) -> bool {
    match kind {
        UpstreamKind::Github
        | UpstreamKind::Gitlab
        | UpstreamKind::Gitea
        | UpstreamKind::Bitbucket
        | UpstreamKind::AzureDevops => true,
        UpstreamKind::GenericHttps | UpstreamKind::Ssh => false,
    }
}

fn check_characters(kind: UpstreamKind, path: &str) -> Result<(), RepoError> {
    if path.len() > PATH_OCTETS {
        return Err(RepoError::TooLong);
    }
    let is_azure = kind == UpstreamKind::AzureDevops;
    let is_generic = matches!(kind, UpstreamKind::GenericHttps | UpstreamKind::Ssh);
    let mut rest = path;
    while let Some(c) = rest.chars().next() {
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '/' | '.' | '_' | '-' => {}
            ' ' | '(' | ')' if is_azure => {}
            '%' if is_azure && rest.starts_with("20") => {}
            '~' | '+' | '@' | ',' | '=' if is_generic => {}
            '%' => return Err(RepoError::Ambiguous("it is percent-encoded")),
            '\\' => return Err(RepoError::Ambiguous("it has a backslash")),
            c if c.is_ascii() => return Err(RepoError::Ambiguous("it has an unusual character")),
            _ => return Err(RepoError::Ambiguous("it has a character beyond ASCII")),
        }
    }
    Ok(())
}

/// The parts of a path; one slash may end it. `None`: a part could be resolved away.
fn segments(path: &str) -> Option<Vec<Segment<'_>>> {
    let inner = path.strip_suffix('/').unwrap_or(path).strip_prefix('/')?;
    let mut end = 0;
    let read = |text| {
        end += 1 + str::len(text);
        (!matches!(text, "" | "." | "..")).then_some(Segment { text, end })
    };
    inner.split('/').map(read).collect()
}

fn first_two<'p>(segments: &[Segment<'p>]) -> Cut<'p> {
    match segments {
        [owner, name, ..] => Some((vec![owner.text, name.text], name.end)),
        _ => None,
    }
}

/// Everything before what only the protocol has in a path, or before the end.
fn before_tail<'p>(segments: &[Segment<'p>], least: usize) -> Cut<'p> {
    let is_tail = |at: &usize| {
        let text = |at: usize| segments.get(at).map(|segment| segment.text);
        match text(*at) {
            Some("info") => matches!(text(*at + 1), Some("refs" | "lfs")),
            Some("git-upload-pack" | "git-receive-pack" | "git-upload-archive") => true,
            _ => false,
        }
    };
    let count = (0..segments.len()).find(is_tail).unwrap_or(segments.len());
    let names = segments.get(..count).filter(|names| names.len() >= least)?;
    let end = names.last()?.end;
    Some((names.iter().map(|segment| segment.text).collect(), end))
}

/// Whether, without its `.git`, a repository would read as another one and a request to it:
/// `acme/info/refs.git`.
fn has_tail(path: &str) -> bool {
    let whole = format!("/{path}");
    let parts = segments(&whole).unwrap_or_default();
    before_tail(&parts, 1).is_none_or(|(_, end)| end != whole.len())
}

/// Whether the end of a repository is found by what follows it.
const fn ends_at_tail(kind: UpstreamKind) -> bool {
    matches!(
        kind,
        UpstreamKind::Gitlab
            | UpstreamKind::GenericHttps
            | UpstreamKind::Ssh
            | UpstreamKind::AzureDevops
    )
}

/// Azure DevOps: `org/project/_git/repo`, with the project left out where it is called like the
/// repository; `_optimized` or `_full` before the repository; on the older hosts, without
/// the organisation, perhaps with a collection before and a team behind the project; over
/// SSH `v3/org/project/repo`; and, as we write it, `org/project/repo`.
fn azure<'p>(segments: &[Segment<'p>], organisation: Option<&'p str>) -> Cut<'p> {
    let Some(at) = segments.iter().position(|s| is_azure_word(s.text, "_git")) else {
        let (before, end) = before_tail(segments, 3)?;
        return match (organisation, before.as_slice()) {
            (None, [_, _, _]) => Some((before, end)),
            (None, ["v3", rest @ ..]) if rest.len() == 3 => Some((rest.to_vec(), end)),
            _ => None,
        };
    };
    let (before, after) = segments.split_at_checked(at)?;
    let before: Vec<&str> = before.iter().map(|segment| segment.text).collect();
    let name = match after {
        [_, mode, name, ..]
            if is_azure_word(mode.text, "_optimized") || is_azure_word(mode.text, "_full") =>
        {
            name
        }
        [_, name, ..] => name,
        _ => return None,
    };
    let (organisation, project) = match (organisation, before.as_slice()) {
        (None, &[organisation]) => (organisation, name.text),
        (None, &[organisation, project]) => (organisation, project),
        (None, _) => return None,
        (Some(organisation), below) => (organisation, older_project(below, name.text)?),
    };
    Some((vec![organisation, project, name.text], name.end))
}

/// The project of a path on `org.visualstudio.com`, between the host and `_git`.
fn older_project<'p>(below: &[&'p str], name: &'p str) -> Option<&'p str> {
    let below = match below {
        [first, rest @ ..] if is_azure_word(first, "DefaultCollection") => rest,
        all => all,
    };
    match *below {
        [] => Some(name),
        [project] | [project, _] => Some(project),
        _ => None,
    }
}

fn is_azure_word(text: &str, word: &str) -> bool {
    text.eq_ignore_ascii_case(word)
}

/// The names of a repository in the one form that its kind of server gives them.
fn canonical(kind: UpstreamKind, names: &[&str]) -> Result<String, RepoError> {
    let mut path = String::new();
    for (position, name) in names.iter().enumerate() {
        let mut name = if folds_case(kind) {
            name.to_ascii_lowercase()
        } else {
            (*name).to_owned()
        };
        let is_last = position + 1 == names.len();
        if kind == UpstreamKind::AzureDevops {
            name = name.replace("%20", " ");
        } else if is_last && let Some(stem) = name.strip_suffix(".git") {
            name.truncate(stem.len());
        }
        check_name(kind, &name)?;
        if position > 0 {
            path.push('/');
        }
        path.push_str(&name);
    }
    Ok(path)
}

fn check_name(kind: UpstreamKind, name: &str) -> Result<(), RepoError> {
    // Git's server looks for `.git` inside and beside what it is asked for.
    if name.to_ascii_lowercase().ends_with(".git") {
        return Err(RepoError::Ambiguous("a part of it ends in `.git`"));
    }
    if name.is_empty() || name.starts_with(['-', '~', ' ']) {
        return Err(RepoError::Ambiguous("a part of it begins unusually"));
    }
    if name.ends_with(['.', ' ']) || name.contains("  ") {
        return Err(RepoError::Ambiguous(
            "a part of it has a dot or blanks too many",
        ));
    }
    if kind == UpstreamKind::AzureDevops && name.starts_with('_') {
        return Err(RepoError::Ambiguous("a part of it is a word of the server"));
    }
    Ok(())
}

/// What follows a repository in a path, without the slash between.
fn tail(path: &str, end: usize) -> &str {
    let rest = path.get(end..).unwrap_or_default();
    rest.strip_prefix('/').unwrap_or(rest)
}

/// Longest path that is looked at: a repository and what follows it.
const PATH_OCTETS: usize = REPO_PATH_OCTETS + 512;
