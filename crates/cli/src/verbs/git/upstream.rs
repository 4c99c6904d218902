//! `ringfence git upstream`: servers that rules can name, in a profile.

use std::collections::BTreeSet;

use ringfence_model::git::{GitUpstream, UpstreamKind, UpstreamName};
use ringfence_policy::{GitUpstreamTerms, append_git_upstream, remove_git_upstream};
use serde::Serialize;

use crate::args::git::AddArguments;
use crate::failure::Failure;
use crate::profiles::edit::Document;
use crate::{output, profiles};

/// Describes a server. Returns the exit code.
pub(super) fn add(arguments: &AddArguments) -> Result<i32, Failure> {
    let terms = terms(arguments);
    let document = Document::named(arguments.profile.as_deref())?;
    let text = append_git_upstream(&document.text, document.name.as_str(), &terms)?;
    document.replace(&text)?;
    output::line(&format!("added: {}", terms.to_line()));
    output::line(&format!("in {}", document.path.display()));
    output::line(&format!(
        "rules about it stand there too, as in: git: [{{allow: {{repo: \"{}/…\"}}}}]",
        terms.name
    ));
    Ok(0)
}

fn terms(arguments: &AddArguments) -> GitUpstreamTerms {
    let (addresses, host_keys) = (&arguments.addresses, &arguments.host_keys);
    GitUpstreamTerms {
        name: arguments.name.clone(),
        kind: arguments.kind.kind(),
        host: arguments.host.host.clone(),
        port: arguments.host.port,
        scheme: arguments.scheme(),
        base_path: arguments.base_path.clone(),
        credential: arguments.credential.clone(),
        host_keys: (!host_keys.is_empty()).then(|| host_keys.clone()),
        addresses: (!addresses.is_empty()).then(|| addresses.clone()),
    }
}

/// Takes a server out. Returns the exit code.
pub(super) fn remove(name: &UpstreamName, profile: Option<&str>) -> Result<i32, Failure> {
    let document = Document::named(profile)?;
    let text = remove_git_upstream(&document.text, document.name.as_str(), name)?;
    document.replace(&text)?;
    output::line(&format!("removed {name} from {}", document.path.display()));
    Ok(0)
}

/// A server that rules can name. Its JSON is a promise.
#[derive(Debug, Serialize)]
struct Shown {
    name: String,
    kind: UpstreamKind,
    /// Where it is, with everything before a repository.
    url: String,
    credential: Option<String>,
    /// The profile that describes it; none for one that is known from the start.
    profile: Option<String>,
}

impl Shown {
    fn of(upstream: &GitUpstream, profile: Option<String>) -> Self {
        let scheme = match upstream.kind {
            UpstreamKind::Ssh => "ssh",
            _ => upstream.scheme.as_str(),
        };
        Self {
            name: upstream.name.to_string(),
            kind: upstream.kind,
            url: format!("{scheme}://{}{}/", upstream.destination, upstream.base_path),
            credential: upstream.credential.as_ref().map(ToString::to_string),
            profile,
        }
    }

    fn row(&self) -> Vec<String> {
        let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        // The word that documents have for it.
        let kind = serde_json::to_value(self.kind).unwrap_or_default();
        vec![
            self.name.clone(),
            kind.as_str().unwrap_or_default().to_owned(),
            self.url.clone(),
            or_none(&self.credential),
            or_none(&self.profile),
        ]
    }
}

/// Lists servers. Returns the exit code.
pub(super) fn list(named: &[String], json: bool) -> Result<i32, Failure> {
    let builtin = GitUpstream::builtin();
    let mut shown: Vec<Shown> = builtin.iter().map(|it| Shown::of(it, None)).collect();
    let mut found = profiles::own();
    for name in named {
        found.extend(profiles::find(name)?);
    }
    let mut known = BTreeSet::new();
    for profile in found {
        // One that is named may be the person's own.
        if !known.insert(profile.name.to_string()) {
            continue;
        }
        let name = profile.name.to_string();
        let described = profile.git_upstreams.iter().map(GitUpstreamTerms::upstream);
        shown.extend(described.map(|upstream| Shown::of(&upstream, Some(name.clone()))));
    }
    if json {
        output::json(&shown);
    } else {
        output::table(
            &["name", "kind", "where", "credential", "profile"],
            shown.iter().map(Shown::row).collect(),
        );
    }
    Ok(0)
}
