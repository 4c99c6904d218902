//! Git's settings for the agent: who commits. The person's own file is not shown, because it
//! may hold credential helpers and tokens; the name and the address in it are no secret.

use std::fs;
use std::path::{Path, PathBuf};

/// A system-wide git configuration for the sandbox, if the person has an identity.
pub(super) fn settings(home: &Path) -> Option<(PathBuf, Vec<u8>)> {
    let (name, email) = [".gitconfig", ".config/git/config"]
        .iter()
        .filter_map(|file| fs::read_to_string(home.join(file)).ok())
        .map(|text| identity(&text))
        .fold((None, None), |(name, email), found| {
            (name.or(found.0), email.or(found.1))
        });
    let mut text = "[user]\n".to_owned();
    for (key, value) in [("name", name?), ("email", email?)] {
        let value = value.replace('\\', "\\\\").replace('"', "\\\"");
        text.push_str(&format!("\t{key} = \"{value}\"\n"));
    }
    Some((PathBuf::from("/etc/gitconfig"), text.into_bytes()))
}

/// The `name` and `email` of the `[user]` section (git-config(1)), where they stand plainly.
fn identity(text: &str) -> (Option<String>, Option<String>) {
    let mut section = String::new();
    let (mut name, mut email) = (None, None);
    for line in text.lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[') {
            section = header.trim_end_matches(']').trim().to_ascii_lowercase();
            continue;
        }
        let Some((key, value)) = line.split_once('=').filter(|_| section == "user") else {
            continue;
        };
        let value = value.trim().trim_matches('"').to_owned();
        match key.trim().to_ascii_lowercase().as_str() {
            "name" => name = Some(value),
            "email" => email = Some(value),
            _ => {}
        }
    }
    (name, email)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_identity_is_taken_and_nothing_else() {
        let text = "[credential]\n\thelper = store\n[User]\n\tName = \"Ann Example\"\n\temail = ann@example.com\n\tsigningkey = 1\n[url \"x\"]\n\tname = no\n";
        assert_eq!(
            identity(text),
            (
                Some("Ann Example".to_owned()),
                Some("ann@example.com".to_owned())
            )
        );
        assert_eq!(identity("[core]\n\tname = x\n"), (None, None));
    }
}
