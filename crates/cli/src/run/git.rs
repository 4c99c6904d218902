//! Git's settings in a sandbox: who commits, and where the repositories are that rules are about.
//! They are a convenience for the agent, which can write others; what holds is what the gateway
//! decides.

mod identity;
mod remotes;
mod tokens;

use std::path::{Path, PathBuf};

use ringfence_model::Scheme;
use ringfence_model::git::GitUpstream;
use ringfence_policy::Profile;

/// Where git, libgit2 and gitoxide look for the settings of a whole system. The host's file is not
/// shown.
const PATH: &str = "/etc/gitconfig";

/// A system-wide git configuration for the sandbox, where there is something to say.
pub(super) fn settings(
    home: &Path,
    servers: &[GitUpstream],
    profiles: &[Profile],
) -> Option<(PathBuf, Vec<u8>)> {
    let mut text = Settings::default();
    if let (Some(name), Some(email)) = identity::of(home) {
        text.section("user", None);
        text.set("name", &name);
        text.set("email", &email);
    }
    if !servers.is_empty() {
        rewrite(&mut text, servers, profiles);
        authenticate(&mut text, servers, profiles);
        restrict(&mut text, servers);
        keep_large_files(&mut text);
    }
    (!text.0.is_empty()).then(|| (PathBuf::from(PATH), text.0.into_bytes()))
}

/// Leads every usual spelling to the address that the gateway reads.
fn rewrite(text: &mut Settings, servers: &[GitUpstream], profiles: &[Profile]) {
    for (address, spellings) in remotes::rewrites(servers, profiles) {
        text.section("url", Some(&address));
        for spelling in spellings {
            text.set("insteadOf", &spelling);
        }
    }
}

/// Where the sandbox has a token for a server: hands it to git when git is asked for one. It stays
/// in its variable, and is in no URL and in no file.
fn authenticate(text: &mut Settings, servers: &[GitUpstream], profiles: &[Profile]) {
    for server in servers {
        let Some(variable) = tokens::variable(server, profiles) else {
            continue;
        };
        for address in remotes::addresses(server) {
            text.section("credential", Some(&address));
            // An empty one takes back those of other files.
            text.set("helper", "");
            text.set("helper", &tokens::helper(variable));
        }
    }
}

/// Fails at once, and in words, where the network would not let git through. A submodule cannot
/// choose what else is spoken.
fn restrict(text: &mut Settings, servers: &[GitUpstream]) {
    text.section("protocol", None);
    text.set("allow", "never");
    let is_plain = servers.iter().any(|it| it.scheme == Scheme::Http);
    for (protocol, policy) in [
        ("https", "always"),
        ("http", if is_plain { "always" } else { "user" }),
        ("ssh", "user"),
        ("file", "user"),
    ] {
        text.section("protocol", Some(protocol));
        text.set("allow", policy);
    }
}

/// What `git lfs install --system` writes: the host's own settings are not shown.
fn keep_large_files(text: &mut Settings) {
    if !LFS.iter().any(|path| Path::new(path).exists()) {
        return;
    }
    text.section("filter", Some("lfs"));
    for (key, value) in [
        ("clean", "git-lfs clean -- %f"),
        ("smudge", "git-lfs smudge -- %f"),
        ("process", "git-lfs filter-process"),
        ("required", "true"),
    ] {
        text.set(key, value);
    }
}

/// Where the sandbox sees Git LFS, if the host has it.
const LFS: [&str; 2] = ["/usr/bin/git-lfs", "/usr/local/bin/git-lfs"];

/// Text in the form of git-config(1).
#[derive(Default)]
struct Settings(String);

impl Settings {
    fn section(&mut self, name: &str, of: Option<&str>) {
        match of {
            Some(of) => self.0.push_str(&format!("[{name} {}]\n", quoted(of))),
            None => self.0.push_str(&format!("[{name}]\n")),
        }
    }

    fn set(&mut self, key: &str, value: &str) {
        self.0.push_str(&format!("\t{key} = {}\n", quoted(value)));
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests;
