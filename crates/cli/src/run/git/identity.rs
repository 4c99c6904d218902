//! Who commits. The person's own file is not shown, because it may hold credential helpers and
//! tokens; the name and the address in it are no secret.

use std::fs;
use std::path::Path;

/// The person's name and address, as far as their own settings say them.
pub(super) fn of(home: &Path) -> (Option<String>, Option<String>) {
    [".gitconfig", ".config/git/config"]
        .iter()
        .filter_map(|file| fs::read_to_string(home.join(file)).ok())
        .map(|text| identity(&text))
        .fold((None, None), |(name, email), found| {
            (name.or(found.0), email.or(found.1))
        })
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
